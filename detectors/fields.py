"""Where a value stands: the name of its field, its column, the record it belongs to.

In: a text (UTF-8 bytes, line feeds at both ends) and a position. Out: the key before the value (JSON, form, query, XML,
label with a colon), the header of its column (CSV, TSV, pipes, SQL INSERT, HTML tables), and whether two positions are
in one record. Everything looks at a bounded window and never parses the whole text: traffic is cut, nested
and broken.
"""

import re
from typing import Final

import msgspec

_WINDOW: Final = 192
_LINE: Final = 4096
_OPENERS: Final = b" \t\"'`\\([{<\xef\xbc\x88\xe2\x80\x9c\xe3\x80\x90"
_KEY_TAIL: Final = re.compile(rb"[0-9A-Za-z_.\-\x80-\xff]{1,64}(?: [0-9A-Za-z_.\-]{1,24}){0,2}$")
_QUOTED_TAIL: Final = re.compile(rb"[\"'`]([^\"'`\r\n]{1,80})\\{0,3}$")
_TAG: Final = re.compile(rb"<([A-Za-z_][0-9A-Za-z_.:\-]{0,60})([^<>]{0,160})>\s*$")
_PLAIN_TAGS: Final = frozenset(
    b"td th tr div span p a b i em strong li ul ol font label br item value string data cell c v t is si row option "
    b"dd dt w:t".split()
)
_ATTRIBUTE: Final = re.compile(rb"(?:name|id|key|field|class|data-field)=[\"']?([0-9A-Za-z_.\-\x80-\xff]{1,64})")
_INSERT: Final = re.compile(
    rb"INSERT\s+(?:IGNORE\s+)?INTO\s+[^\s(]{1,120}\s*\(([^()]{1,2000})\)\s*VALUES", re.IGNORECASE
)
_CELL_QUOTES: Final = b" \t\r\"'`\xef\xbb\xbf"
_JSON_BREAK: Final = re.compile(rb"\}\s{0,64},?\s{0,64}\{|\]\s{0,64},\s{0,64}\[")
_TABLE_BREAK: Final = re.compile(
    rb"</?(?:tr|row|record|item|user|customer|person|employee|member|patient|contact)\b", re.IGNORECASE
)
_SQL_BREAK: Final = re.compile(rb"\)\s{0,16},\s{0,16}\(|\)\s{0,16};")
_CARD_BREAK: Final = re.compile(rb"END:VCARD|\r?\n[ \t]*\r?\n|\r?\n[-=*_]{3,}")
MAX_RECORD: Final = 4096


class Field(msgspec.Struct, frozen=True):
    """The field of a value.

    Attributes:
        key: name as written, or b"" where none was found.
        column: identity of the column within the content, or b"" (a lone value).
        shape: `json`, `kv`, `tag`, `cell` or ``.
    """

    key: bytes
    column: bytes
    shape: str


NOWHERE: Final = Field(b"", b"", "")


class Header(msgspec.Struct, frozen=True):
    """Column names of delimited text; `delimiter` b"" where the text is not delimited."""

    delimiter: bytes
    names: tuple[bytes, ...]


NO_HEADER: Final = Header(b"", ())


def header_of(text: bytes) -> Header:
    """The header of delimited text, from its first lines.

    The second line must have as many delimiters as the first; where the first line holds a long number it is data,
    and only the delimiter is known.
    """
    lines = [line for line in text[: 4 * _LINE].split(b"\n")[:12] if line.strip()]
    if len(lines) < 2 or lines[0].lstrip()[:1] in {b"{", b"["} or (lines[0].lstrip()[:1] == b"<"):
        return NO_HEADER
    for delimiter in (b"\t", b",", b"|", b";", b"\x01"):
        count = _cells(lines[0], delimiter)
        if count < 2 or abs(_cells(lines[1], delimiter) - count) > (0 if count < 4 else 1):
            continue
        names = tuple(cell.strip(_CELL_QUOTES) for cell in _split(lines[0], delimiter))
        if any(re.search(rb"[0-9]{6}|@", name) for name in names):
            return Header(delimiter, ())
        return Header(delimiter, names)
    return NO_HEADER


def _cells(line: bytes, delimiter: bytes) -> int:
    return len(_split(line, delimiter))


def _split(line: bytes, delimiter: bytes) -> list[bytes]:
    """Cells of a line; delimiters inside double quotes do not count."""
    if b'"' not in line:
        return line.split(delimiter)
    out: list[bytes] = []
    inside = False
    start = 0
    size = len(delimiter)
    i = 0
    while i < len(line):
        if line[i] == 0x22:
            inside = not inside
        elif not inside and line[i : i + size] == delimiter:
            out.append(line[start:i])
            start = i + size
        i += 1
    out.append(line[start:])
    return out


def field_at(text: bytes, start: int, header: Header, *, json: bool) -> Field:
    """The field whose value begins at `start`.

    Args:
        text: the view.
        start: first byte of the value.
        header: of the content.
        json: the content looks like JSON.
    """
    low = max(0, start - _WINDOW)
    head = text[low:start].rstrip(_OPENERS)
    last = head[-1:]
    if last in {b":", b"="} or head.endswith(b"\xef\xbc\x9a"):
        return _keyed(head)
    if last == b">":
        found = _tagged(text, head, start)
        if found is not None:
            return found
    if json:
        if last == b"," or text[low:start].rstrip(b" \t\r\n\"'").endswith(b"["):
            return _in_array(text, start)
        return NOWHERE
    if header.delimiter:
        return _in_line(text, start, header)
    if last in {b",", b"("} or text[start - 1 : start] in {b"'", b"("}:
        return _in_values(text, start)
    return NOWHERE


