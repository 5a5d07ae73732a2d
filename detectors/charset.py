"""Which charset a block of bytes is in, and its text in UTF-8.

In: a block, the declared charset. Out: a name and a View. UTF-8 and ASCII are taken as they stand, without a
copy through `str`; GB18030 (superset of GBK and GB2312), Big5 and UTF-16 are transcoded once. Judged on a sample behind
the first non-ASCII byte: declarations lie. Bytes that fit no charset stay as they are (`binary`): digits and
ASCII words are found in them all the same.
"""

import codecs
import re
from typing import Final

from detectors.view import Shifted, Step, View

SAMPLE: Final = 8192
_GB_NAMES: Final = frozenset({"gb2312", "gbk", "gb18030", "cp936", "936", "ms936", "x-gbk", "hz-gb-2312", "euc-cn"})
_BIG5_NAMES: Final = frozenset({"big5", "big5-hkscs", "cp950", "950", "x-x-big5"})
_GB_COMMON: Final = re.compile(rb"[\xb0-\xd7\xa1-\xa3][\xa1-\xfe]")  # level-1 hanzi and punctuation
_BIG5_PAIR: Final = re.compile(rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]")
_BIG5_LOW: Final = re.compile(rb"[\xa4-\xc6][\x40-\x7e]")
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_SYNC: Final = re.compile(rb"[\x00-\x2f]")


class Transcoded:
    """The text was decoded from another charset and encoded to UTF-8."""

    def __init__(self, name: str, text: bytes) -> None:
        self.name = name
        self._text = text

    def back(self, position: int) -> int:
        """See Step. O(position): asked once per distinct value."""
        part = self._text[:position].decode("utf-8", "surrogatepass" if _complete(self._text, position) else "ignore")
        return len(_encode(part, self.name))

    def forth(self, position: int) -> int:
        """See Step."""
        if position <= 0:
            return 0
        raw = _encode(self._text.decode("utf-8", "surrogatepass"), self.name)
        return len(_decode(raw[:position], self.name))

    def touches(self, start: int, end: int) -> bool:
        """See Step: everything was."""
        return start <= end


def _complete(text: bytes, position: int) -> bool:
    return position >= len(text) or text[position] & 0xC0 != 0x80


def _encode(text: str, name: str) -> bytes:
    errors = "surrogatepass" if name.startswith("utf-16") else "surrogateescape"
    try:
        return text.encode(name, errors)
    except UnicodeEncodeError:
        return text.encode(name, "replace")


def _decode(data: bytes, name: str) -> bytes:
    errors = "surrogatepass" if name.startswith("utf-16") else "surrogateescape"
    try:
        text = data.decode(name, errors)
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
    return text.encode("utf-8", "surrogatepass")


def charset_of(data: bytes, declared: str = "", bom: str = "") -> str:
    """`utf-8`, `gb18030`, `big5hkscs`, `utf-16-le`, `utf-16-be` or `binary`.

    Args:
        data: a block.
        declared: charset as declared, any spelling.
        bom: what the content's byte order mark said, or "".
    """
    if bom:
        return bom
    if b"\0" in data[:SAMPLE]:
        wide = _utf16(data[:SAMPLE])
        if wide:
            return wide
    try:
        data.decode("ascii")
    except UnicodeDecodeError as error:
        first = error.start
    else:
        return "utf-8"
    sample = data[first : first + SAMPLE]
    return _multibyte(sample, declared.lower().replace("_", "-"), starts_block=first == 0)


def _utf16(sample: bytes) -> str:
    units = len(sample) // 2
    if units < 4:
        return ""
    even, odd = sample[0 : units * 2 : 2], sample[1 : units * 2 : 2]
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        zeros = high.count(0)
        if zeros * 12 < units or low.count(0) * 20 > units:
            continue
        plain = len(high.translate(None, _NOT_TEXT_ROWS))
        if plain >= 0.95 * units:
            return name
    return ""


# High bytes that do not occur in Chinese or Latin text: all but 00 20 30 4E-9F FE FF
_NOT_TEXT_ROWS: Final = bytes(n for n in range(256) if n not in {0, 0x20, 0x30, 0xFF, 0xFE} and not 0x4E <= n <= 0x9F)


def _multibyte(sample: bytes, declared: str, *, starts_block: bool) -> str:
    if starts_block:  # may begin inside a character
        skip = 0
        while skip < 3 and skip < len(sample) and 0x80 <= sample[skip] < 0xC0:
            skip += 1
        tail = sample[skip:]
    else:
        tail = sample
    valid = True
    try:
        codecs.utf_8_decode(tail, "strict", False)
    except UnicodeDecodeError:
        valid = False
    if valid and declared not in _GB_NAMES:
        return "utf-8"
    high = sum(map(len, _HIGH.findall(sample)))
    if valid and not (declared in _GB_NAMES and high < 16 and high % 2 == 0 and high % 3):
        return "utf-8"
    gb = 2 * len(_GB_COMMON.findall(sample)) >= 0.6 * high
    if valid and not gb:
        return "utf-8"
    kept = len(tail.decode("utf-8", "ignore").encode("utf-8"))
    if not valid and len(tail) - kept <= 0.05 * high:
        return "utf-8"  # damaged, but UTF-8
    pairs = len(_BIG5_PAIR.findall(sample))
    looks_big5 = 2 * pairs >= 0.8 * high * 0.6 and 4 * len(_BIG5_LOW.findall(sample)) >= pairs
    if declared in _BIG5_NAMES and 2 * pairs >= 0.5 * high:
        return "big5hkscs"
    if declared in _GB_NAMES or (gb and not (looks_big5 and 2 * len(_GB_COMMON.findall(sample)) < 0.8 * high)):
        return "gb18030"
    return "big5hkscs" if looks_big5 else "binary"


def read(data: bytes, charset: str, *, continued: bool = False) -> View:
    """The block as UTF-8 text.

    Args:
        data: a block.
        charset: answer of charset_of.
        continued: the block may begin inside a character: multi-byte charsets start at the first control or
            punctuation byte then.
    """
    if charset in {"utf-8", "binary"}:
        return View(b"\n" + data + b"\n", "utf-8" if charset == "utf-8" else "binary", (Shifted(1),))
    steps: list[Step] = []
    skip = 0
    if continued and not charset.startswith("utf-16"):
        sync = _SYNC.search(data, 0, 512)
        skip = sync.start() if sync else 0
    if skip:
        steps.append(Shifted(-skip))
    text = _decode(data[skip:], charset)
    steps += (Transcoded(charset, text), Shifted(1))
    return View(b"\n" + text + b"\n", charset, tuple(steps))


_WIDE_RUN: Final = re.compile(rb"(?:[\x20-\x7e\t\r\n]\0|[\0-\xff][\x4e-\x9f]|[\0-\xff]\xff|[\x00-\x20]\x30){8,4096}")


def wide_runs(data: bytes) -> list[View]:
    """UTF-16LE strings inside binary data (SMB, TDS, OLE), each a View of its own."""
    views = []
    for match in _WIDE_RUN.finditer(data):
        piece = match.group()
        if piece.count(0) * 8 < len(piece):
            continue
        text = _decode(piece, "utf-16-le")
        steps: tuple[Step, ...] = (Shifted(-match.start()), Transcoded("utf-16-le", text), Shifted(1))
        views.append(View(b"\n" + text + b"\n", "utf-16-le", steps))
    return views
