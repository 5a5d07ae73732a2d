"""The flow table: 5-tuple (and VLAN) → Flow, fast road or plain road, ageing, eviction.

In: Headers of TCP and UDP packets, in capture order. Out: StreamSlice and FlowEnd, ordered by packet; within a flow
exactly in stream order. Cost: see group.py and runs.py; a flow out of order costs some Python per packet. Invariants:
- what comes out does not depend on how packets were cut into batches (but for the total caps);
- `payload_bytes_total = slice bytes + Σ drops_total{reason}` once `finish` was called; while running, what
  reassembly holds is the difference.
"""

import gc
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sensor.batch import Headers
from sensor.clock import NANOS, Clock
from sensor.counters import Counters
from sensor.flow.caps import ANOMALIES, LIMITS
from sensor.flow.flow import UNKNOWN, Flow
from sensor.flow.group import Groups, group
from sensor.flow.overlap import Policy
from sensor.flow.reassembly import Reassembly
from sensor.flow.runs import join, survey
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.flow.tcp import ACK, BASE, RST, SYN, Tcp
from sensor.model import PROTO_TCP, PROTO_UDP

__all__ = ["ANOMALIES", "LIMITS", "Flow", "FlowTable"]

_MASK: Final = BASE - 1
_HALF: Final = 1 << 31
_SWEEP_NS: Final = NANOS  # packet time between two looks at all flows
_EVICT_SHARE: Final = 16  # at the cap one flow in so many is ended, so that the search for them is rare


