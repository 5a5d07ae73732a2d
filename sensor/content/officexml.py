"""Office XML to plain text while it streams: paragraphs as lines, table cells between tabs, one row a line.

Machines for expat; entity declarations are impossible because a document type stops the parser (OOXML forbids it,
ECMA-376 part 2 section 8.1.4). Nothing is fetched. Broken XML: what was read so far is kept, the rest is passed on
as it stands and `damaged` is set.
"""

import xml.parsers.expat
from collections.abc import Iterable, Iterator
from typing import Any, Final

_RUNS: Final = frozenset({"t", "delText", "instrText", "text", "TextCode"})
_LINES: Final = frozenset({"p", "h", "TextCode"})
_BREAKS: Final = frozenset({"br", "cr", "line-break"})
_INLINE: Final = frozenset({"span", "a", "s", "tab"})
_ROWS: Final = frozenset({"tr", "table-row"})
_CELLS: Final = frozenset({"tc", "table-cell"})
_MOST_COLUMNS: Final = 16384  # of a worksheet, ECMA-376 part 1 section 18.3.1.4
_LONGEST_CELL: Final = 256  # snippets of character data kept for one cell
_FLUSH: Final = 512  # snippets gathered before a piece is handed on
_BLANK: Final = str.maketrans("\t\r\n", "   ")


class _Refused(Exception):  # noqa: N818 - not an error: how a handler stops expat
    """A document type or entity declaration."""


class Prose:
    """Paragraphs and tables of documents and slides.

    Args:
        everything: take all character data, not only that of text runs (OpenDocument, properties).
    """

    def __init__(self, *, everything: bool = False) -> None:
        self.out: list[str] = []
        self._everything = everything
        self._runs = 0
        self._cells: list[int] = []  # cells begun in the open row, per nesting of tables
        self._in_cell = 0
        self._dirty = False  # text of an element that is no paragraph stands on the open line

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Element begins."""
        kind = name.rpartition(":")[2]
        if kind in _RUNS:
            self._runs += 1
        elif kind == "tab":
            self.out.append("\t")
        elif kind in _BREAKS:
            self.out.append("\n")
        elif kind == "s" and self._everything:
            self.out.append(" ")
        elif kind in _ROWS:
            self._cells.append(0)
        elif kind in _CELLS:
            self._in_cell += 1
            if self._cells:
                if self._cells[-1]:
                    self.out.append("\t" * min(self._cells[-1], _MOST_COLUMNS))
                repeated = attributes.get("table:number-columns-repeated", "1")
                self._cells[-1] = int(repeated) if repeated.isascii() and repeated.isdigit() else 1

    def end(self, name: str) -> None:
        """Element ends."""
        kind = name.rpartition(":")[2]
        if kind in _RUNS:
            self._runs -= 1
        if kind in _LINES or (self._dirty and not self._in_cell and kind not in _INLINE):
            self.out.append(" " if self._in_cell else "\n")
            self._dirty = False
        elif kind in _CELLS:
            self._in_cell = max(0, self._in_cell - 1)
        elif kind in _ROWS:
            if self._cells:
                self._cells.pop()
            self.out.append("\n")

    def characters(self, data: str) -> None:
        """Character data."""
        if self._runs > 0:
            self.out.append(data)
        elif self._everything and not (data.isspace() and "\n" in data):  # else it only lays out the markup
            self.out.append(data)
            self._dirty = True


class Sheet:
    """Rows of a worksheet, cells aligned to their columns by tabs (ECMA-376 part 1 section 18.3)."""

    def __init__(self, strings: list[str]) -> None:
        self.out: list[str] = []
        self._strings = strings
        self._kind = ""
        self._value: list[str] | None = None
        self._column = 0
        self._next = 0
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Element begins."""
        kind = name.rpartition(":")[2]
        if kind == "c":
            self._kind = attributes.get("t", "n")
            reference = attributes.get("r", "")
            self._next = column_of(reference) if reference else self._next
            self._text = ""
        elif kind in {"v", "t"}:
            self._value = []
        elif kind == "row":
            self._column = self._next = 0

    def end(self, name: str) -> None:
        """Element ends."""
        kind = name.rpartition(":")[2]
        if kind in {"v", "t"} and self._value is not None:
            self._text += "".join(self._value)
            self._value = None
        elif kind == "c":
            if self._text:
                self.out.append("\t" * (self._next - self._column))
                self.out.append(self._resolved())
                self._column = max(self._column, self._next)
            self._next += 1
        elif kind == "row":
            self.out.append("\n")

    def characters(self, data: str) -> None:
        """Character data; more than a cell can hold is not a cell's and goes out as it is."""
        if self._value is None:
            return
        if len(self._value) < _LONGEST_CELL:
            self._value.append(data)
        else:
            self.out.append(data)

    def _resolved(self) -> str:
        if self._kind == "s":
            place = int(self._text) if self._text.isascii() and self._text.isdigit() else -1
            return self._strings[place] if 0 <= place < len(self._strings) else ""
        if self._kind == "n":
            return number(self._text)
        return self._text.translate(_BLANK)


