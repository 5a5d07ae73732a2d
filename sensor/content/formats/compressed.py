"""Single compressed files: gzip (RFC 1952), bzip2, xz, Zstandard (RFC 8878); all their members and frames joined."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sensor.content import decompress
from sensor.content.decompress import State
from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal

_KINDS: Final = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"(\xb5/\xfd", "zstd"),
)


def _kind(head: bytes) -> str:
    for signature, kind in _KINDS:
        if head.startswith(signature):
            return kind if kind != "bzip2" or head[4:10] == b"1AY&SY" else ""
    return ""


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    return bool(_kind(head))


def _unpack(file: Any, _limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    head = bytes(file.read(512))
    kind = _kind(head)
    if not kind:
        yield Refusal("compressed_damaged", "")
        return
    state = State()
    name = (_gzip_name(head) if kind == "gzip" else "") or "content"
    yield Member(name, decompress.stream(kind, decompress.chunks(file, 0), state))
    if state.damaged:
        yield Refusal("compressed_damaged", name, kind)


def _gzip_name(head: bytes) -> str:
    """The original file name of a gzip header, if it is there (FLG.FNAME)."""
    if len(head) < 12 or not head[3] & 8:
        return ""
    at = 10
    if head[3] & 4:
        at += 2 + int.from_bytes(head[10:12], "little")
    raw = head[at:].partition(b"\0")[0]
    for charset in ("utf-8", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


FORMAT = FormatSpec(
    name="compressed",
    magic=_magic,
    unpack=_unpack,
    specificity=10,
    limits=(),
    anomalies=(
        AnomalyKind(
            "compressed_damaged",
            "low",
            "A compressed file is cut off or broken; what could be unpacked was searched.",
            "Look at the capture's loss counters; else the sender's file is broken.",
        ),
    ),
    doc="Files compressed with gzip, bzip2, xz or Zstandard.",
)
