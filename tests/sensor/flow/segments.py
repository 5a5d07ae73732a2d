"""Packets as tuples, tuples as Headers, and what a table makes of them: the aids of the flow tests."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from sensor.batch import Headers
from sensor.clock import Clock
from sensor.counters import Counters
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.flow.table import LIMITS, FlowTable
from sensor.limits import Limits
from sensor.model import PROTO_TCP, PROTO_UDP

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
C = ((0, 0xFFFF_0A00_0001), 40000)  # 10.0.0.1:40000
S = ((0, 0xFFFF_C633_6401), 80)  # 198.51.100.1:80
MS = 1_000_000
T0 = 1_750_000_000_000_000_000


class P(NamedTuple):
    """A packet; `to_client` turns it round."""

    seq: int
    data: bytes = b""
    ack: int = 0
    flags: int = ACK
    to_client: bool = False
    ts: int = T0
    missing: int = 0
    client: tuple = C
    server: tuple = S
    proto: int = PROTO_TCP
    vlan: int = 0


def headers(packets: Sequence[P], first: int = 0) -> Headers:
    """Rows over one arena."""
    arena = b"".join(p.data for p in packets)
    ends = np.cumsum([len(p.data) for p in packets], dtype=np.int64)
    length = np.array([len(p.data) for p in packets], np.int64)
    pairs = [(p.server, p.client) if p.to_client else (p.client, p.server) for p in packets]

    def u64(values: Iterable[int]) -> np.ndarray:
        return np.array(list(values), np.uint64)

    return Headers(
        arena=np.frombuffer(arena, np.uint8),
        packet=np.arange(len(packets), dtype=np.int64) + first,
        ts_ns=np.array([p.ts for p in packets], np.int64),
        src_hi=u64(a[0][0] for a, _ in pairs),
        src_lo=u64(a[0][1] for a, _ in pairs),
        dst_hi=u64(b[0][0] for _, b in pairs),
        dst_lo=u64(b[0][1] for _, b in pairs),
        proto=np.array([p.proto for p in packets], np.uint8),
        sport=np.array([a[1] for a, _ in pairs], np.uint16),
        dport=np.array([b[1] for _, b in pairs], np.uint16),
        flags=np.array([p.flags for p in packets], np.uint8),
        seq=np.array([p.seq & 0xFFFFFFFF for p in packets], np.uint32),
        ack=np.array([p.ack & 0xFFFFFFFF for p in packets], np.uint32),
        payload=ends - length,
        length=length,
        missing=np.array([p.missing for p in packets], np.int64),
        vlan=np.array([p.vlan for p in packets], np.uint32),
    )


class Seen:
    """A table and everything that came out of it, copied."""

    def __init__(self, *, limits: dict[str, int] | None = None, **options) -> None:
        self.counters = Counters()
        self.clock = Clock()
        self.table = FlowTable(Limits(LIMITS, limits), self.counters, self.clock, **options)
        self.items: list[tuple] = []  # (flow, direction, bytes | gap) and (flow, "end", reason)
        self.flows: list = []
        self.fed = 0

    def feed(self, packets: Sequence[P], cuts: Iterable[int] = (), *, finish: bool = True) -> "Seen":
        at = 0
        for cut in [*sorted(set(cuts)), len(packets)]:
            if cut > at:
                self._take(self.table.feed(headers(packets[at:cut], at), "x.pcap"))
                self.fed += sum(len(p.data) for p in packets[at:cut])
                at = cut
        if finish:
            self._take(self.table.finish())
        return self

    def _take(self, items) -> None:
        for item in items:
            if not any(item.flow is one for one in self.flows):
                self.flows.append(item.flow)
            if isinstance(item, FlowEnd):
                self.items.append((item.flow, "end", item.flow.ended_by))
            else:
                assert isinstance(item, StreamSlice)
                assert bool(item.gap) != bool(len(item.data))
                assert item.gap >= 0
                what = item.gap or bytes(item.data)
                last = self.items[-1] if self.items else (None,)
                mergeable = item.flow.proto != PROTO_UDP
                last = next((one for one in reversed(self.items) if one[0] is item.flow), (None, None, None))
                if mergeable and last[1] == item.direction and type(last[2]) is type(what):
                    place = max(n for n, one in enumerate(self.items) if one is last)
                    self.items[place] = (item.flow, item.direction, last[2] + what)
                else:
                    self.items.append((item.flow, item.direction, what))

    @property
    def anomalies(self) -> set[str]:
        return {name for _, name, _ in self.table.anomalies}

    def script(self, flow=None) -> list[tuple]:
        """Per flow in order of appearance: [(direction, bytes | gap) …, ("end", reason)]."""
        return [(kind, what) for one, kind, what in self.items if one is (flow or self.flows[0])]

    def all(self) -> list[list[tuple]]:
        """Every flow's script with what is known of the flow, sorted so that batch order does not matter."""
        rows = []
        for flow in self.flows:
            about = (flow.first_ns, flow.client, flow.client_port, flow.server, flow.server_port, flow.midstream)
            tallies = (tuple(flow.packets), tuple(flow.bytes), tuple(flow.gap_bytes), flow.last_ns, flow.roles_guessed)
            rows.append((about, tallies, self.script(flow)))
        return sorted(rows, key=repr)

    def stream(self, direction: int) -> bytes:
        return b"".join(what for _, kind, what in self.items if kind == direction and isinstance(what, bytes))

    def balanced(self) -> bool:
        out = sum(len(what) for _, _, what in self.items if isinstance(what, bytes))
        drops = self.counters.total("drops_total")
        return self.counters["payload_bytes_total",] == self.fed == out + drops


def talk(
    script: Sequence[tuple[int, bytes]],
    *,
    isn: tuple[int, int] = (1000, 5000),
    mss: int = 10,
    fin: bool = True,
    syn: bool = True,
    ts: int = T0,
    step: int = MS,
    client=C,
    server=S,
    proto: int = PROTO_TCP,
) -> list[P]:
    """A well-behaved TCP conversation: (direction, bytes) turns, an ACK after every second segment."""
    seq = list(isn)
    out: list[P] = []

    def put(side: int, flags: int, data: bytes = b"") -> None:
        ack = seq[1 - side] if flags & ACK else 0
        out.append(P(seq[side], data, ack, flags, bool(side), ts + step * len(out), 0, client, server, proto))
        seq[side] += len(data) + bool(flags & (SYN | FIN))

    if syn:
        put(0, SYN)
        put(1, SYN | ACK)
        put(0, ACK)
    for side, data in script:
        for count, at in enumerate(range(0, len(data), mss)):
            put(side, ACK | PSH, data[at : at + mss])
            if count % 2:
                put(1 - side, ACK)
    if fin:
        put(0, FIN | ACK)
        put(1, FIN | ACK)
        put(0, ACK)
    return out
