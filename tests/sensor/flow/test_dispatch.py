"""Slices reach the right parser; whatever goes wrong, every byte is inspected or counted."""

import pytest

from sensor import anomalies
from sensor.anomalies import AnomalyRecorder, Catalogue
from sensor.counters import Counters
from sensor.flow import dispatch
from sensor.flow.dispatch import Dispatcher, Plan
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.interfaces import ProtocolSpec
from sensor.limits import Limits
from sensor.model import PROTO_TCP, PROTO_UDP, GiveUp, Message, PartClose, PartData, PartOpen, Switch


class Flow:
    """What dispatch needs of a flow."""

    def __init__(self, proto=PROTO_TCP, *, guessed=False):
        self.proto, self.server_port, self.midstream, self.roles_guessed = proto, 9, guessed, guessed
        self.gap_bytes = [0, 0]
        self.state = None
        self.swapped = 0

    def flip(self):
        self.swapped ^= 1


class Toy:
    """`TOY` then bytes; `!` raises, `?` gives up, `>` switches to raw after the slice, `#` to encrypted."""

    def __init__(self, limits):
        self.leftover = []

    def feed(self, direction, data, ts_ns):
        text = bytes(data)
        if b"!" in text:
            raise ValueError(text)
        if b"?" in text:
            return [GiveUp("lost")]
        events = [PartOpen(0, direction, 0, "toy:body"), PartData(0, text), PartClose(0, True)]
        if b">" in text:
            events.append(Switch("nothing known"))
        if b"#" in text:
            events.append(Switch(None, "encrypted"))
        return events

    def gap(self, direction, size, ts_ns):
        return []

    def close(self, ts_ns):
        return [Message("toy", 0, 0, {})]


def probe(data, direction):
    if direction != 0:
        return "no"
    return "yes" if data.startswith(b"TOY") else "more" if b"TOY".startswith(data) else "no"


TOY = ProtocolSpec("toy", "tcp", (9,), probe, 8, 1, Toy, True, (), (), "x", "y")


class Sink:
    def __init__(self, log):
        self.anomalies, self.log = [], log

    def open(self, ev, *, scan, digest):
        self.log.append(("open", ev.path, ev.direction))

    def data(self, ev):
        if bytes(ev.data).startswith(b"TOYboom"):
            raise RuntimeError
        self.log.append(("data", ev.part, bytes(ev.data)))

    def gap(self, ev):
        self.log.append(("gap", ev.part, ev.size))

    def close(self, ev):
        return []

    def finish(self):
        return []


class Hooks:
    def __init__(self, log):
        self.log = log

    def plan(self, flow):
        return Plan((1, 2), (True, True), "US", True, False)

    def message(self, flow, inspection, message, ts_ns):
        self.log.append(("message", message.kind))

    def content(self, flow, inspection, result, ts_ns):
        """Nothing is finished by the fake sink."""

    def anomaly(self, flow, inspection, anomaly, ts_ns):
        self.log.append(("anomaly", anomaly.name))

    def ended(self, flow, inspection, ts_ns):
        self.log.append(("ended", inspection.protocol))


class Bench:
    def __init__(self, hold=64):
        self.log, self.counters, self.faults = [], Counters(), []
        limits = Limits(dispatch.LIMITS, {"identify_hold": hold})
        recorder = AnomalyRecorder(Catalogue((*anomalies.ANOMALIES, *dispatch.ANOMALIES)), self.counters)
        self.dispatcher = Dispatcher(
            {"toy": TOY},
            limits,
            self.counters,
            recorder,
            lambda: Sink(self.log),
            Hooks(self.log),
            on_fault=lambda *fault: self.faults.append(fault),
        )

    def run(self, flow, *pieces):
        for side, data in pieces:
            gap = data if isinstance(data, int) else 0
            self.dispatcher.handle(StreamSlice(flow, side, b"" if gap else data, gap, 5, 0))
        self.dispatcher.handle(FlowEnd(flow, 9))
        seen = self.counters["stream_bytes_total",]
        parts = ("parsed_bytes_total", "raw_bytes_total", "skipped_bytes_total")
        assert seen == sum(map(self.counters.total, parts))
        assert seen == sum(len(data) for _, data in pieces if not isinstance(data, int))
        return self.log

    def data(self):
        return b"".join(entry[2] for entry in self.log if entry[0] == "data")