class Strings:
    """Shared strings of a workbook (section 18.4), until `most` characters are kept; `full` says that more came."""

    def __init__(self, most: int) -> None:
        self.out: list[str] = []
        self.full = False
        self.strings: list[str] = []
        self._left = most
        self._parts: list[str] = []
        self._open = False
        self._phonetic = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Element begins."""
        kind = name.rpartition(":")[2]
        if kind == "si":
            self._parts = []
        elif kind == "rPh":
            self._phonetic = True
        elif kind == "t":
            self._open = not self._phonetic

    def end(self, name: str) -> None:
        """Element ends."""
        kind = name.rpartition(":")[2]
        if kind == "t":
            self._open = False
        elif kind == "rPh":
            self._phonetic = False
        elif kind == "si":
            value = "".join(self._parts).translate(_BLANK)
            self._left -= 64  # what a string costs besides its characters
            self.full = self.full or self._left < 0
            if not self.full:
                self.strings.append(value)

    def characters(self, data: str) -> None:
        """Character data."""
        if self._open and not self.full:
            self._left -= len(data)
            self.full = self._left < 0
            self._parts.append(data)


class Elements:
    """Attributes of the elements of one local name, for workbooks and relationships."""

    def __init__(self, wanted: str) -> None:
        self.out: list[str] = []
        self.found: list[dict[str, str]] = []
        self._wanted = wanted

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Element begins."""
        if name.rpartition(":")[2] == self._wanted and len(self.found) < _MOST_COLUMNS:
            self.found.append(attributes)

    def end(self, name: str) -> None:
        """Element ends."""

    def characters(self, data: str) -> None:
        """Character data."""


class Reading:
    """Outcome of `text`."""

    __slots__ = ("damaged",)

    def __init__(self) -> None:
        self.damaged = False


def text(source: Iterable[bytes], machine: Any, reading: Reading) -> Iterator[bytes]:
    """UTF-8 text that `machine` makes of the XML in `source`."""
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = machine.start
    parser.EndElementHandler = machine.end
    parser.CharacterDataHandler = machine.characters
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    out: list[str] = machine.out
    for piece in source:
        if reading.damaged:
            yield piece
            continue
        try:
            parser.Parse(piece, False)
        except (xml.parsers.expat.ExpatError, _Refused, ValueError):
            reading.damaged = True
            yield from _taken(out)
            yield piece[max(0, parser.ErrorByteIndex - (parser.CurrentByteIndex - len(piece))) :] or piece
            continue
        if len(out) > _FLUSH:
            yield from _taken(out)
    if not reading.damaged:
        try:
            parser.Parse(b"", True)
        except (xml.parsers.expat.ExpatError, _Refused, ValueError):
            reading.damaged = True
    yield from _taken(out)


def _taken(out: list[str]) -> Iterator[bytes]:
    whole = "".join(out).encode("utf-8", "replace")
    out.clear()
    if whole:
        yield whole


def _refuse(*_: Any) -> None:
    raise _Refused


def column_of(reference: str) -> int:
    """`C5` → 2, bounded by the columns a sheet may have."""
    column = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    return min(max(column - 1, 0), _MOST_COLUMNS)


def number(value: str) -> str:
    """Numbers as people see them: `1.3812345678E10` is a mobile number that lost its face."""
    if "E" in value or "e" in value or value.endswith(".0"):
        try:
            plain = float(value)
        except ValueError:
            return value
        if abs(plain) < 1e18 and plain == int(plain):
            return str(int(plain))
    return value
