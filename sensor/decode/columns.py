"""Reading headers of many packets at once, and the column sets that travel through decode.

`gather` is the one door to packet bytes: it copies a header of fixed width for each position into a structured array
(about 8 ns per packet; a field costs 1-2 ns more to read). No position is ever outside the arena's `[0, len]`, and
bytes beyond the arena read as zero; whether a header lies inside *its packet* is the caller's check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from sensor.batch import I32, I64, U8, U16, U32, U64

Mask: TypeAlias = npt.NDArray[np.bool_]
Rowset: TypeAlias = Mask | npt.NDArray[np.intp]
Table: TypeAlias = npt.NDArray[np.void]

NEVER: Final = np.uint64(1 << 63)  # bit of `ident`: not compared with other packets (its fragments were)


def layout(width: int, **fields: tuple[str, int]) -> np.dtype[Any]:
    """The dtype of a header: its width in bytes, and name = (format, byte offset)."""
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": width})


def gather(arena: U8, pos: I64, header: np.dtype[Any]) -> Table:
    """One `header` for each position, copied; zero where the arena has ended."""
    width = header.itemsize
    last = len(arena) - width
    if last >= 0 and (not len(pos) or int(pos.max()) <= last):
        windows: Table = np.ndarray((last + 1,), np.dtype((np.void, width)), arena.data, 0, (1,))
        return windows[pos].view(header)
    out = np.zeros(len(pos), np.dtype((np.void, width)))
    inside = pos <= last
    if inside.any():
        out[inside] = gather(arena, pos[inside], header).view(out.dtype)
    raw = out.view(np.uint8).reshape(-1, width)
    for row in np.flatnonzero(~inside):
        rest = arena[pos[row] : pos[row] + width]
        raw[row, : len(rest)] = rest
    return out.view(header)


class Columns:
    """A set of columns of one length."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(getattr(self, self.__slots__[0]))

    def take(self, rows: Rowset) -> Self:
        """The rows selected by a mask or an index array."""
        return type(self)(*(getattr(self, name)[rows] for name in self.__slots__))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one after the other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


@dataclass(slots=True)
class Front(Columns):
    """Packets on their way through the layers.

    Attributes:
        packet: int64[n], row of the batch.
        pos: int64[n], where the next header begins in the arena.
        end: int64[n], end of the captured bytes.
        wire: int64[n], where the bytes on the wire ended (≥ end), in the same coordinates.
        kind: int32[n], what stands at `pos`: an EtherType or a kind of `iana`.
    """

    packet: I64
    pos: I64
    end: I64
    wire: I64
    kind: I32


@dataclass(slots=True)
class Packets(Columns):
    """IP packets: header read, payload to come.

    Attributes:
        packet, pos, end, wire: as in Front; `pos` is the first byte behind the headers read so far.
        src_hi, src_lo, dst_hi, dst_lo: uint64[n], as in sensor.batch.Headers.
        proto: int32[n], protocol number of what stands at `pos`.
        six: bool[n], IPv6.
        ident: uint64[n], IP identification << 16 (0 for IPv6), or NEVER.
    """

    packet: I64
    pos: I64
    end: I64
    wire: I64
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    proto: I32
    six: Mask
    ident: U64


@dataclass(slots=True)
class Pieces(Columns):
    """IP fragments.

    Attributes:
        packet, pos, end, wire, src_hi, src_lo, dst_hi, dst_lo, proto, six: as in Packets, `pos` behind the fragment header.
        id: uint32[n], identification.
        start: int64[n], place of the first byte in the datagram.
        more: bool[n], not the last fragment.
    """

    packet: I64
    pos: I64
    end: I64
    wire: I64
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    proto: I32
    six: Mask
    id: U32
    start: I64
    more: Mask


@dataclass(slots=True)
class Rows(Columns):
    """Finished rows: the columns of sensor.batch.Headers that come from headers, and `ident`.

    Attributes:
        ident: uint64[n], IP identification << 16 | transport checksum, or NEVER: tells copies of a packet from
            retransmissions.
    """

    packet: I64
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    proto: U8
    sport: U16
    dport: U16
    flags: U8
    seq: U32
    ack: U32
    payload: I64
    length: I64
    missing: I64
    ident: U64
