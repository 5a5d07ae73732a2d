"""The columns being filled for one batch, and unaligned big-endian reads into its arena.

A `Work` is a set of rows at the same layer: row numbers, the position of the layer's first byte, the end of what was
captured of it. Handlers turn a Work into Works of the next layers; rows that end here are finished or dropped by name.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensor.batch import I64, U8, U16, U32, U64

Mask = npt.NDArray[np.bool_]
TAGGED: Final = np.uint32(1 << 31)


class Work(NamedTuple):
    """Rows at one layer; int64 columns of equal length."""

    rows: I64
    pos: I64
    end: I64

    def pick(self, mask: Mask) -> "Work":
        """The rows where `mask` holds."""
        return Work(self.rows[mask], self.pos[mask], self.end[mask])

    def skip(self, size: I64 | int) -> "Work":
        """The same rows, `size` bytes further."""
        return Work(self.rows, self.pos + size, self.end)


def _overlapping(arena: U8, kind: str, width: int) -> npt.NDArray[np.unsignedinteger]:
    """A view with one item per byte offset, so that any offset can be gathered at once."""
    count = max(len(arena) - width + 1, 0)
    return np.ndarray((count,), kind, buffer=arena.data, strides=(1,))


class Table:
    """Columns of one batch, one row per frame; filled by the layer handlers.

    Attributes:
        done: rows that reached a transport.
        fragments: Works of IP fragments, with their version, waiting for reassembly.
        drops: reason → rows dropped.
    """

    def __init__(self, arena: U8, count: int) -> None:
        self.bind(arena)
        self.src_hi: U64 = np.zeros(count, np.uint64)
        self.src_lo: U64 = np.zeros(count, np.uint64)
        self.dst_hi: U64 = np.zeros(count, np.uint64)
        self.dst_lo: U64 = np.zeros(count, np.uint64)
        self.proto: U8 = np.zeros(count, np.uint8)
        self.ip_id: U32 = np.zeros(count, np.uint32)
        self.wire_end: I64 = np.zeros(count, np.int64)
        self.vlan: U32 = np.zeros(count, np.uint32)
        self.sport: U16 = np.zeros(count, np.uint16)
        self.dport: U16 = np.zeros(count, np.uint16)
        self.flags: U8 = np.zeros(count, np.uint8)
        self.seq: U32 = np.zeros(count, np.uint32)
        self.ack: U32 = np.zeros(count, np.uint32)
        self.payload: I64 = np.zeros(count, np.int64)
        self.length: I64 = np.zeros(count, np.int64)
        self.missing: I64 = np.zeros(count, np.int64)
        self.done: Mask = np.zeros(count, bool)
        self.fragments: list[tuple[int, Work]] = []
        self.drops: dict[str, int] = {}

    def bind(self, arena: U8) -> None:
        """Read from this arena from now on."""
        self.arena = arena
        self._u16 = _overlapping(arena, ">u2", 2)
        self._u32 = _overlapping(arena, ">u4", 4)
        self._u64 = _overlapping(arena, ">u8", 8)

    def u8(self, at: I64) -> I64:
        """Bytes as int64."""
        return self.arena[at].astype(np.int64)

    def u16(self, at: I64) -> I64:
        """Big-endian 16-bit fields as int64."""
        return self._u16[at].astype(np.int64)

    def u32(self, at: I64) -> I64:
        """Big-endian 32-bit fields as int64."""
        return self._u32[at].astype(np.int64)

    def u64(self, at: I64) -> U64:
        """Big-endian 64-bit fields."""
        return self._u64[at].astype(np.uint64)

    def drop(self, reason: str, count: int) -> None:
        """Count rows that end here."""
        if count:
            self.drops[reason] = self.drops.get(reason, 0) + count

    def need(self, work: Work, size: int, reason: str) -> Work:
        """The rows with at least `size` bytes left; the others are dropped."""
        fits = work.end - work.pos >= size
        if fits.all():
            return work
        self.drop(reason, int(len(fits) - np.count_nonzero(fits)))
        return work.pick(fits)

    def tag(self, rows: I64, identifier: I64) -> None:
        """Note a VLAN id: the first two on the way in, outermost first (sensor.batch.Headers.vlan)."""
        old = self.vlan[rows]
        value = (identifier & 0xFFF).astype(np.uint32)
        second = np.where((old >> np.uint32(12)) & np.uint32(0xFFF) == 0, old | (value << np.uint32(12)), old)
        self.vlan[rows] = np.where(old & TAGGED != 0, second, value | TAGGED)
