"""IP fragments put together again (RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722).

In: fragments in capture order. Out: whole datagrams. Overlaps of IPv4 follow the policy of the receiver's system; an
overlapping IPv6 datagram is dropped (RFC 5722 section 3), exact repeats are ignored. Capped in total and per datagram;
what times out by packet time is counted. Plain Python: fragments are rare.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    Limit(
        "fragments_total_bytes",
        32 << 20,
        "bytes",
        "drop-oldest",
        "fragments_memory",
        "Bytes of incomplete IP datagrams held; then the oldest datagram is given up.",
    ),
    Limit(
        "fragments_per_datagram",
        1000,
        "count",
        "skip",
        "fragments_too_many",
        "Fragments of one datagram; a whole one of 65,535 bytes needs at most 8,192, usual ones below 50.",
    ),
    Limit(
        "fragments_timeout",
        30,
        "seconds",
        "drop-oldest",
        "fragments_timed_out",
        "Packet time an incomplete datagram is waited for (RFC 1122 section 3.3.2 asks for 60 to 120, Linux takes 30).",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "fragments_memory",
        "medium",
        "Too many incomplete IP datagrams; the oldest were given up.",
        "Usual cause: loss on the mirror port, or an attack. Raise fragments_total_bytes if memory allows.",
    ),
    AnomalyKind(
        "fragments_too_many",
        "medium",
        "A datagram came in absurdly many fragments; it was given up.",
        "Look at the sender: tiny fragments are a way to evade inspection.",
    ),
    AnomalyKind(
        "fragments_timed_out",
        "low",
        "A datagram stayed incomplete; its fragments were dropped.",
        "Usual cause: loss on the mirror port.",
    ),
    AnomalyKind(
        "fragments_overlap",
        "medium",
        "Fragments of one datagram overlap with different bytes.",
        "A way to evade inspection; the policy flow.overlap decided which bytes were inspected.",
    ),
)
MAX_DATAGRAM: Final = 65535


class Fragment(NamedTuple):
    """One fragment: `start` within the datagram's payload, `last` when no more follow."""

    key: tuple[int, ...]
    start: int
    data: bytes
    last: bool
    proto: int
    ts_ns: int


class _Datagram:
    __slots__ = ("count", "end", "pieces", "proto", "size", "spoilt", "ts_ns")

    def __init__(self, ts_ns: int) -> None:
        self.pieces: list[tuple[int, bytes]] = []  # in order of arrival
        self.end = -1
        self.proto = 0
        self.size = self.count = 0
        self.ts_ns = ts_ns
        self.spoilt = False


class Fragments:
    """Incomplete datagrams of one capture."""

    def __init__(self, total: int, per_datagram: int, timeout_s: int, policy: str) -> None:
        self._total, self._per, self._timeout_ns, self._policy = total, per_datagram, timeout_s * 10**9, policy
        self._open: OrderedDict[tuple[int, ...], _Datagram] = OrderedDict()
        self._held = 0
        self.dropped = 0  # fragments that will never be part of a datagram
        self.anomalies: list[str] = []

    def add(self, fragment: Fragment) -> tuple[int, bytes] | None:
        """Take one fragment; returns (protocol, payload) when it completes its datagram."""
        self._expire(fragment.ts_ns)
        whole = self._open.get(fragment.key)
        if whole is None:
            whole = self._open[fragment.key] = _Datagram(fragment.ts_ns)
        if fragment.start + len(fragment.data) > MAX_DATAGRAM or whole.count >= self._per:
            self.anomalies.append("fragments_too_many")
            whole.spoilt = True
        whole.count += 1
        if whole.spoilt:
            return None
        if self._overlaps(whole, fragment):
            self.anomalies.append("fragments_overlap")
            if fragment.key[0] == 6:
                whole.spoilt = True
                return None
        whole.pieces.append((fragment.start, fragment.data))
        whole.size += len(fragment.data)
        self._held += len(fragment.data)
        if fragment.start == 0:
            whole.proto = fragment.proto
        if fragment.last:
            whole.end = fragment.start + len(fragment.data)
        while self._held > self._total and len(self._open) > 1:
            self._give_up(next(iter(self._open)), "fragments_memory")
        return self._complete(fragment.key, whole)

    def finish(self) -> None:
        """End of input."""
        for key in list(self._open):
            self._give_up(key, "fragments_timed_out")

    def _expire(self, now_ns: int) -> None:
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if now_ns - oldest.ts_ns <= self._timeout_ns:
                return
            self._give_up(key, "fragments_timed_out")

    def _give_up(self, key: tuple[int, ...], anomaly: str) -> None:
        gone = self._open.pop(key)
        self._held -= gone.size
        self.dropped += gone.count
        if not gone.spoilt:
            self.anomalies.append(anomaly)

    @staticmethod
    def _overlaps(whole: _Datagram, new: Fragment) -> bool:
        """Whether bytes already there differ from the new ones."""
        stop = new.start + len(new.data)
        for start, data in whole.pieces:
            low, high = max(start, new.start), min(start + len(data), stop)
            if low < high and data[low - start : high - start] != new.data[low - new.start : high - new.start]:
                return True
        return False

    def _complete(self, key: tuple[int, ...], whole: _Datagram) -> tuple[int, bytes] | None:
        if whole.end < 0:
            return None
        reach = 0
        for start, data in sorted(whole.pieces, key=lambda piece: piece[0]):
            if start > reach:
                return None
            reach = max(reach, start + len(data))
        if reach < whole.end:
            return None
        del self._open[key]
        self._held -= whole.size
        out = bytearray(whole.end)
        for start, data in self._layered(whole.pieces):
            room = whole.end - start
            out[start : start + min(len(data), max(room, 0))] = data[: max(room, 0)]
        self.dropped += whole.count - 1  # merged into the one row that completed it
        return whole.proto, bytes(out)

    def _layered(self, pieces: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Pieces in the order of writing: what is written later wins.

        first: the earliest arrival wins. last: the latest. linux: the one that starts earlier wins, on equal starts the
        latest arrival. windows: the earliest arrival wins (Novak 2005, "Target-Based Fragmentation Reassembly").
        """
        if self._policy == "last":
            return pieces
        if self._policy == "linux":
            return sorted(pieces, key=lambda piece: -piece[0])
        return pieces[::-1]
