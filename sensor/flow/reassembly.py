"""Plain reassembly, packet by packet: the road for whatever is not in order, and the oracle of the fast one.

In: segments of TCP flows at unwrapped positions, in the order they were captured. Out: slices in stream order.
Cost: O(log held) per segment. Invariants:
- a byte is handed on once, or counted in `drops_total{reason}`;
- bytes handed on never change (overlap policies decide between held segments only);
- *causality*: a segment that acknowledges bytes of the other direction is handed on after those bytes, so a
  request stands before its response even where the mirror saw them the other way round;
- nothing waits for ever: a gap is declared when the receiver has acknowledged the missing bytes and enough packets
  or time have passed, when no receiver is in the capture and time has passed, when a cap bites, or when the flow ends.
Whether a hole's patience is over is decided from the flow's own packets, never from batch borders.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sensor.clock import NANOS
from sensor.counters import Counters
from sensor.flow.flow import UNKNOWN, Flow
from sensor.flow.overlap import Piece, Policy, insert
from sensor.flow.slices import FlowEnd, StreamSlice

NEVER: Final = 1 << 63
SILENT_SEGMENTS: Final = 1024  # held in a one-way capture before the hole is given up without waiting for time


class Repair:
    """What one flow holds while something is missing or odd. All pairs are by side.

    Attributes:
        held: pieces beyond the expected place, or waiting for the other direction; sorted, disjoint.
        held_bytes: captured bytes in `held`, both sides.
        acked: how far the receiver says it has this side's stream, or UNKNOWN.
        fins: places where a FIN was announced beyond the expected place.
        lost_fin: the receiver acknowledged one more than all bytes: a FIN the capture has not shown.
        last_ns: time of the side's last packet since this Repair exists.
        since_ns: when the side's hole appeared or last shrank; 0 where there is none.
        count: packets of the flow since then.
        mark: the side's expected place when last looked at.
        stray: (next place, how many) of segments out of the window that follow each other.
        early: packets of a flow whose beginning is not known yet (see tcp.py).
    """

    __slots__ = (
        "acked",
        "count",
        "early",
        "fins",
        "held",
        "held_bytes",
        "last_ns",
        "lost_fin",
        "mark",
        "since_ns",
        "stray",
    )

    def __init__(self, flow: Flow) -> None:
        self.held: tuple[list[Piece], list[Piece]] = ([], [])
        self.held_bytes = 0
        self.acked = [UNKNOWN, UNKNOWN]
        self.fins: tuple[set[int], set[int]] = (set(), set())
        self.lost_fin = [False, False]
        self.last_ns = [0, 0]
        self.since_ns = [0, 0]
        self.count = [0, 0]
        self.mark = list(flow.next)
        self.stray: list[tuple[int, int] | None] = [None, None]
        self.early: list[tuple[int, int, int, int, bytes, int, int, int]] = []

    def hole(self, flow: Flow, side: int) -> bool:
        """Bytes of this side are known to be missing."""
        expected = flow.next[side]
        if expected < 0 or flow.closed[side]:
            return False
        held = self.held[side]
        if held:  # what stands at the expected place only waits for the other direction
            return held[0].start > expected
        acked = self.acked[side]
        return acked > expected and not (self.lost_fin[side] and acked == expected + 1)

    def is_idle(self, flow: Flow) -> bool:
        """Nothing held, nothing missing: the flow may take the fast road again."""
        return (
            not self.early
            and not self.held[0]
            and not self.held[1]
            and (self.acked[0] <= flow.next[0] or flow.closed[0])
            and (self.acked[1] <= flow.next[1] or flow.closed[1])
            and not self.fins[0]
            and not self.fins[1]
            and self.stray == [None, None]
        )


class Reassembly:
    """Places segments, hands on what is contiguous, declares gaps.

    `out` collects (row, item): row is the packet's place in the batch, for ordering between flows.
    """

    def __init__(
        self, limits: Mapping[str, int], counters: Counters, policy: Policy, note: Callable[[Flow, str, int], None]
    ) -> None:
        self.out: list[tuple[int, StreamSlice | FlowEnd]] = []
        self.row = 0
        self.waiting: dict[Flow, None] = {}  # flows with a Repair, longest first
        self.held_total = 0
        self._policy: Policy = policy
        self.counters = counters
        self.note = note
        self._flow_cap = limits["reassembly_flow_bytes"]
        self._total_cap = limits["reassembly_total_bytes"]
        self._reorder = limits["reassembly_reorder_packets"]
        self._hold_ns = limits["reassembly_hold_s"] * NANOS
        self._retransmit_ns = limits["reassembly_retransmit_s"] * NANOS
        self.window = limits["reassembly_window_bytes"]

    # ------------------------------------------------------------ in
    def repair(self, flow: Flow) -> Repair:
        """The flow's Repair, made when it has none."""
        repair = flow.repair
        if repair is None:
            repair = flow.repair = Repair(flow)
            self.waiting[flow] = None
        return repair

    def drop(self, reason: str, size: int) -> None:
        """Count payload that is not handed on."""
        if size:
            self.counters["drops_total", reason] += size

    def place(
        self, flow: Flow, side: int, at: int, data: bytes | memoryview, missing: int, need: int, ts_ns: int, frame: int
    ) -> None:
        """Take a segment: `data` at `at`, then `missing` bytes the snap length cut."""
        repair = self.repair(flow)
        expected = flow.next[side]
        end = at + len(data)
        if flow.closed[side]:
            if end > expected:
                self.note(flow, "tcp_data_after_fin", ts_ns)
                self.drop("tcp_after_fin", len(data))
            else:
                self.drop("tcp_retransmitted", len(data))
            return
        if at < expected and data:
            old = min(expected, end) - at
            self.drop("tcp_retransmitted", old)
            data = data[old:]
            at += old
        if data:
            self._put(flow, repair, side, Piece(at, end, data, need, ts_ns, frame), ts_ns)
        if missing and end + missing > expected:
            self._put(flow, repair, side, Piece(max(end, expected), end + missing, None, need, ts_ns, frame), ts_ns)

    def _put(self, flow: Flow, repair: Repair, side: int, piece: Piece, ts_ns: int) -> None:
        held = repair.held[side]
        if not held and piece.start == flow.next[side] and self._ready(flow, repair, side, piece):
            self._hand_on(flow, repair, side, piece)
            return
        if piece.data is not None:
            piece.data = bytes(piece.data)
            size = len(piece.data)
            lost, differs = insert(held, piece, self._policy)
            self.drop("tcp_overlap", lost)
            self.hold(repair, size - lost)
            if differs:
                self.note(flow, "tcp_overlap_differs", ts_ns)
        else:
            insert(held, piece, self._policy)

    def hold(self, repair: Repair, size: int) -> None:
        """Count bytes as held (or, below zero, as no longer held)."""
        repair.held_bytes += size
        self.held_total += size

    def has_room(self) -> bool:
        """Less than half of the total cap is used."""
        return self.held_total * 2 < self._total_cap

    def move(self, flow: Flow, side: int, at: int, ts_ns: int) -> None:
        """The stream of one side goes on at `at`, far from where it was expected."""
        repair = self.repair(flow)
        self.drain(flow)
        self._shed(flow, repair, ts_ns, -1)
        if flow.closed[side]:
            return
        self._gap(flow, side, max(at - flow.next[side], 1), ts_ns, UNKNOWN)
        flow.next[side] = at
        repair.acked[side] = UNKNOWN
        repair.fins[side].clear()
        repair.stray[side] = None

    # ------------------------------------------------------------ out
    def _ready(self, flow: Flow, repair: Repair, side: int, piece: Piece) -> bool:
        """Causality: the other direction has come as far as the sender of this piece had read."""
        peer = 1 - side
        other = flow.next[peer]
        if piece.need <= other or other < 0 or flow.closed[peer]:
            return True
        return repair.lost_fin[peer] and piece.need == other + 1

    def _hand_on(self, flow: Flow, repair: Repair, side: int, piece: Piece) -> None:
        flow.next[side] = piece.end
        repair.stray[side] = None
        repair.lost_fin[side] = False
        if piece.data is None:
            self._gap(flow, side, piece.end - piece.start, piece.ts_ns, piece.frame)
        else:
            self.out.append((self.row, StreamSlice(flow, side, piece.data, 0, piece.ts_ns, piece.frame)))

    def _gap(self, flow: Flow, side: int, size: int, ts_ns: int, frame: int) -> None:
        flow.gap_bytes[side ^ flow.swapped] += size
        self.note(flow, "tcp_gap", ts_ns)
        self.out.append((self.row, StreamSlice(flow, side, b"", size, ts_ns, frame)))

    def drain(self, flow: Flow) -> None:
        """Hand on everything that has become contiguous, of both sides; reach FINs."""
        repair = flow.repair
        moved = repair is not None
        while moved and repair is not None:
            moved = False
            for side in (0, 1):
                held = repair.held[side]
                while held and held[0].start <= flow.next[side] and self._ready(flow, repair, side, held[0]):
                    piece = held.pop(0)
                    if piece.data is not None:
                        self.hold(repair, -len(piece.data))
                    self._hand_on(flow, repair, side, piece)
                    moved = True
                fins = repair.fins[side]
                if fins and not (held and held[0].start == flow.next[side]):
                    if flow.next[side] in fins:
                        self._close(flow, repair, side)
                        moved = True
                    fins.difference_update([place for place in fins if place < flow.next[side]])
            if not moved:
                moved = self._untie(flow, repair)

    def _untie(self, flow: Flow, repair: Repair) -> bool:
        """Each direction waits for the other, which real acknowledgements never do: let the older piece go first."""
        tied = [held[0] for held, place in zip(repair.held, flow.next, strict=True) if held and held[0].start <= place]
        if len(tied) < len(repair.held):
            return False
        min(tied, key=lambda piece: (piece.ts_ns, piece.frame)).need = UNKNOWN
        return True

    def _close(self, flow: Flow, repair: Repair, side: int) -> None:
        """The FIN is reached: what is held beyond it is not of the stream."""
        flow.next[side] += 1
        flow.closed[side] = True
        held = repair.held[side]
        if held:
            size = sum(len(piece.data) for piece in held if piece.data is not None)
            self.hold(repair, -size)
            self.drop("tcp_after_fin", size)
            self.note(flow, "tcp_data_after_fin", held[-1].ts_ns)
            held.clear()

    # ------------------------------------------------------------ patience
    def look(self, flow: Flow, ts_ns: int) -> None:
        """Declare the gaps whose patience is over at `ts_ns`.

        They are dated, and the patience with the next hole begins, at the flow's newest packet: who looks when
        must not show.
        """
        repair = flow.repair
        if repair is None:
            return
        while True:
            deadline, side = min((self._deadline_ns(flow, repair, side), side) for side in (0, 1))
            if deadline >= ts_ns:
                return
            self._declare(flow, repair, side, flow.last_ns)
            self._restart(flow, repair, flow.last_ns)

    def _deadline_ns(self, flow: Flow, repair: Repair, side: int) -> int:
        """Until when the side's hole is awaited."""
        since = repair.since_ns[side]
        if not since or not repair.hole(flow, side):
            return NEVER
        acked = repair.acked[side] > flow.next[side]
        silent = repair.last_ns[1 - side] < since
        if (acked and repair.count[side] >= self._reorder) or (silent and len(repair.held[side]) >= SILENT_SEGMENTS):
            return -1  # enough packets: now
        return since + (self._hold_ns if acked or silent else self._retransmit_ns)

    def _declare(self, flow: Flow, repair: Repair, side: int, ts_ns: int) -> None:
        """Give up the side's first hole."""
        held = repair.held[side]
        expected = flow.next[side]
        target = repair.acked[side]
        if held and (target <= expected or held[0].start < target):
            target = held[0].start
        target = min([target, *(place for place in repair.fins[side] if place >= expected)])
        if target == expected + 1 and not held and target not in repair.fins[side]:
            repair.lost_fin[side] = True  # FINs count one: the last "byte" may be one
        else:
            flow.next[side] = target
            self._gap(flow, side, target - expected, ts_ns, UNKNOWN)
        self.drain(flow)

    def _restart(self, flow: Flow, repair: Repair, ts_ns: int) -> None:
        for side in (0, 1):
            if not repair.hole(flow, side):
                repair.since_ns[side] = 0
            elif not repair.since_ns[side] or repair.mark[side] != flow.next[side]:
                repair.since_ns[side] = ts_ns
                repair.count[side] = 0
            repair.mark[side] = flow.next[side]

    def settle(self, flow: Flow, ts_ns: int) -> None:
        """After a packet: hand on, apply the caps, count patience, and let the flow off the hook if all is well."""
        self.drain(flow)
        repair = flow.repair
        if repair is None:
            return
        if repair.held_bytes > self._flow_cap:
            self.note(flow, "tcp_flow_cap", ts_ns)
            self._shed(flow, repair, ts_ns, self._flow_cap)
        self._restart(flow, repair, ts_ns)
        repair.count[0] += 1
        repair.count[1] += 1
        if repair.is_idle(flow):
            self.forget(flow)
        while self.held_total > self._total_cap:
            oldest = next((one for one in self.waiting if one.repair is not None and one.repair.held_bytes), None)
            if oldest is None or oldest.repair is None:
                return
            self.note(oldest, "tcp_total_cap", ts_ns)
            self._shed(oldest, oldest.repair, ts_ns, 0)
            self._restart(oldest, oldest.repair, ts_ns)
            if oldest.repair.is_idle(oldest):
                self.forget(oldest)

    def _shed(self, flow: Flow, repair: Repair, ts_ns: int, down_to: int) -> None:
        """Give up holes until no more than `down_to` bytes are held."""
        while repair.held_bytes > down_to and (repair.hole(flow, 0) or repair.hole(flow, 1)):
            for side in (0, 1):
                if repair.hole(flow, side):
                    self._declare(flow, repair, side, ts_ns)

    def flush(self, flow: Flow, ts_ns: int) -> None:
        """The flow ends: hand on what is held, with its gaps."""
        repair = flow.repair
        if repair is None:
            return
        self.drain(flow)
        self._shed(flow, repair, ts_ns, -1)
        self.forget(flow)

    def forget(self, flow: Flow) -> None:
        """No repair any more."""
        flow.repair = None
        self.waiting.pop(flow, None)
