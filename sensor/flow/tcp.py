"""TCP's own rules, packet by packet: handshake, roles, acknowledgements, FIN, RST, port reuse, mid-stream pick-up.

In: one segment of a known flow. Out: slices through `Reassembly`, FlowEnd when both directions are closed.
Source: RFC 9293; RFC 5961 for which resets a receiver believes. Decisions:
- a RST counts when its number is one the receiver may expect; it ends the flow only if its sender then stays silent
  (`flow_linger_s`), for forged resets are common at borders and must not blind the sensor;
- a FIN counts when the stream reaches its place; one that the stream runs past was noise;
- a flow that begins without SYN is held for a few packets, so that a mirror's shuffling of the first ones does no harm.
"""

from typing import Final

from sensor.flow.flow import UNKNOWN, Flow
from sensor.flow.reassembly import Reassembly
from sensor.flow.slices import FlowEnd, StreamSlice

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16

BASE: Final = 1 << 32  # first positions stand here, so that what lies before them is not negative
_MASK: Final = BASE - 1
_HALF: Final = 1 << 31
_EARLY_PACKETS: Final = 8  # of a flow without SYN held until its beginning is taken as known …
_EARLY_NS: Final = 200_000_000  # … or for so long
_LATE_SYN_BYTES: Final = 1 << 20  # a SYN so little before the first byte seen is that stream's own, shuffled
_LATE_SYN_PACKETS: Final = 64
_STRAYS: Final = 3  # segments out of the window that follow each other: the stream is there now
_FINS: Final = 4  # places where a FIN may be announced at once; more is noise


def _has_started(flow: Flow) -> bool:
    """Bytes were handed on."""
    return flow.next[0] - flow.isn[0] > 1 or flow.next[1] - flow.isn[1] > 1


def unwrap(number: int, near: int) -> int:
    """The position with the low 32 bits `number` nearest to `near`."""
    return near + ((number - near + _HALF) & _MASK) - _HALF