class FlowTable:
    """All flows of one worker."""

    def __init__(
        self,
        limits: Mapping[str, int],
        counters: Counters,
        clock: Clock,
        *,
        policy: Policy = "first",
        vlan_in_key: bool = False,
        fast: bool = True,
    ) -> None:
        """An empty table.

        Args:
            limits: values of the rows in LIMITS.
            counters: gets `payload_bytes_total`, `drops_total{reason}` (bytes), `flows_total{transport}`,
                `flow_ends_total{reason}` and `packets_without_flow_total`.
            clock: packet time; ages flows when `feed` gets an empty batch (live capture without traffic).
            policy: which bytes win where held segments overlap.
            vlan_in_key: the same addresses and ports in two VLANs are two flows.
            fast: False takes the plain road for everything (the tests' oracle).
        """
        self.anomalies: list[tuple[Flow, str, int]] = []  # (flow, name, ts_ns), once per flow and name; drain it
        self._counters = counters
        self._clock = clock
        self._vlan_in_key = vlan_in_key
        self._fast = fast
        self._flows: dict[bytes, Flow] = {}
        self._reassembly = Reassembly(limits, counters, policy, self._note)
        self._tcp = Tcp(self._reassembly)
        self._max_flows = limits["flows"]
        self._idle_ns = limits["flow_idle_tcp_s"] * NANOS, limits["flow_idle_udp_s"] * NANOS
        self._linger_ns = limits["flow_linger_s"] * NANOS
        self._earliest_ns = 0  # of the batch before: one odd timestamp does not age anything
        self._made = [0, 0]  # flows begun since last counted: UDP, TCP
        self._newest_ns = 0
        self._swept_ns = 0

    def __len__(self) -> int:
        """Flows remembered, ended ones that linger included."""
        return len(self._flows)

    # ------------------------------------------------------------ in and out
    def feed(self, headers: Headers, capture: str, first: int = 0) -> list[StreamSlice | FlowEnd]:
        """What the packets of a batch bring.

        Args:
            headers: TCP and UDP rows only.
            capture: name of the capture they come from.
            first: number of the batch's first frame in its capture.
        """
        # A batch makes tens of thousands of objects and no cycles: looking for some every 700 costs more than the work.
        collects = gc.isenabled()
        gc.disable()
        try:
            if len(headers):
                self._batch(headers, capture, first)
            else:
                self._sweep(self._clock.now_ns, 0)
            return self._taken()
        finally:
            if collects:
                gc.enable()

    def _batch(self, headers: Headers, capture: str, first: int) -> None:
        self._counters["payload_bytes_total",] += int(headers.length.sum())
        groups = group(headers, vlan_in_key=self._vlan_in_key)
        flows: list[Flow | None] = [None] * len(groups.keys)
        rest: list[int] = []
        ends: list[tuple[int, FlowEnd]] = []
        for fact in survey(headers, groups, self._idle_ns, self._linger_ns):
            number = fact[0]
            flow = None
            if self._fast and not fact[1]:
                key = groups.keys[number]
                known = self._flows.get(key)
                flow = self._begin(key, fact, capture, first) if known is None else self._follow(known, fact)
            if flow is None:
                rest.append(number)
                continue
            flows[number] = flow
            if flow.closed[0] and flow.closed[1]:
                flow.ended_by = "fin"
                ends.append((fact[19], FlowEnd(flow, fact[20])))
        out = self._reassembly.out
        join(headers, groups, flows, first, out)
        out.extend(ends)
        self._counters["flow_ends_total", "fin"] += len(ends)
        batch = _Batch(headers, groups, capture, first)
        bounds = [*groups.starts.tolist(), len(headers)]
        for number in rest:
            self._plain(batch, number, bounds[number], bounds[number + 1])
        earliest = int(headers.ts_ns.min())
        self._newest_ns = max(self._newest_ns, int(headers.ts_ns.max()))
        self._sweep(min(earliest, self._earliest_ns or earliest), len(headers))
        self._earliest_ns = earliest
        self._evict(len(headers))

    def finish(self) -> list[StreamSlice | FlowEnd]:
        """End of input: every flow ends, in the order of first packets."""
        living = [flow for flow in self._flows.values() if not flow.ended_by]
        for flow in sorted(living, key=lambda one: (one.first_ns, one.key)):
            is_silent = self._newest_ns - flow.last_ns > self._patience_ns(flow)
            reason = "rst" if flow.reset_by != UNKNOWN else "idle" if is_silent else "finish"
            self._end(flow, reason, 0, self._newest_ns)
        self._flows.clear()
        return self._taken()

    def _taken(self) -> list[StreamSlice | FlowEnd]:
        """What has come together, ordered by packet; a flow's items keep their order."""
        out = self._reassembly.out
        out.sort(key=itemgetter(0))
        items = [item for _, item in out]
        out.clear()
        for transport, made in zip(("udp", "tcp"), self._made, strict=True):
            if made:
                self._counters["flows_total", transport] += made
        self._made = [0, 0]
        return items

    # ------------------------------------------------------------ the fast road
    def _begin(self, key: bytes, fact: tuple[Any, ...], capture: str, first: int) -> Flow | None:
        """The flow of a group nobody has seen before; None if it does not begin with a handshake."""
        is_tcp, _, side, first_ns, last_ns, packets_0, packets_1, payload_0, payload_1 = fact[2:11]
        begin_0, begin_1, end_0, end_1, syn_0, syn_1, fin_0, fin_1 = fact[11:19]
        source, target, sport, dport, vlan, packet = fact[22:]
        if is_tcp and not (syn_0 or not packets_0) & (syn_1 or not packets_1):
            return None
        proto = PROTO_TCP if is_tcp else PROTO_UDP
        flow = Flow(key, proto, source, target, sport, dport, side, vlan, capture, first + packet, first_ns)
        flow.last_ns = last_ns
        # Its client is the sender of the first packet, so far.
        flow.packets = [packets_1, packets_0] if side else [packets_0, packets_1]
        flow.bytes = [payload_1, payload_0] if side else [payload_0, payload_1]
        if is_tcp:
            if packets_0:
                flow.isn[0] = at = BASE + begin_0
                flow.next[0] = at + ((end_0 - begin_0) & _MASK)
            if packets_1:
                flow.isn[1] = at = BASE + begin_1
                flow.next[1] = at + ((end_1 - begin_1) & _MASK)
            flow.closed = [fin_0, fin_1]
        else:
            flow.guess_roles()
        self._add(flow)
        return flow

    def _follow(self, flow: Flow, fact: tuple[Any, ...]) -> Flow | None:
        """Move a flow past a group; None (and nothing is done) if the group does not follow on what it has seen."""
        is_tcp, _, first_side, first_ns, last_ns = fact[2:7]
        if first_ns - flow.last_ns > self._patience_ns(flow):
            return None
        told = fact[21]
        if is_tcp:
            if flow.ended_by or flow.repair is not None or flow.reset_by != UNKNOWN or not flow.settled:
                return None
            for side in (0, 1):
                if fact[7 + side]:
                    expected = flow.next[side]
                    if expected < 0 or fact[15 + side] or fact[11 + side] != expected & _MASK:
                        return None
                    if flow.closed[side] and (fact[9 + side] or fact[17 + side]):
                        return None
            other = flow.next[1 - first_side]
            if told >= 0 and other >= 0 and ((told - other + _HALF) & _MASK) > _HALF:
                return None
        flow.last_ns = max(flow.last_ns, last_ns)
        for side in (0, 1):
            if fact[7 + side]:
                direction = side ^ flow.swapped
                flow.packets[direction] += fact[7 + side]
                flow.bytes[direction] += fact[9 + side]
                if is_tcp:
                    flow.next[side] += (fact[13 + side] - fact[11 + side]) & _MASK
                    flow.closed[side] = flow.closed[side] or fact[17 + side]
        return flow

    # ------------------------------------------------------------ the plain road
    def _plain(self, batch: "_Batch", number: int, low: int, high: int) -> None:
        """One group, packet by packet."""
        headers, groups = batch.headers, batch.groups
        rows = groups.order[low:high]
        key = groups.keys[number]
        arena = headers.arena.data
        columns = (headers.seq, headers.ack, headers.flags, headers.payload, headers.length, headers.missing)
        for row, side, ts_ns, packet, seq, ack, flags, begin, length, missing in zip(
            rows.tolist(),
            groups.side[low:high].tolist(),
            headers.ts_ns[rows].tolist(),
            headers.packet[rows].tolist(),
            *(column[rows].tolist() for column in columns),
            strict=True,
        ):
            is_tcp = int(headers.proto[row]) == PROTO_TCP
            self._reassembly.row = row
            flow = self._flows.get(key)
            if flow is not None and flow.repair is not None:
                self._tcp.look(flow, ts_ns)
            if flow is not None and ts_ns - flow.last_ns > self._patience_ns(flow):
                self._expire(flow, row)
                flow = None
            if is_tcp and flow is not None and self._tcp.is_reuse(flow, side, seq, flags):
                self._end(flow, "rst" if flow.reset_by != UNKNOWN else "reused", row, ts_ns)
                del self._flows[key]
                flow = None
            if flow is None:
                if is_tcp and (flags & RST or not (length or missing or flags & SYN)):
                    # The tail of something over: a flow of its own would be noise.
                    self._counters["packets_without_flow_total",] += 1
                    self._reassembly.drop("tcp_no_flow", length)
                    continue
                flow = self._create(batch, key, row, side)
            direction = side ^ flow.swapped
            flow.packets[direction] += 1
            flow.bytes[direction] += length
            data = arena[begin : begin + length]
            frame = batch.first + packet
            if is_tcp:
                self._tcp.packet(flow, side, seq, ack, flags, data, missing, ts_ns, frame, row)
            else:
                self._datagram(flow, side, data, missing, ts_ns, frame, row)
            flow.last_ns = max(flow.last_ns, ts_ns)

    def _datagram(
        self, flow: Flow, side: int, data: memoryview, missing: int, ts_ns: int, frame: int, row: int
    ) -> None:
        out = self._reassembly.out
        if data:
            out.append((row, StreamSlice(flow, side, data, 0, ts_ns, frame)))
        if missing:
            flow.gap_bytes[side ^ flow.swapped] += missing
            out.append((row, StreamSlice(flow, side, b"", missing, ts_ns, frame)))

    # ------------------------------------------------------------ flows begin and end
    def _create(self, batch: "_Batch", key: bytes, row: int, side: int) -> Flow:
        """The flow that begins with packet `row`, on the plain road."""
        headers = batch.headers
        proto, flags = int(headers.proto[row]), int(headers.flags[row])
        flow = Flow(
            key,
            proto,
            (int(headers.src_hi[row]), int(headers.src_lo[row])),
            (int(headers.dst_hi[row]), int(headers.dst_lo[row])),
            int(headers.sport[row]),
            int(headers.dport[row]),
            side,
            int(headers.vlan[row]),
            batch.capture,
            batch.first + int(headers.packet[row]),
            int(headers.ts_ns[row]),
        )
        if proto != PROTO_TCP:
            flow.guess_roles()
        elif not flags & SYN:
            flow.guess_roles()
            flow.midstream, flow.settled = True, False
        elif flags & ACK:  # only a server answers so
            flow.flip()
        self._add(flow)
        return flow

    def _add(self, flow: Flow) -> None:
        self._flows[flow.key] = flow
        self._made[flow.proto == PROTO_TCP] += 1

    def _patience_ns(self, flow: Flow) -> int:
        """How long the flow may be silent."""
        if flow.ended_by or flow.reset_by != UNKNOWN:
            return self._linger_ns
        return self._idle_ns[flow.proto != PROTO_TCP]

    def _end(self, flow: Flow, reason: str, row: int, now_ns: int) -> None:
        self._reassembly.row = row
        self._tcp.look(flow, now_ns)
        self._tcp.end(flow, reason, flow.last_ns, row)

    def _expire(self, flow: Flow, row: int) -> None:
        silent_ns = flow.last_ns + self._patience_ns(flow)
        self._end(flow, "idle" if flow.reset_by == UNKNOWN else "rst", row, silent_ns)
        del self._flows[flow.key]

    def _sweep(self, now_ns: int, row: int) -> None:
        """End what has been silent too long at `now_ns`, give up what was awaited too long.

        The same would happen at the flow's next packet; this only frees memory and hands on sooner.
        """
        if now_ns - self._swept_ns < _SWEEP_NS:
            return
        self._swept_ns = now_ns
        self._reassembly.row = row
        for flow in list(self._reassembly.waiting):
            self._tcp.look(flow, now_ns)
        for flow in [one for one in self._flows.values() if now_ns - one.last_ns > self._patience_ns(one)]:
            self._expire(flow, row)

    def _evict(self, row: int) -> None:
        """Keep the table within its cap: ended flows go first, then those idle longest."""
        excess = len(self._flows) - self._max_flows
        if excess <= 0:
            return
        oldest = sorted(self._flows.values(), key=lambda one: (not one.ended_by, one.last_ns, one.key))
        for flow in oldest[: excess + self._max_flows // _EVICT_SHARE]:
            if not flow.ended_by:
                self._note(flow, "flow_table_full", flow.last_ns)
            self._end(flow, "evicted", row, flow.last_ns)
            del self._flows[flow.key]

    def _note(self, flow: Flow, name: str, ts_ns: int) -> None:
        if name not in flow.noted:
            flow.noted |= {name}
            self.anomalies.append((flow, name, ts_ns))


class _Batch(NamedTuple):
    """What the plain road reads packets from."""

    headers: Headers
    groups: Groups
    capture: str
    first: int
