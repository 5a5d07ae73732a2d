"""Sorted address ranges with a code each, looked up in columns.

A `Ranges` covers one address family without holes: range i runs from `start[i]` to the next start. IPv4 starts are
uint32; IPv6 starts are two uint64 halves. Lookups cost one gather per IPv4 address (a table of all /24, finer ones
fall back to a binary search) and one binary search per IPv6 address.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Index = npt.NDArray[np.intp]

MIXED: Final = 255  # a /24 that is not all one code
CLEAR: Final = 254  # in ranges laid over others: look through
V4_END: Final = 1 << 32
V6_END: Final = 1 << 128
_HALF: Final = (1 << 64) - 1


class Ranges4:
    """IPv4 ranges."""

    def __init__(self, start: U32, code: U8) -> None:
        self.start, self.code = start, code
        self._blocks: U8 | None = None

    @classmethod
    def clear(cls) -> "Ranges4":
        """Nothing but CLEAR, to paint on."""
        return cls(np.zeros(1, np.uint32), np.full(1, CLEAR, np.uint8))

    def paint(self, low: int, high: int, code: int) -> "Ranges4":
        """The same ranges with [low, high) overwritten."""
        first, after = (int(np.searchsorted(self.start, at, "left")) for at in (low, min(high, V4_END - 1)))
        if high >= V4_END:
            after = len(self.start)
        tail = high < V4_END and (after >= len(self.start) or int(self.start[after]) != high)
        middle = [low, high] if tail else [low]
        codes = [code, int(self.code[after - 1])] if tail else [code]
        return Ranges4(
            np.concatenate((self.start[:first], np.array(middle, np.uint32), self.start[after:])),
            np.concatenate((self.code[:first], np.array(codes, np.uint8), self.code[after:])),
        )

    def under(self, top: "Ranges4") -> "Ranges4":
        """These ranges where `top` is CLEAR, `top` elsewhere; one merge however many ranges `top` has."""
        at = np.searchsorted(self.start, top.start, "right") - 1
        new = self.start[at] != top.start
        start = np.insert(self.start, at[new] + 1, top.start[new])
        below = np.insert(self.code, at[new] + 1, self.code[at[new]])
        above = top.code[np.searchsorted(top.start, start, "right") - 1]
        return Ranges4(start, np.where(above == CLEAR, below, above))

    def codes(self, address: U32) -> U8:
        """Code of each address."""
        if self._blocks is None:
            self._blocks = self._table()
        out: U8 = self._blocks[address >> np.uint32(8)]
        fine = out == MIXED
        if fine.any():
            out[fine] = self.code[np.searchsorted(self.start, address[fine], "right") - 1]
        return out

    def _table(self) -> U8:
        """All /24: the code of those that lie in one range, MIXED for the others."""
        block = (self.start >> np.uint32(8)).astype(np.int64)
        inner = np.flatnonzero(self.start & np.uint32(0xFF))  # starts inside a block make it mixed
        sizes = np.diff(np.append((self.start.astype(np.int64) + 255) >> 8, 1 << 24))
        table: U8 = np.repeat(self.code, np.maximum(sizes, 0))
        table[block[inner]] = MIXED
        return table


class Ranges6:
    """IPv6 ranges."""

    def __init__(self, high: U64, low: U64, code: U8) -> None:
        self.high, self.low, self.code = high, low, code

    @classmethod
    def clear(cls) -> "Ranges6":
        """Nothing but CLEAR, to paint on."""
        return cls(np.zeros(1, np.uint64), np.zeros(1, np.uint64), np.full(1, CLEAR, np.uint8))

    def _place(self, address: int) -> int:
        """Index of the first range that starts at or after an address."""
        high, low = np.uint64(address >> 64), np.uint64(address & _HALF)
        first, after = (int(np.searchsorted(self.high, high, side)) for side in ("left", "right"))
        return first + int(np.searchsorted(self.low[first:after], low, "left"))

    def paint(self, low: int, high: int, code: int) -> "Ranges6":
        """The same ranges with [low, high) overwritten."""
        first = self._place(low)
        after = len(self.high) if high >= V6_END else self._place(high)
        known = after < len(self.high) and int(self.high[after]) << 64 | int(self.low[after]) == high
        tail = high < V6_END and not known
        starts = [low, high] if tail else [low]
        codes = [code, int(self.code[after - 1])] if tail else [code]
        return Ranges6(
            np.concatenate((self.high[:first], np.array([at >> 64 for at in starts], np.uint64), self.high[after:])),
            np.concatenate((self.low[:first], np.array([at & _HALF for at in starts], np.uint64), self.low[after:])),
            np.concatenate((self.code[:first], np.array(codes, np.uint8), self.code[after:])),
        )

    def under(self, top: "Ranges6") -> "Ranges6":
        """These ranges where `top` is CLEAR, `top` elsewhere."""
        at = self._index(top.high, top.low)
        new = (self.high[at] != top.high) | (self.low[at] != top.low)
        high = np.insert(self.high, at[new] + 1, top.high[new])
        low = np.insert(self.low, at[new] + 1, top.low[new])
        below = np.insert(self.code, at[new] + 1, self.code[at[new]])
        above = top.codes(high, low)
        return Ranges6(high, low, np.where(above == CLEAR, below, above))

    def codes(self, high: U64, low: U64) -> U8:
        """Code of each address."""
        found: U8 = self.code[self._index(high, low)]
        return found

    def _index(self, high: U64, low: U64) -> Index:
        """Index of the range that holds each address."""
        at: Index = np.searchsorted(self.high, high, "right") - 1
        over = np.flatnonzero((self.high[at] == high) & (self.low[at] > low))
        if len(over):  # several ranges start within one /64: bisect their low halves
            wanted, after = low[over], at[over]
            before: Index = np.searchsorted(self.high, high[over], "left") - 1
            while (after - before > 1).any():
                middle = (before + after) // 2
                starts_before = self.low[middle] <= wanted
                # `before` itself may lie in an earlier /64, its low half says nothing: it is only ever moved up
                inside = middle > before
                before = np.where(inside & starts_before, middle, before)
                after = np.where(inside & ~starts_before, middle, after)
            at[over] = before
        return at