class Tcp:
    """Follows TCP flows one segment at a time."""

    def __init__(self, reassembly: Reassembly) -> None:
        self._reassembly = reassembly

    # ------------------------------------------------------------ the flow's life
    def is_reuse(self, flow: Flow, side: int, seq: int, flags: int) -> bool:
        """This SYN begins another connection on the same addresses and ports."""
        if not flags & SYN:
            return False
        repair = flow.repair
        if not flow.settled and repair is not None:
            places = [unwrap(one[1], seq) - seq for one in repair.early if one[0] == side]
            if not places or 0 <= min(places) <= _LATE_SYN_BYTES:
                return False
            self._begin(flow)
        isn = flow.isn[side]
        if isn == UNKNOWN:
            return bool(flow.ended_by) and not flags & ACK
        ahead = (isn - seq) & _MASK
        if ahead == 0:
            return False
        is_late = flow.midstream and ahead <= _LATE_SYN_BYTES and sum(flow.packets) <= _LATE_SYN_PACKETS
        return not is_late

    def end(self, flow: Flow, reason: str, ts_ns: int, row: int) -> None:
        """Flush and end a flow; nothing if it has ended."""
        if flow.ended_by:
            return
        self._reassembly.row = row
        if not flow.settled:
            self._begin(flow)
        self._reassembly.flush(flow, ts_ns)
        flow.ended_by = "fin" if flow.closed[0] and flow.closed[1] else reason
        self._reassembly.counters["flow_ends_total", flow.ended_by] += 1
        self._reassembly.out.append((row, FlowEnd(flow, ts_ns)))

    def look(self, flow: Flow, ts_ns: int) -> None:
        """Time has passed: give up what was awaited too long."""
        repair = flow.repair
        if repair is not None and repair.early and ts_ns - repair.early[0][6] > _EARLY_NS:
            self._begin(flow)
            self._reassembly.settle(flow, flow.last_ns)
        self._reassembly.look(flow, ts_ns)
        if flow.repair is not None and flow.repair.is_idle(flow):
            self._reassembly.forget(flow)
        self._end_if_closed(flow, flow.last_ns)

    def _end_if_closed(self, flow: Flow, ts_ns: int) -> None:
        """Both directions have come to their FIN."""
        lost = flow.repair.lost_fin if flow.repair is not None else (False, False)
        if (flow.closed[0] or lost[0]) and (flow.closed[1] or lost[1]):
            self.end(flow, "fin", ts_ns, self._reassembly.row)

    # ------------------------------------------------------------ packets
    def packet(
        self,
        flow: Flow,
        side: int,
        seq: int,
        ack: int,
        flags: int,
        data: bytes | memoryview,
        missing: int,
        ts_ns: int,
        frame: int,
        row: int,
    ) -> None:
        """One segment, `look` done. Never raises, whatever the numbers are."""
        reassembly = self._reassembly
        reassembly.row = row
        if flow.ended_by:
            reassembly.drop("tcp_after_end", len(data))
            return
        if flags & SYN:
            self._syn(flow, side, seq, ack, flags)
        if flow.settled:
            self._segment(flow, side, seq, ack, flags, data, missing, ts_ns, frame)
        elif not self._hold_early(flow, side, seq, ack, flags, data, missing, ts_ns, frame):
            return
        repair = flow.repair
        if repair is not None:
            repair.last_ns[side] = ts_ns
            reassembly.settle(flow, ts_ns)
        self._end_if_closed(flow, ts_ns)

    def _syn(self, flow: Flow, side: int, seq: int, ack: int, flags: int) -> None:
        """Roles and beginnings by the handshake."""
        flow.midstream = False
        if flow.roles_guessed:
            flow.roles_guessed = False
            sender_is_client = not flags & ACK
            if sender_is_client != (side == flow.swapped) and not _has_started(flow):
                flow.flip()
        if flow.next[side] < 0:
            flow.isn[side] = BASE + seq
            flow.next[side] = BASE + seq + 1
        if flags & ACK and flow.next[1 - side] < 0:
            flow.next[1 - side] = BASE + ack
            flow.isn[1 - side] = BASE + ack - 1
        if not flow.settled:
            self._begin(flow)

    def _hold_early(
        self,
        flow: Flow,
        side: int,
        seq: int,
        ack: int,
        flags: int,
        data: bytes | memoryview,
        missing: int,
        ts_ns: int,
        frame: int,
    ) -> bool:
        """Keep a packet of a flow whose beginning is not known; True when it has just become known."""
        repair = self._reassembly.repair(flow)
        repair.early.append((side, seq, ack, flags, bytes(data), missing, ts_ns, frame))
        self._reassembly.hold(repair, len(data))
        if len(repair.early) < _EARLY_PACKETS and self._reassembly.has_room() and not flags & RST:
            return False
        self._begin(flow)
        return True

    def _begin(self, flow: Flow) -> None:
        """Take the lowest numbers seen as the beginning, where no SYN told it, and replay what was held."""
        flow.settled = True
        repair = flow.repair
        if repair is None:
            return
        early, repair.early = repair.early, []
        self._reassembly.hold(repair, -sum(len(one[4]) for one in early))
        for side in (0, 1):
            if flow.next[side] >= 0:
                continue
            mine = [one for one in early if one[0] == side and not one[3] & RST]
            mine = [one for one in mine if one[4] or one[5] or one[3] & FIN] or mine  # not from keep-alive probes
            if mine:
                near = BASE + mine[0][1]
                places = [unwrap(one[1], near) for one in mine]
                flow.next[side] = min(place for place in places if near - place <= self._reassembly.window)
                flow.isn[side] = flow.next[side] - 1
        for one in early:
            if flow.ended_by:
                self._reassembly.drop("tcp_after_end", len(one[4]))
            else:
                self._segment(flow, *one)

    def _segment(
        self,
        flow: Flow,
        side: int,
        seq: int,
        ack: int,
        flags: int,
        data: bytes | memoryview,
        missing: int,
        ts_ns: int,
        frame: int,
    ) -> None:
        """A segment of a flow whose beginning is known."""
        reassembly = self._reassembly
        size = len(data)
        if flags & RST:
            reassembly.drop("tcp_rst_payload", size)
            self._reset(flow, side, seq, ack, flags, ts_ns)
            return
        expected = flow.next[side]
        if expected < 0:
            expected = flow.next[side] = BASE + seq
            flow.isn[side] = expected - 1
        at = unwrap(seq, expected) + bool(flags & SYN)
        peer = 1 - side
        need = UNKNOWN
        if flags & ACK and flow.next[peer] >= 0:
            told = unwrap(ack, flow.next[peer])
            if flow.next[peer] < told <= flow.next[peer] + reassembly.window:
                need = told
                repair = reassembly.repair(flow)
                repair.acked[peer] = max(repair.acked[peer], told)
        if not size and not missing and not flags & FIN:
            return
        if flow.reset_by == side and at + size > expected >= at:
            flow.reset_by = UNKNOWN  # who really resets does not go on
            reassembly.note(flow, "tcp_rst_ignored", ts_ns)
        if flow.repair is None and at == expected and not missing and not flags & FIN and not flow.closed[side]:
            flow.next[side] = at + size
            reassembly.out.append((reassembly.row, StreamSlice(flow, side, data, 0, ts_ns, frame)))
            return
        if abs(at - expected) > reassembly.window and not self._is_new_place(flow, side, at, size + missing, ts_ns):
            reassembly.drop("tcp_out_of_window", size)
            reassembly.note(flow, "tcp_out_of_window", ts_ns)
            return
        if size or missing:
            reassembly.place(flow, side, at, data, missing, need, ts_ns, frame)
        place = at + size + missing
        if flags & FIN and place >= flow.next[side] and not flow.closed[side]:
            fins = reassembly.repair(flow).fins[side]
            if len(fins) < _FINS:
                fins.add(place)

    def _is_new_place(self, flow: Flow, side: int, at: int, size: int, ts_ns: int) -> bool:
        """Far off the expected place; True when enough such segments followed each other: the stream moved on."""
        reassembly = self._reassembly
        repair = reassembly.repair(flow)
        stray = repair.stray[side]
        count = stray[1] + 1 if stray is not None and stray[0] == at else 1
        if not size:
            return False
        if count < _STRAYS:
            repair.stray[side] = at + size, count
            return False
        reassembly.move(flow, side, at, ts_ns)
        return True

    def _reset(self, flow: Flow, side: int, seq: int, ack: int, flags: int, ts_ns: int) -> None:
        expected, peer = flow.next[side], 1 - side
        if expected < 0:  # the answer to a SYN that nobody listens to
            other = flow.next[peer]
            believed = other < 0 or (bool(flags & ACK) and unwrap(ack, other) == other)
        else:
            places = {expected}
            repair = flow.repair
            if repair is not None:
                places.add(repair.acked[side])
                places.update(piece.end for piece in repair.held[side])
                places.update(place + 1 for place in repair.fins[side])
            believed = unwrap(seq, expected) in places
        if not believed:
            self._reassembly.note(flow, "tcp_rst_ignored", ts_ns)
        elif _has_started(flow) or flow.repair is not None:
            flow.reset_by = side
        else:
            self.end(flow, "rst", ts_ns, self._reassembly.row)
