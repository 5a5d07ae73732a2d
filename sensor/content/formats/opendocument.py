"""OpenDocument (ISO/IEC 26300) and OFD (GB/T 33190): both ZIP archives of XML whose visible text is drawn out.

OpenDocument: `content.xml`, `styles.xml` (headers, footers) and `meta.xml`, paragraphs as lines, table cells between
tabs. OFD, the format of Chinese electronic invoices and official documents: the text codes of every page. Other parts
are members like those of any archive.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sensor.content import zipped
from sensor.content.decompress import State
from sensor.content.officexml import Prose, Reading, text
from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal
from sensor.limits import Limit

_ODF: Final = frozenset({"content.xml", "styles.xml", "meta.xml"})


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    if not head.startswith(b"PK\x03\x04"):
        return False
    rest = head[30:]
    return rest.startswith((b"OFD.xml", b"Doc_0/")) or (
        rest.startswith(b"mimetype") and b"application/vnd.oasis.opendocument" in rest[:128]
    )


def _unpack(file: Any, limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    left = limits["opendocument_xml_bytes"]
    found = False
    for entry in zipped.entries(file):
        found = True
        if entry.encrypted or not entry.method:
            yield Refusal("opendocument_damaged", entry.name, size=max(entry.packed, 1))
            continue
        if left <= 0:
            yield Refusal("opendocument_too_much", entry.name, size=max(entry.packed, 1))
            continue
        state, reading = State(), Reading()
        counted = _Counted(zipped.read(file, entry, state), left)
        page = entry.name.endswith("/Content.xml")
        if entry.name in _ODF or page:
            machine = Prose(everything=not page)
            yield Member(entry.name, text(counted, machine, reading), "text/plain", "utf-8", is_text=True)
        else:
            markup = entry.name.endswith(".xml")
            kind = "application/xml" if markup else ""
            yield Member(entry.name, iter(counted), kind, "utf-8" if markup else "", is_text=markup)
        left = counted.left
        if state.damaged or reading.damaged or left <= 0:
            yield Refusal("opendocument_damaged", entry.name)
    if not found:
        yield Refusal("opendocument_damaged", "")


class _Counted:
    """Pieces until `left` bytes have passed: markup may cost much and yield little text."""

    def __init__(self, pieces: Iterator[bytes], left: int) -> None:
        self._pieces = pieces
        self.left = left

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.left -= len(piece)
            yield piece
            if self.left <= 0:
                return


FORMAT = FormatSpec(
    name="opendocument",
    magic=_magic,
    unpack=_unpack,
    specificity=20,
    limits=(
        Limit(
            "opendocument_xml_bytes",
            512 << 20,
            "bytes",
            "truncate",
            "opendocument_too_much",
            "Bytes unpacked from one OpenDocument or OFD file, markup included.",
        ),
    ),
    anomalies=(
        AnomalyKind(
            "opendocument_damaged",
            "low",
            "An OpenDocument or OFD file or a part of it is cut off, broken or encrypted; the rest was searched.",
            "Look at the capture's loss counters; else the sender's file is broken.",
        ),
        AnomalyKind(
            "opendocument_too_much",
            "medium",
            "An OpenDocument or OFD file unpacks to more markup than is read; the rest was left out.",
            "Look at the sender; raise opendocument_xml_bytes if such files are usual here.",
        ),
    ),
    doc="OpenDocument texts, sheets and slides; OFD documents such as Chinese electronic invoices.",
)
