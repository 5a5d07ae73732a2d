"""Reader of ZIP archives (PKWARE APPNOTE 6.3) for formats that are one inside: total on any bytes.

`entries(file)` yields what the central directory lists; where that is cut off or lies, the local headers are walked
instead. `read(file, entry, state)` yields a member's bytes. Names follow bit 11, the Unicode path field, else GB18030
where it fits (Chinese archivers), else code page 437.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from sensor.content import decompress
from sensor.content.decompress import PIECE, State

_LOCAL: Final = struct.Struct("<4s5H3L2H")  # APPNOTE 4.3.7
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_END: Final = struct.Struct("<4s4H2LH")  # 4.3.16
_END64: Final = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR64: Final = struct.Struct("<4sLQL")  # 4.3.15
_END_REACH: Final = 65535 + _END.size + _LOCATOR64.size
_METHODS: Final = {0: "stored", 8: "deflate", 12: "bzip2", 14: "lzma", 20: "zstd", 93: "zstd", 95: "xz"}
_FULL: Final = 0xFFFFFFFF


class Entry(msgspec.Struct):
    """One member. `method` is empty when it is not supported; `packed` is -1 where the header does not say."""

    name: str
    method: str
    encrypted: bool
    packed: int
    size: int
    data_at: int


def entries(file: Any, listing: State | None = None) -> Iterator[Entry]:
    """Members in the order of the central directory, folders left out; then, if it breaks off, by local headers.

    `listing.finished` says at the end that the central directory was whole.
    """
    seen: set[int] = set()
    whole = yield from _listed(file, seen)
    if listing is not None:
        listing.finished = whole
    if not whole:
        yield from _walked(file, seen)


def read(file: Any, entry: Entry, state: State) -> Iterator[bytes]:
    """Decoded bytes; `state.damaged` is set when they end too early."""
    source = decompress.chunks(file, entry.data_at, entry.packed)
    yield from decompress.stream(entry.method, source, state)
    if entry.method == "stored" and state.consumed < entry.packed:
        state.damaged = True


def _at(file: Any, place: int, size: int) -> bytes:
    file.seek(place)
    return bytes(file.read(size))


def _listed(file: Any, seen: set[int]) -> Any:
    """Entries of the central directory; returns whether it was whole."""
    length = file.seek(0, 2)
    reach = min(length, _END_REACH)
    tail = _at(file, length - reach, reach)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        return False
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, place)
    end_at = length - reach + place
    if _FULL in {size, offset} or count == 0xFFFF:
        locator = tail[max(0, place - _LOCATOR64.size) : place]
        if len(locator) == _LOCATOR64.size and locator.startswith(b"PK\x06\x07"):
            end64_at = _LOCATOR64.unpack(locator)[2]
            end64 = _at(file, end64_at, _END64.size) if end64_at < length else b""
            if len(end64) == _END64.size and end64.startswith(b"PK\x06\x06"):
                count, size, offset = _END64.unpack(end64)[7:10]
                end_at = end64_at
    shift = max(0, end_at - size - offset)  # bytes put before the archive (self-extractors)
    at = offset + shift
    for _ in range(count):
        if at >= length:
            return False
        head = _at(file, at, _CENTRAL.size)
        if len(head) < _CENTRAL.size or head[:4] != b"PK\x01\x02":
            return False
        _, _, _, flags, method, _, _, _, packed, plain, names, extras, notes, _, _, _, local = _central(head)
        names_raw = _at(file, at + _CENTRAL.size, names)
        extra = _at(file, at + _CENTRAL.size + names, extras)
        at += _CENTRAL.size + names + extras + notes
        plain, packed, local = _wide(extra, plain, packed, local)
        local += shift
        header = _at(file, local, _LOCAL.size) if local < length else b""
        if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
            return False
        seen.add(local)
        more = _LOCAL.unpack(header)
        if plain or not names_raw.endswith(b"/"):
            data_at = local + _LOCAL.size + more[9] + more[10]
            yield _entry(names_raw, extra, flags, method, packed, plain, data_at)
    return True


def _central(head: bytes) -> tuple[Any, ...]:
    return _CENTRAL.unpack(head)


def _walked(file: Any, seen: set[int]) -> Iterator[Entry]:
    """Entries by their local headers, wherever one is found."""
    at = 0
    while (at := _find(file, at, (b"PK\x03\x04",))) >= 0:
        head = _at(file, at, _LOCAL.size)
        if len(head) < _LOCAL.size:
            return
        _, _, flags, method, _, _, _, packed, plain, names, extras = _LOCAL.unpack(head)
        data_at = at + _LOCAL.size + names + extras
        names_raw = _at(file, at + _LOCAL.size, names)
        extra = _at(file, at + _LOCAL.size + names, extras)
        plain, packed, _ = _wide(extra, plain, packed, 0)
        if flags & 8 and not packed:
            stop = _find(file, data_at, (b"PK\x07\x08", b"PK\x03\x04", b"PK\x01\x02"))
            # Deflate finds its own end; a signature inside compressed bytes must not cut it off.
            packed = -1 if method != 0 else (stop if stop >= 0 else file.seek(0, 2)) - data_at
        if at not in seen and not names_raw.endswith(b"/") and names_raw:
            yield _entry(names_raw, extra, flags, method, packed, plain, data_at)
        at = data_at + max(packed, 0)


def _find(file: Any, at: int, signatures: tuple[bytes, ...]) -> int:
    """First place from `at` on where one of the 4-byte signatures stands, or -1."""
    while True:
        window = _at(file, at, PIECE)
        places = [place for place in map(window.find, signatures) if place >= 0]
        if places:
            return at + min(places)
        if len(window) < PIECE:
            return -1
        at += PIECE - 3


def _wide(extra: bytes, plain: int, packed: int, local: int) -> tuple[int, int, int]:
    """Sizes and offset, from the ZIP64 field where the short ones are full (APPNOTE 4.5.3)."""
    body = _extra(extra, 0x0001)
    values = [int.from_bytes(body[at : at + 8], "little") for at in range(0, len(body) - 7, 8)]
    taken = iter(values)
    plain = next(taken, plain) if plain == _FULL else plain
    packed = next(taken, packed) if packed == _FULL else packed
    local = next(taken, local) if local == _FULL else local
    return plain, packed, local


def _extra(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _entry(raw: bytes, extra: bytes, flags: int, method: int, packed: int, plain: int, data_at: int) -> Entry:
    return Entry(_name(raw, extra, flags), _METHODS.get(method, ""), bool(flags & 1), packed, plain, data_at)


def _name(raw: bytes, extra: bytes, flags: int) -> str:
    unicode_path = _extra(extra, 0x7075)[5:]  # version, CRC-32 of the other name, UTF-8
    for candidate, charset in ((unicode_path, "utf-8"), (raw, "utf-8" if flags & 0x800 else "ascii"), (raw, "utf-8")):
        if candidate:
            try:
                return candidate.decode(charset)
            except UnicodeDecodeError:
                continue
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("cp437")