def test_a_claimed_flow_goes_to_its_parser():
    bench = Bench()
    log = bench.run(Flow(), (0, b"TOY1"), (1, b"reply"))
    assert ("data", 0, b"TOY1") in log
    assert log[-2:] == [("message", "toy"), ("ended", "toy")]


def test_identification_waits_for_enough_bytes_and_loses_none():
    bench = Bench()
    bench.run(Flow(), (0, b"T"), (0, b"O"), (0, b"Y2"))
    assert bench.data() == b"TOY2"


def test_unclaimed_streams_are_raw_content_by_direction():
    bench = Bench()
    log = bench.run(Flow(), (0, b"hello"), (1, b"there"))
    assert [entry for entry in log if entry[0] == "open"] == [("open", "tcp:stream", 0), ("open", "tcp:stream", 1)]
    assert bench.data() == b"hellothere"
    assert bench.counters["anomalies_total", "flow_not_identified"] == 1


@pytest.mark.parametrize(("size", "raw"), [(63, False), (64, False), (65, True)])
def test_the_hold_is_capped(size, raw):
    bench = Bench(hold=64)
    flow = Flow()
    for number in range(size):
        bench.dispatcher.handle(StreamSlice(flow, 1, b"x", 0, number, 0))
    assert flow.state.raw == raw
    bench.dispatcher.handle(FlowEnd(flow, 9))
    assert bench.data() == b"x" * size


def test_a_parser_fault_detaches_and_the_bytes_become_raw_content():
    bench = Bench()
    log = bench.run(Flow(), (0, b"TOY1"), (0, b"bad!"), (0, b"more"))
    assert bench.data() == b"TOY1bad!more"
    assert ("anomaly", "parser_fault") in log
    assert bench.counters["faults_total", "protocols", "toy"] == 1
    assert [fault[:2] for fault in bench.faults] == [("protocols", "toy")]


def test_giving_up_keeps_the_bytes():
    bench = Bench()
    log = bench.run(Flow(), (0, b"TOY1"), (0, b"lost?"), (1, b"more"))
    assert bench.data() == b"TOY1lost?more"
    assert ("anomaly", "parser_gave_up") in log


def test_a_fault_of_content_is_counted_and_the_flow_goes_on():
    bench = Bench()
    log = bench.run(Flow(), (0, b"TOYboom"), (0, b"next"))
    assert bench.counters["faults_total", "content", "toy"] == 1
    assert ("anomaly", "content_fault") in log
    assert ("data", 0, b"next") in log


def test_encrypted_streams_are_counted_by_zone_not_scanned():
    hello = bytes.fromhex("16030100c8010000c40303") + b"\x00" * 40
    bench = Bench()
    log = bench.run(Flow(), (0, hello), (1, b"\x16\x03\x03" + b"z" * 10))
    assert log == [("ended", "tls")]
    assert bench.counters["blind_bytes_total", "encrypted", "US"] == len(hello) + 13


def test_switch_to_encrypted_and_to_unknown():
    bench = Bench()
    bench.run(Flow(), (0, b"TOY#"), (0, b"secret"))
    assert bench.counters["skipped_bytes_total", "encrypted"] == 6
    bench = Bench()
    log = bench.run(Flow(), (0, b"TOY>"), (1, b"plain"))
    assert ("open", "tcp:stream", 1) in log


def test_guessed_roles_flip_when_the_first_bytes_say_so():
    bench = Bench()
    flow = Flow(guessed=True)
    log = bench.run(flow, (1, b"TOY1"))
    assert flow.swapped == 1
    assert ("open", "toy:body", 0) in log


def test_known_roles_never_flip():
    bench = Bench()
    flow = Flow()
    bench.run(flow, (1, b"TOY1"))
    assert flow.swapped == 0


def test_datagrams_do_not_join():
    bench = Bench()
    log = bench.run(Flow(PROTO_UDP), (0, b"one"), (0, b"two"))
    assert log.count(("gap", -1, 0)) == 2


def test_gap_in_raw_content_is_passed_on():
    bench = Bench()
    log = bench.run(Flow(), (0, b"hello"), (1, b"x"), (0, 7), (0, b"world"))
    assert ("gap", -1, 7) in log
