"""Office Open XML (ECMA-376): workbooks as rows of text, documents and slides as paragraphs, everything else as it is.

Sheets come by their names, header row first, cells between tabs, so that column names become context. Embedded files,
pictures and parts that are not understood are members like those of any archive.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from sensor.content import zipped
from sensor.content.decompress import State
from sensor.content.officexml import Elements, Prose, Reading, Sheet, Strings, text
from sensor.content.zipped import Entry
from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal
from sensor.limits import Limit

_FIRST: Final = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"word/", b"ppt/", b"customXml/")
_PROSE: Final = (
    "word/document",
    "word/header",
    "word/footer",
    "word/footnotes",
    "word/endnotes",
    "word/comments",
    "ppt/slides/slide",
    "ppt/notesSlides/",
    "ppt/comments/",
    "xl/comments",
    "xl/threadedComments/",
    "xl/drawings/drawing",
)
_TEXT: Final = "text/tab-separated-values"


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    return head.startswith(b"PK\x03\x04") and head[30:].startswith(_FIRST)


def _unpack(file: Any, limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    most = limits["ooxml_parts"]
    entries = list(islice(zipped.entries(file), most + 1))
    if len(entries) > most:
        yield Refusal("ooxml_too_many_parts", "", size=sum(max(entry.packed, 0) for entry in entries[most:]))
    if not entries:
        yield Refusal("ooxml_damaged", "")
    entries = entries[:most]
    by_name = {entry.name: entry for entry in entries}
    meter = _Meter(file, limits["ooxml_xml_bytes"])
    titles = _titles(meter, by_name)
    strings = Strings(limits["ooxml_strings_bytes"])
    for entry in entries:
        if _readable(entry) and entry.name == "xl/sharedStrings.xml":
            reading, state = Reading(), State()
            for _ in text(meter.read(entry, state), strings, reading):
                if strings.full:
                    break
            if strings.full:
                yield Refusal("ooxml_strings_full", "")
            if strings.full or reading.damaged or state.damaged:
                yield from _plain(meter, entry)
    for entry in entries:
        if meter.left <= 0:
            yield Refusal("ooxml_too_much", entry.name, size=max(entry.packed, 1))
        elif entry.encrypted or not entry.method:
            yield Refusal("ooxml_damaged", entry.name, size=max(entry.packed, 1))
        elif entry.name.startswith("xl/worksheets/sheet") and entry.name.endswith(".xml"):
            yield from _text(meter, entry, Sheet(strings.strings), titles.get(entry.name, entry.name))
        elif entry.name == "xl/sharedStrings.xml":
            continue
        elif entry.name.startswith(_PROSE) and entry.name.endswith(".xml"):
            yield from _text(meter, entry, Prose(), entry.name)
        elif entry.name.startswith("docProps/") and entry.name.endswith(".xml"):
            yield from _text(meter, entry, Prose(everything=True), entry.name)
        else:
            yield from _plain(meter, entry)


class _Meter:
    """Reads parts and counts what was unpacked: XML may cost much and yield little text."""

    def __init__(self, file: Any, left: int) -> None:
        self._file = file
        self.left = left

    def read(self, entry: Entry, state: State) -> Iterator[bytes]:
        for piece in zipped.read(self._file, entry, state):
            self.left -= len(piece)
            yield piece
            if self.left <= 0:
                state.damaged = True
                return


def _readable(entry: Entry) -> bool:
    return bool(entry.method) and not entry.encrypted


def _text(meter: _Meter, entry: Entry, machine: Any, path: str) -> Iterator[Member | Refusal]:
    reading, state = Reading(), State()
    yield Member(path, text(meter.read(entry, state), machine, reading), _TEXT, "utf-8", is_text=True)
    if reading.damaged or state.damaged:
        yield Refusal("ooxml_damaged", path)


def _plain(meter: _Meter, entry: Entry) -> Iterator[Member | Refusal]:
    state = State()
    markup = entry.name.endswith((".xml", ".rels"))
    media_type = "application/xml" if markup else ""
    yield Member(entry.name, meter.read(entry, state), media_type, "utf-8" if markup else "", is_text=markup)
    if state.damaged:
        yield Refusal("ooxml_damaged", entry.name)


def _titles(meter: _Meter, by_name: Mapping[str, Entry]) -> dict[str, str]:
    """Worksheet part → the name people gave it; empty where the workbook cannot be read."""
    targets: dict[str, str] = {}
    for row in _elements(meter, by_name.get("xl/_rels/workbook.xml.rels"), "Relationship"):
        target = row.get("Target", "")
        targets[row.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    rows = _elements(meter, by_name.get("xl/workbook.xml"), "sheet")
    return {targets.get(row.get("r:id", ""), ""): row["name"] for row in rows if row.get("name")}


def _elements(meter: _Meter, entry: Entry | None, wanted: str) -> list[dict[str, str]]:
    machine = Elements(wanted)
    if entry is not None and _readable(entry):
        for _ in text(meter.read(entry, State()), machine, Reading()):
            pass
    return machine.found


FORMAT = FormatSpec(
    name="ooxml",
    magic=_magic,
    unpack=_unpack,
    specificity=20,
    limits=(
        Limit(
            "ooxml_strings_bytes",
            48 << 20,
            "bytes",
            "truncate",
            "ooxml_strings_full",
            "Shared strings of one workbook kept to fill its cells; beyond it they are searched without their rows.",
        ),
        Limit(
            "ooxml_xml_bytes",
            512 << 20,
            "bytes",
            "truncate",
            "ooxml_too_much",
            "Bytes unpacked from one office file, markup included.",
        ),
        Limit(
            "ooxml_parts",
            10_000,
            "count",
            "truncate",
            "ooxml_too_many_parts",
            "Parts of one office file that are read.",
        ),
    ),
    anomalies=(
        AnomalyKind(
            "ooxml_damaged",
            "low",
            "An office file or a part of it is cut off, broken, or declares entities; what could be read was searched.",
            "Look at the capture's loss counters; else the sender's file is broken.",
        ),
        AnomalyKind(
            "ooxml_strings_full",
            "low",
            "A workbook has more shared strings than are kept; they were searched, but not in their rows.",
            "Raise ooxml_strings_bytes if memory allows.",
        ),
        AnomalyKind(
            "ooxml_too_much",
            "medium",
            "An office file unpacks to more markup than is read; the rest was left out.",
            "Look at the sender; raise ooxml_xml_bytes if such files are usual here.",
        ),
        AnomalyKind(
            "ooxml_too_many_parts",
            "low",
            "An office file has more parts than are read.",
            "Raise ooxml_parts if such files are usual here.",
        ),
    ),
    doc="Workbooks (cells in rows), documents, slides, their comments, headers and properties; embedded files.",
)