def _keyed(head: bytes) -> Field:
    body = head[:-3] if head.endswith(b"\xef\xbc\x9a") else head.rstrip(b"=:>")
    json = head.endswith(b":")
    body = body.rstrip(b" \t\\")
    if body[-1:] in {b'"', b"'", b"`"}:
        body = body[:-1].rstrip(b"\\")
        cut = max(body.rfind(b'"'), body.rfind(b"'"), body.rfind(b"`"))
        key = body[cut + 1 :] if cut >= 0 else body[-64:]
    else:
        match = _KEY_TAIL.search(body[-96:])
        key = match.group() if match else b""
        key = key.rpartition(b"\xef\xbc\x8c")[2].rpartition(b"\xe3\x80\x82")[2].rpartition(b"\xef\xbc\x9b")[2]
    return Field(key, b"k:" + key if key else b"", "json" if json else "kv")


def _tagged(text: bytes, head: bytes, start: int) -> Field | None:
    match = _TAG.search(head)
    if match is None:
        return None
    tag = match[1]
    if tag.lower() not in _PLAIN_TAGS:
        return Field(tag.rpartition(b":")[2], b"t:" + tag, "tag")
    attribute = _ATTRIBUTE.search(match[2])
    if attribute is not None:
        return Field(attribute[1], b"t:" + attribute[1], "tag")
    if tag.lower() in {b"td", b"th"}:
        return _table_cell(text, start)
    return None


def _table_cell(text: bytes, start: int) -> Field:
    low = text.rfind(b"<tr", max(0, start - _LINE), start)
    if low < 0:
        return NOWHERE
    index = len(re.findall(rb"<t[dh][\s>]", text[low:start])) - 1
    table = text.rfind(b"<table", 0, start)
    head = text[max(table, 0) : low][: 2 * _LINE]
    first = head.partition(b"</tr")[0]
    names = [
        re.sub(rb"<[^>]*>", b"", cell).strip() for cell in re.findall(rb"<t[dh][^>]*>(.*?)</t[dh]", first, re.DOTALL)
    ]
    key = names[index] if 0 <= index < len(names) else b""
    return Field(key, b"h:%d" % index, "cell")


def _in_array(text: bytes, start: int) -> Field:
    """A bare element: the key of its array."""
    low = max(0, start - _LINE)
    opening = text.rfind(b"[", low, start)
    if opening < 0 or text.rfind(b"]", opening, start) >= 0 or text.rfind(b"{", opening, start) >= 0:
        return NOWHERE
    head = text[max(0, opening - _WINDOW) : opening].rstrip(_OPENERS)
    if head.endswith((b":", b"=")):
        found = _keyed(head)
        return Field(found.key, found.column + b"[]", "json")
    index = text.count(b",", opening, start)  # rows as arrays: [[1,"…"],[2,"…"]]
    return Field(b"", b"a:%d" % index, "cell")


def _in_line(text: bytes, start: int, header: Header) -> Field:
    line = text.rfind(b"\n", max(0, start - _LINE), start) + 1
    part = text[line:start]
    index = part.count(header.delimiter) if b'"' not in part else len(_split(part, header.delimiter)) - 1
    if part.count(b'"') % 2 and b'"' in part:
        index = len(_split(part.rstrip(b'"'), header.delimiter)) - 1
    key = header.names[index] if index < len(header.names) else b""
    return Field(key, b"c:%d" % index, "cell")


def _in_values(text: bytes, start: int) -> Field:
    """A value of SQL `INSERT … VALUES (…),(…)`."""
    low = max(0, start - _LINE)
    opening = text.rfind(b"(", low, start)
    if opening < 0 or b"\n" in text[opening:start]:
        return NOWHERE
    part = text[opening + 1 : start]
    index = len(_split(part.replace(b"'", b'"'), b",")) - 1
    names: list[bytes] = []
    at = text.rfind(b"VALUES", 0, opening)
    at = at if at >= 0 else text.rfind(b"values", 0, opening)
    if at >= 0:
        match = _INSERT.search(text, max(0, at - 2200), at + 8)
        if match is not None:
            names = [name.strip(_CELL_QUOTES + b"[]") for name in match[1].split(b",")]
    if at < 0:
        return NOWHERE
    return Field(names[index] if index < len(names) else b"", b"s:%d" % index, "cell")


def same_record(text: bytes, first: int, second: int, header: Header, *, json: bool) -> bool:
    """True where no record ends between two positions."""
    if second - first > MAX_RECORD:
        return False
    if json:
        return _JSON_BREAK.search(text, first, second) is None
    if header.delimiter:
        return text.find(b"\n", first, second) < 0
    between = text[first:second]
    if b"\n" in between and _CARD_BREAK.search(between):
        return False
    if b"<" in between and _TABLE_BREAK.search(between):
        return False
    return not (b")" in between and _SQL_BREAK.search(between))
