"""Overlap policies: whose bytes win where two out-of-order segments claim the same place.

Bytes already handed on always win: every stack has given them to its application. Between held segments
- `first`: the one that came first; `last`: the one that came last;
- `linux`: the one that begins earlier; of two with one beginning the longer (net/ipv4/tcp_input.c, tcp_data_queue_ofo);
- `windows`: the one that begins earlier, else the first (the BSD family's rule; Novak and Sturges, "Target-Based TCP
  Stream Reassembly", 2007).
"""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import Final, Literal

Policy = Literal["first", "last", "linux", "windows"]


class Piece:
    """A held stretch of a stream: bytes, or (`data` None) bytes that were on the wire but not captured.

    `need` is the place in the other direction the sender had read up to when it sent this, or -1.
    """

    __slots__ = ("data", "end", "frame", "need", "start", "ts_ns")

    def __init__(
        self, start: int, end: int, data: bytes | memoryview | None, need: int, ts_ns: int, frame: int
    ) -> None:
        self.start = start
        self.end = end
        self.data = data
        self.need = need
        self.ts_ns = ts_ns
        self.frame = frame

    def part(self, start: int, end: int) -> "Piece":
        """The bytes from `start` to `end` as a piece of its own."""
        data = None if self.data is None else self.data[start - self.start : end - self.start]
        return Piece(start, end, data, self.need, self.ts_ns, self.frame)


_START: Final = attrgetter("start")
_NEWER_WINS: Final[dict[Policy, Callable[[Piece, Piece], bool]]] = {
    "first": lambda _new, _old: False,
    "last": lambda _new, _old: True,
    "linux": lambda new, old: new.start < old.start or (new.start == old.start and new.end > old.end),
    "windows": lambda new, old: new.start < old.start,
}


def insert(held: list[Piece], new: Piece, policy: Policy) -> tuple[int, bool]:
    """Put `new` into `held` (sorted, disjoint; stays so).

    Returns:
        Captured bytes that lost their place, and whether overlapping bytes differed.
    """
    low = max(0, bisect_left(held, new.start, key=_START) - 1)
    if low < len(held) and held[low].end <= new.start:
        low += 1
    high = bisect_left(held, new.end, key=_START)
    if low >= high:
        held.insert(low, new)
        return 0, False
    newer_wins = _NEWER_WINS[policy]
    kept: list[Piece] = []
    lost = 0
    differs = False
    at = new.start  # everything of `new` before this is placed or lost
    for old in held[low:high]:
        start, end = max(new.start, old.start), min(new.end, old.end)
        if new.data is not None and old.data is not None:
            ours, theirs = new.part(start, end).data, old.part(start, end).data
            differs = differs or ours != theirs
            wins = newer_wins(new, old)
        else:
            wins = old.data is None and new.data is not None
        if wins:
            lost += end - start if old.data is not None else 0
            if old.start < start:
                kept.append(old.part(old.start, start))
            kept.append(new.part(at, end))
            if old.end > end:
                kept.append(old.part(end, old.end))
        else:
            lost += end - start if new.data is not None else 0
            if at < start:
                kept.append(new.part(at, start))
            kept.append(old)
        at = end
    if at < new.end:
        kept.append(new.part(at, new.end))
    kept.sort(key=_START)
    held[low:high] = kept
    return lost, differs
