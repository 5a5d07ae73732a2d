"""Slices to the flow's parser: the one place that catches parser faults and obeys Switch and GiveUp.

In: StreamSlice and FlowEnd of the flow table. Out: calls on the `Hooks` the pipeline hands in (events,
finished contents, ended flows). Until the protocol is known a flow's slices are held (limit `identify_hold`)
and then replayed in order, so nothing is lost to identification; what nobody claims is inspected as raw content.
Every stream byte is counted exactly once: `stream_bytes_total = parsed + raw + Σ skipped{reason}`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from typing import Protocol as Interface

import msgspec

from sensor.anomalies import AnomalyRecorder
from sensor.counters import Counters
from sensor.flow.flow import Flow
from sensor.flow.identify import Identifier
from sensor.flow.opaque import Opaque, recognise
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.interfaces import AnomalyKind, Parser, ProtocolSpec
from sensor.limits import Limit
from sensor.model import (
    PROTO_TCP,
    PROTO_UDP,
    TO_CLIENT,
    TO_SERVER,
    Anomaly,
    Event,
    GiveUp,
    Message,
    PartClose,
    PartData,
    PartGap,
    PartOpen,
    Switch,
)

LIMITS: Final = (
    Limit(
        "identify_hold",
        65536,
        "bytes",
        "stop-parsing",
        "flow_not_identified",
        "Bytes of a flow held while its protocol is not known; then it is inspected as raw content.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "flow_not_identified",
        "info",
        "No parser claimed the stream; its bytes were inspected as raw content.",
        "None needed; a parser for the protocol would name files and messages.",
    ),
    AnomalyKind(
        "parser_gave_up",
        "low",
        "A parser recognised the start but could not follow the stream; the rest was inspected as raw content.",
        "Look at the flow's other anomalies; loss on the mirror port is the usual cause.",
    ),
)

_RAW: Final = (-1, -2)  # part ids of raw content, one per direction; parsers number theirs from 0


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What is done with a flow: the crossing and whether contents are scanned, per direction.

    `abroad` is the zone at the far end (for the blind-spot table), `log` whether events are written,
    `digest` whether bodies are hashed.
    """

    crossing: tuple[int, int]
    scan: tuple[bool, bool]
    abroad: str
    log: bool
    digest: bool


class ContentSink(Interface):
    """What dispatch needs of content.assemble.Assembler."""

    anomalies: list[Anomaly]

    def open(self, ev: PartOpen, *, scan: bool, digest: bool) -> None:
        """A part begins."""

    def data(self, ev: PartData) -> None:
        """Bytes of it, valid during the call."""

    def gap(self, ev: PartGap) -> None:
        """Bytes of it are missing."""

    def close(self, ev: PartClose) -> list[Any]:
        """It ends; returns what is finished."""

    def finish(self) -> list[Any]:
        """The flow ends: close all that is open."""


class Hooks(Interface):
    """What the pipeline does with what was restored."""

    def plan(self, flow: Flow) -> Plan:
        """What to do with a flow."""

    def message(self, flow: Flow, inspection: "Inspection", message: Message, ts_ns: int) -> None:
        """A protocol message or transaction."""

    def content(self, flow: Flow, inspection: "Inspection", result: Any, ts_ns: int) -> None:
        """A finished content."""

    def anomaly(self, flow: Flow, inspection: "Inspection", anomaly: Anomaly, ts_ns: int) -> None:
        """Odd traffic."""

    def ended(self, flow: Flow, inspection: "Inspection", ts_ns: int) -> None:
        """Nothing more of this flow."""


class Inspection:
    """State of one inspected flow: its plan, parser, held slices and open contents."""

    __slots__ = (
        "anomaly_count",
        "assembler",
        "held",
        "held_bytes",
        "opaque",
        "parser",
        "plan",
        "protocol",
        "raw",
        "raw_open",
        "skipped",
        "user",
    )

    def __init__(self, plan: Plan, assembler: ContentSink) -> None:
        self.plan = plan
        self.assembler = assembler
        self.parser: Parser | None = None
        self.protocol = ""
        self.raw = False
        self.raw_open = [False, False]
        self.opaque: Opaque | None = None
        self.held: list[tuple[int, bytes, int, int]] = []
        self.held_bytes = 0
        self.anomaly_count = 0
        self.skipped: dict[str, int] = {}
        self.user: Any = None


