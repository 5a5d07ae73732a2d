"""Base64 inside text: found by what personal data looks like once encoded, not by guessing at every long word.

In: a text and the places where a tell-tale ends. Out: decoded pieces with their way back. A tell-tale is a piece of
base64 that stands for nine digits in a row, a mail domain, the start of a JSON object or of a PEM block; it gives
away the phase too, so a run can be decoded from wherever the block begins. Any run of eleven digits holds nine
that are aligned, whatever the phase.
"""

import binascii
from typing import Final

from detectors.view import Step, View

_GROUP: Final = rb"[MNO][DTjz][AEIMQUYcgk][w-z0-5]"
TELLS: Final = (
    _GROUP + _GROUP + _GROUP,
    rb"LmNvb[Q-Za-f][A-Za-z0-9+/_=-]{2}",  # ".com", three phases; the end is a group border
    rb"[CSiy]5jb2[0-3]",
    rb"uY29t",
    rb"eyJ[A-Za-z0-9+/_-]",
    rb"LS0tLS1CRUdJ",
)
# How far the end of each tell-tale lies behind a group border.
TELL_PHASE: Final = (0, 0, 3, 0, 0, 0)
MIN_RUN: Final = 24
_MIN_LINE: Final = 56  # wrapped base64 comes in lines of 60, 64 or 76
_TABLE: Final = bytes(
    97
    if chr(n) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
    else 10
    if n in {10, 13}
    else 32
    for n in range(256)
)
_URL: Final = bytes.maketrans(b"-_", b"+/")
_TEXTY: Final = bytes(n for n in range(256) if n in {9, 10, 13} or 32 <= n < 127 or n >= 0x80)
_CONTROL: Final = bytes(n for n in range(256) if n not in _TEXTY)


class Decoded:
    """Base64 was undone: three bytes for four characters from `start` on, line breaks of the wrapped form counted."""

    name = "base64"

    def __init__(self, start: int, line: int, gap: int, first: int) -> None:
        """`line`: characters a line (0: not wrapped); `gap`: bytes of a line break; `first`: characters before it."""
        self._start, self._line, self._gap, self._first = start, line, gap, first

    def back(self, position: int) -> int:
        """See Step."""
        chars = position // 3 * 4 + position % 3
        breaks = 0
        if self._line and chars >= self._first:
            breaks = 1 + (chars - self._first) // self._line
        return self._start + chars + breaks * self._gap

    def forth(self, position: int) -> int:
        """See Step."""
        low, high = 0, max(0, position - self._start) + 1
        while low < high:
            middle = (low + high) // 2
            if self.back(middle) >= position:
                high = middle
            else:
                low = middle + 1
        return low

    def touches(self, start: int, end: int) -> bool:
        """See Step: everything was."""
        return start <= end


def decoded_runs(view: View, tells: list[tuple[int, int]]) -> list[tuple[bytes, tuple[Step, ...]]]:
    """Texts that base64 runs of `view` stand for.

    Args:
        view: the text.
        tells: (end of a tell-tale, index in TELLS), ascending.

    Returns:
        decoded bytes and the steps from the original bytes to them, one pair per run and phase.
    """
    table = view.text.translate(_TABLE)
    out: list[tuple[bytes, tuple[Step, ...]]] = []
    done: dict[int, int] = {}  # phase -> end of the run decoded last
    for end, tell in tells:
        border = end - TELL_PHASE[tell]
        if done.get(border % 4, 0) >= end:
            continue
        start, stop, line, gap, first = _extent(table, border)
        if stop - start < MIN_RUN:
            continue
        phase = (border - start - table.count(b"\n", start, border)) % 4
        joined = view.text[start:stop].replace(b"\r", b"").replace(b"\n", b"")[phase:]
        piece = _decode(joined)
        done[border % 4] = stop
        if piece and _is_text(piece):
            step = Decoded(start + phase, line, gap, first - phase)
            out.append((piece, (*view.steps, step)))
    return out


def _line(table: bytes, at: int) -> tuple[int, int]:
    """Bounds of the word of base64 characters around `at`."""
    start = max(table.rfind(b" ", 0, at), table.rfind(b"\n", 0, at)) + 1
    ends = [found for found in (table.find(b" ", at), table.find(b"\n", at)) if found >= 0]
    return start, min(ends) if ends else len(table)


def _extent(table: bytes, inside: int) -> tuple[int, int, int, int, int]:
    """Start and end of the run around `inside`, characters a line, bytes of a line break, characters of the first line.

    Lines of one length, the last one shorter, are one run; the first may be cut by the block.
    """
    start, stop = _line(table, max(inside - 1, 0))
    size, gap, first = stop - start, 0, stop - start
    if table[stop : stop + 1] != b"\n" and table[start - 1 : start] != b"\n":
        return start, stop, 0, 0, first
    gap = 2 if table[stop : stop + 2] == b"\n\n" or table[start - 2 : start] == b"\n\n" else 1
    grown, last = False, False
    while start > gap and table[start - gap : start] == b"\n" * gap:
        begin, end = _line(table, start - gap - 1)
        if end != start - gap or begin == end:
            break
        if end - begin > size and not grown:
            size, last = end - begin, True  # we began in the last, shorter line
        elif end - begin != size and not (begin == 1 and end - begin < size):
            break
        if size < _MIN_LINE:
            break
        start, first, grown = begin, end - begin, True
    while not last and table[stop : stop + gap] == b"\n" * gap:
        begin, end = _line(table, stop + gap)
        if end == begin or (end - begin > size and (start > 1 or grown)):
            break
        size = max(size, end - begin)
        if size < _MIN_LINE:
            break
        stop, grown = end, True
        last = end - begin < size
    return (start, stop, size, gap, first) if grown else (start, stop, 0, 0, first)


def _decode(joined: bytes) -> bytes:
    data = joined.translate(_URL)
    data = data[: len(data) - (1 if len(data) % 4 == 1 else 0)]
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _is_text(piece: bytes) -> bool:
    sample = piece[:2048]
    control = len(sample) - len(sample.translate(None, _CONTROL))
    zeros = sample.count(0)
    return control <= 0.02 * len(sample) or (zeros >= 0.2 * len(sample) and control - zeros <= 0.1 * len(sample))
