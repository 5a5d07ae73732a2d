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
V4_END: Final = 1 << 32
V6_END: Final = 1 << 128
_HALF: Final = (1 << 64) - 1


class Ranges4:
    """IPv4 ranges."""

    def __init__(self, start: U32, code: U8) -> None:
        self.start, self.code = start, code
        self._blocks: U8 | None = None

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

    def codes(self, high: U64, low: U64) -> U8:
        """Code of each address."""
        at = np.searchsorted(self.high, high, "right") - 1
        while True:  # several ranges may start within one /64: step back to the one that holds the address
            over = (self.high[at] == high) & (self.low[at] > low)
            if not over.any():
                found: U8 = self.code[at]
                return found
            at[over] -= 1