class Dispatcher:
    """Routes slices; one per worker."""

    def __init__(
        self,
        protocols: Mapping[str, ProtocolSpec],
        limits: Mapping[str, int],
        counters: Counters,
        recorder: AnomalyRecorder,
        make_assembler: Callable[[], ContentSink],
        hooks: Hooks,
        *,
        on_fault: Callable[[str, str, BaseException], None],
        strict: bool = False,
    ) -> None:
        self._protocols = protocols
        self._identifier = Identifier(protocols.values())
        self._limits = limits
        self._hold = limits["identify_hold"]
        self._counters = counters
        self._recorder = recorder
        self._make_assembler = make_assembler
        self._hooks = hooks
        self._on_fault = on_fault
        self._strict = strict

    def handle(self, item: StreamSlice | FlowEnd) -> None:
        """One slice, or the end of a flow."""
        flow = item.flow
        inspection: Inspection | None = flow.state
        if inspection is None:
            inspection = flow.state = Inspection(self._hooks.plan(flow), self._make_assembler())
        if isinstance(item, FlowEnd):
            self._end(flow, inspection, item.ts_ns)
            return
        self._counters["stream_bytes_total",] += len(item.data)
        self._route(flow, inspection, item.direction, item.data, item.gap, item.ts_ns)

    # ------------------------------------------------------------ routing
    def _route(
        self, flow: Flow, ins: Inspection, direction: int, data: bytes | memoryview, gap: int, ts_ns: int
    ) -> None:
        if ins.parser is not None:
            self._parse(flow, ins, direction, data, gap, ts_ns)
        elif ins.raw:
            self._feed_raw(flow, ins, direction, data, gap)
        elif ins.opaque is not None:
            self._skip(ins, ins.opaque.reason, len(data))
        else:
            self._identify(flow, ins, direction, data, gap, ts_ns)

    def _identify(
        self, flow: Flow, ins: Inspection, direction: int, data: bytes | memoryview, gap: int, ts_ns: int
    ) -> None:
        ins.held.append((direction, bytes(data), gap, ts_ns))
        ins.held_bytes += len(data)
        transport = _transport(flow)
        if gap and len(ins.held) == 1:
            return
        head = _head(ins.held, direction, self._identifier.depth)
        opaque = recognise(transport, head)
        if opaque is not None:
            ins.opaque, ins.protocol = opaque, opaque.name
            self._replay(flow, ins)
            return
        answer = self._identifier.probe(transport, direction, head)
        if flow.roles_guessed and not isinstance(answer, ProtocolSpec):
            other_way = self._identifier.probe(transport, 1 - direction, head)
            if isinstance(other_way, ProtocolSpec):
                self._flip(flow, ins)
                answer = other_way
            elif other_way == "more":
                answer = "more"
        if isinstance(answer, ProtocolSpec):
            self._attach(flow, ins, answer)
            return
        other = _head(ins.held, 1 - direction, 1)
        if ins.held_bytes > self._hold or (answer is None and (other or transport == "udp")):
            self._give_raw(flow, ins)

    def _flip(self, flow: Flow, ins: Inspection) -> None:
        """The first bytes say that client and server are the other way round than the ports made believe."""
        flow.flip()
        ins.plan = self._hooks.plan(flow)
        ins.held = [(1 - side, data, gap, ts_ns) for side, data, gap, ts_ns in ins.held]

    def _attach(self, flow: Flow, ins: Inspection, spec: ProtocolSpec) -> None:
        ins.parser = spec.parser(self._limits)
        ins.protocol = spec.name
        self._replay(flow, ins)

    def _give_raw(self, flow: Flow, ins: Inspection) -> None:
        """Nobody's yes: the port's protocol if it copes with a start in the middle, else raw content."""
        hint = self._identifier.by_port(_transport(flow), flow.server_port)
        if hint is not None and hint.accepts_gaps and flow.midstream:
            self._attach(flow, ins, hint)
            return
        ins.raw = True
        self._recorder.record("flow_not_identified", 1)
        self._replay(flow, ins)

    def _replay(self, flow: Flow, ins: Inspection) -> None:
        held, ins.held, ins.held_bytes = ins.held, [], 0
        for direction, data, gap, ts_ns in held:
            self._route(flow, ins, direction, data, gap, ts_ns)

    # ------------------------------------------------------------ parsing
    def _parse(
        self, flow: Flow, ins: Inspection, direction: int, data: bytes | memoryview, gap: int, ts_ns: int
    ) -> None:
        parser = ins.parser
        assert parser is not None
        try:
            events = parser.gap(direction, gap, ts_ns) if gap else parser.feed(direction, data, ts_ns)
        except Exception as fault:  # noqa: BLE001 - the one place per stage that catches parser faults
            self._fault("protocols", ins.protocol, fault)
            self._detach(flow, ins, "parser_fault", direction, data, gap, ts_ns)
            return
        switch = self._obey(flow, ins, events, ts_ns)
        if isinstance(switch, GiveUp):
            self._detach(flow, ins, "parser_gave_up", direction, data, gap, ts_ns)
            return
        self._counters["parsed_bytes_total", ins.protocol] += len(data)
        if isinstance(switch, Switch):
            self._switch(flow, ins, switch, ts_ns)

    def _obey(self, flow: Flow, ins: Inspection, events: list[Event], ts_ns: int) -> Switch | GiveUp | None:
        plan, assembler, hooks = ins.plan, ins.assembler, self._hooks
        outcome: Switch | GiveUp | None = None
        for ev in events:
            kind = type(ev)
            try:
                if kind is PartData:
                    assembler.data(ev)  # type: ignore[arg-type]
                elif kind is PartOpen:
                    assembler.open(ev, scan=plan.scan[ev.direction], digest=plan.digest)  # type: ignore[union-attr,arg-type]
                elif kind is PartClose:
                    for result in assembler.close(ev):  # type: ignore[arg-type]
                        hooks.content(flow, ins, result, ts_ns)
                elif kind is PartGap:
                    assembler.gap(ev)  # type: ignore[arg-type]
                elif kind is Message:
                    hooks.message(flow, ins, ev, ts_ns)  # type: ignore[arg-type]
                elif kind is Anomaly:
                    hooks.anomaly(flow, ins, ev, ts_ns)  # type: ignore[arg-type]
                elif kind is Switch or kind is GiveUp:
                    outcome = ev  # type: ignore[assignment]
            except OSError:  # the disk, not the traffic
                raise
            except Exception as fault:  # noqa: BLE001 - the one place that catches faults of content and detectors
                self._fault("content", ins.protocol, fault)
                hooks.anomaly(flow, ins, Anomaly("content_fault", ins.protocol), ts_ns)
        if assembler.anomalies:
            for anomaly in assembler.anomalies:
                hooks.anomaly(flow, ins, anomaly, ts_ns)
            assembler.anomalies.clear()
        return outcome

    def _switch(self, flow: Flow, ins: Inspection, switch: Switch, ts_ns: int) -> None:
        """The rest of the flow is something else; bytes the old parser had not used come back to us."""
        leftover: list[tuple[int, bytes]] = list(getattr(ins.parser, "leftover", ()))
        ins.parser = None
        if switch.reason == "encrypted":
            ins.opaque = Opaque(switch.protocol or "encrypted", "encrypted", _transport(flow), bool)
        elif switch.protocol is not None and switch.protocol in self._protocols:
            ins.parser = self._protocols[switch.protocol].parser(self._limits)
            ins.protocol = switch.protocol
        elif switch.protocol is not None:
            ins.raw = True
        for direction, data in leftover:
            # These bytes were counted as parsed when they came; take that back before they are routed again.
            self._counters["parsed_bytes_total", ins.protocol] -= len(data)
            self._route(flow, ins, direction, data, 0, ts_ns)

    def _detach(
        self,
        flow: Flow,
        ins: Inspection,
        name: str,
        direction: int,
        data: bytes | memoryview,
        gap: int,
        ts_ns: int,
    ) -> None:
        self._hooks.anomaly(flow, ins, Anomaly(name, ins.protocol), ts_ns)
        ins.parser = None
        ins.raw = True
        self._feed_raw(flow, ins, direction, data, gap)

    def _fault(self, stage: str, name: str, fault: BaseException) -> None:
        self._counters["faults_total", stage, name] += 1
        if self._strict:
            raise fault
        self._on_fault(stage, name, fault)

    # ------------------------------------------------------------ raw content and what cannot be read
    def _feed_raw(self, flow: Flow, ins: Inspection, direction: int, data: bytes | memoryview, gap: int) -> None:
        part = _RAW[direction]
        if not ins.raw_open[direction]:
            ins.raw_open[direction] = True
            opened = PartOpen(part, direction, 0, f"{_transport(flow)}:stream")
            ins.assembler.open(opened, scan=ins.plan.scan[direction], digest=False)
        if gap:
            ins.assembler.gap(PartGap(part, gap))
        if data:
            self._counters["raw_bytes_total",] += len(data)
            ins.assembler.data(PartData(part, data))
            if flow.proto == PROTO_UDP:  # no value spans two datagrams
                ins.assembler.gap(PartGap(part, 0))

    def _skip(self, ins: Inspection, reason: str, size: int) -> None:
        self._counters["skipped_bytes_total", reason] += size
        self._counters["blind_bytes_total", reason, ins.plan.abroad] += size
        ins.skipped[reason] = ins.skipped.get(reason, 0) + size

    # ------------------------------------------------------------ end
    def _end(self, flow: Flow, ins: Inspection, ts_ns: int) -> None:
        if ins.held:
            self._give_raw(flow, ins)
        if ins.parser is not None:
            try:
                self._obey(flow, ins, ins.parser.close(ts_ns), ts_ns)
            except Exception as fault:  # noqa: BLE001 - as in _parse
                self._fault("protocols", ins.protocol, fault)
        for direction in (TO_SERVER, TO_CLIENT):
            if ins.raw_open[direction]:
                self._obey(flow, ins, [PartClose(_RAW[direction], complete=not flow.gap_bytes[direction])], ts_ns)
        for result in ins.assembler.finish():
            self._hooks.content(flow, ins, result, ts_ns)
        self._obey(flow, ins, [], ts_ns)
        self._hooks.ended(flow, ins, ts_ns)
        flow.state = None


def _transport(flow: Flow) -> str:
    return "tcp" if flow.proto == PROTO_TCP else "udp"


def _head(held: list[tuple[int, bytes, int, int]], direction: int, depth: int) -> bytes:
    """The first contiguous bytes of one direction, at most `depth`."""
    head = b""
    for side, data, gap, _ in held:
        if side != direction:
            continue
        if gap and head:
            break
        head += data[: depth - len(head)]
        if len(head) >= depth:
            break
    return head
