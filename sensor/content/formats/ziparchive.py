"""ZIP archives: stored, deflate, bzip2, LZMA, xz and zstd members, ZIP64, names in GBK (PKWARE APPNOTE 6.3)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sensor.content import zipped
from sensor.content.decompress import State
from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _unpack(file: Any, _limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    found = False
    listing = State()
    for entry in zipped.entries(file, listing):
        found = True
        if entry.encrypted:
            yield Refusal("zip_encrypted", entry.name, size=max(entry.packed, 1))
        elif not entry.method:
            yield Refusal("zip_method_unknown", entry.name, size=max(entry.packed, 1))
        else:
            state = State()
            yield Member(entry.name, zipped.read(file, entry, state))
            if state.damaged:
                yield Refusal("zip_damaged", entry.name)
    if not found and not listing.finished:
        yield Refusal("zip_damaged", "")


FORMAT = FormatSpec(
    name="zip",
    magic=_magic,
    unpack=_unpack,
    specificity=10,
    limits=(),
    anomalies=(
        AnomalyKind(
            "zip_encrypted",
            "medium",
            "A member of a ZIP archive is encrypted; its name was searched, its content cannot be.",
            "Ask the sender; encrypted archives that leave are listed in the blind-spot table.",
        ),
        AnomalyKind(
            "zip_method_unknown",
            "low",
            "A member of a ZIP archive is compressed in a way that is not known here.",
            "None needed; its bytes are counted as not inspected.",
        ),
        AnomalyKind(
            "zip_damaged",
            "low",
            "A ZIP archive or a member of it is cut off or broken; what could be read was searched.",
            "Look at the capture's loss counters; else the sender's archive is broken.",
        ),
    ),
    doc="ZIP archives with their members in any supported method; broken directories are walked by local headers.",
)
