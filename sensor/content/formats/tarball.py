"""tar archives: POSIX ustar and pax (IEEE 1003.1 pax), GNU long names; sparse files as they are stored."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sensor.content.decompress import State, chunks
from sensor.content.partheader import text
from sensor.interfaces import AnomalyKind, FormatSpec, Member, Refusal

_BLOCK: Final = 512
_LONGEST_NAME: Final = 65536  # bytes read of a long name or of pax records


def _magic(head: bytes, _media_type: str, _name: str) -> bool:
    return head[257:262] == b"ustar" and _checksum(head[:_BLOCK])


def _unpack(file: Any, _limits: Mapping[str, int]) -> Iterator[Member | Refusal]:
    at = 0
    long_name = ""
    while True:
        file.seek(at)
        block = bytes(file.read(_BLOCK))
        if len(block) < _BLOCK:
            if block.strip(b"\0"):
                yield Refusal("tar_damaged", "")
            return
        if not block.strip(b"\0"):
            return
        size = _number(block[124:136])
        if size is None or not _checksum(block):
            yield Refusal("tar_damaged", "")
            return
        kind = block[156:157]
        at += _BLOCK
        if kind == b"L":
            long_name = text(_head_of(file, at, size).rstrip(b"\0"))
        elif kind in {b"x", b"g"}:
            long_name = _pax_path(_head_of(file, at, size)) or long_name
        else:
            name, long_name = long_name or _name(block), ""
            if kind in b"\x000789" or size:
                state = State()
                yield Member(name, _counted(file, at, size, state))
                if state.damaged:
                    yield Refusal("tar_damaged", name)
                    return
        at += -(-size // _BLOCK) * _BLOCK


def _counted(file: Any, at: int, size: int, state: State) -> Iterator[bytes]:
    for piece in chunks(file, at, size):
        state.consumed += len(piece)
        yield piece
    state.damaged = state.consumed < size


def _head_of(file: Any, at: int, size: int) -> bytes:
    file.seek(at)
    return bytes(file.read(min(size, _LONGEST_NAME)))


def _name(block: bytes) -> str:
    name = text(block[:100].partition(b"\0")[0])
    prefix = text(block[345:500].partition(b"\0")[0]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _pax_path(records: bytes) -> str:
    """`LENGTH path=VALUE` + LF records."""
    while records:
        length, _, rest = records.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not int(length):
            return ""
        record = records[: int(length)]
        records = records[int(length) :]
        key, _, value = record[len(length) + 1 :].partition(b"=")
        if key == b"path":
            return text(value.removesuffix(b"\n"))
        if not rest:
            return ""
    return ""


def _number(field: bytes) -> int | None:
    """Octal text, or base 256 when the first bit is set (GNU)."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big") if field[1:4] == b"\0\0\0" else None
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if all(48 <= digit <= 55 for digit in digits) else None


def _checksum(block: bytes) -> bool:
    stated = _number(block[148:156]) if len(block) == _BLOCK else None
    return stated == sum(block[:148]) + 8 * 32 + sum(block[156:])


FORMAT = FormatSpec(
    name="tar",
    magic=_magic,
    unpack=_unpack,
    specificity=15,
    limits=(),
    anomalies=(
        AnomalyKind(
            "tar_damaged",
            "low",
            "A tar archive is cut off or broken; the members before that place were searched.",
            "Look at the capture's loss counters; else the sender's archive is broken.",
        ),
    ),
    doc="tar archives (ustar, pax, GNU), plain or inside a compressed file.",
)
