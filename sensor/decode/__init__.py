"""Frames → headers in columns: link layers, tunnels, IP, fragments, transports.

In: PacketBatch. Out: Headers, one row per innermost IP packet, in capture order. No Python object per packet: rows at
the same layer are handled together until all have reached a transport or were dropped by name. Bad rows are counted,
never raised. `frames_total = rows + Σ drops_total` holds at all times, fragments that wait for others included as
`fragment_pending` until they are merged or given up.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from sensor.batch import I64, Headers, PacketBatch
from sensor.counters import Counters
from sensor.decode import ip, link, transport, tunnel
from sensor.decode.duplicates import Duplicates
from sensor.decode.fragments import ANOMALIES as FRAGMENT_ANOMALIES
from sensor.decode.fragments import LIMITS as FRAGMENT_LIMITS
from sensor.decode.fragments import Fragment, Fragments
from sensor.decode.table import Table, Work
from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    *FRAGMENT_LIMITS,
    Limit(
        "decode_depth",
        24,
        "count",
        "skip",
        "decode_too_deep",
        "Layers inside one frame; real ones have at most a dozen (QinQ, MPLS, GRE, ERSPAN, VLAN, IP, VXLAN …).",
    ),
)
ANOMALIES: Final = (
    *FRAGMENT_ANOMALIES,
    AnomalyKind(
        "decode_too_deep",
        "medium",
        "A frame held more nested layers than are followed.",
        "Look at the sender: nesting this deep has no use but evasion.",
    ),
)
HANDLERS: Final = {**link.HANDLERS, **ip.HANDLERS, **transport.HANDLERS, **tunnel.HANDLERS}


class Decoder:
    """Decodes the batches of one run; remembers fragments and recent packets across batches and captures."""

    def __init__(
        self, limits: Mapping[str, int], counters: Counters, *, overlap: str = "first", check_duplicates: bool = True
    ) -> None:
        self._depth = limits["decode_depth"]
        self._counters = counters
        self._fragments = Fragments(
            limits["fragments_total_bytes"], limits["fragments_per_datagram"], limits["fragments_timeout"], overlap
        )
        self._duplicates = Duplicates() if check_duplicates else None
        self._merged = 0
        self.anomalies: list[tuple[str, int]] = []

    def decode(self, batch: PacketBatch) -> Headers:
        """Headers of one batch; its arena is the batch's own unless fragments were put together."""
        table = Table(batch.arena, len(batch))
        self._counters["frames_total",] += len(batch)
        rows = np.arange(len(batch), dtype=np.int64)
        work = Work(rows, batch.offset, batch.offset + batch.caplen)
        start: link.Next = []
        for value in np.unique(batch.link).tolist():
            chosen = work if len(batch) and (batch.link == value).all() else work.pick(batch.link == value)
            start.append((link.BY_LINK[value], chosen))
        self._layers(table, start)
        if table.fragments:
            self._reassemble(table, batch)
        kept = np.flatnonzero(table.done)
        if self._duplicates is not None:
            kept = self._without_duplicates(table, kept, batch.ts_ns)
        for reason, count in table.drops.items():
            self._counters["drops_total", reason] += count
        return _headers(table, kept, batch)

    def finish(self) -> None:
        """End of input: what fragments still wait for will not come."""
        self._fragments.finish()
        self._settle()

    def _layers(self, table: Table, works: link.Next) -> None:
        for _ in range(self._depth):
            following: link.Next = []
            for kind, work in works:
                if len(work.rows):
                    following += HANDLERS[kind](table, work)
            if not following:
                return
            works = following
        deep = sum(len(work.rows) for _, work in works)
        if deep:
            table.drop("too_deep", deep)
            self.anomalies.append(("decode_too_deep", deep))

    # ------------------------------------------------------------ fragments
    def _reassemble(self, table: Table, batch: PacketBatch) -> None:
        """Put fragments together and decode what they hold, which may hold fragments again (tunnels)."""
        low = 0
        while table.fragments:
            pending, table.fragments = table.fragments, []
            whole: list[tuple[int, int, bytes]] = []
            for row, pos, end, version in sorted(
                (row, pos, end, version)
                for version, work in pending
                for row, pos, end in zip(work.rows.tolist(), work.pos.tolist(), work.end.tolist(), strict=True)
            ):
                table.drop("fragment_pending", 1)
                fragment = _fragment(table, version, row, pos, end, int(batch.ts_ns[row]))
                done = self._fragments.add(fragment) if fragment is not None else None
                if fragment is None:
                    table.drops["fragment_pending"] -= 1
                    table.drop("malformed_ip", 1)
                elif done is not None:
                    table.drops["fragment_pending"] -= 1
                    whole.append((row, *done))
            self._settle()
            if not whole:
                return
            low = self._extend(table, batch, whole, first=low == 0)

    def _extend(self, table: Table, batch: PacketBatch, whole: list[tuple[int, int, bytes]], *, first: bool) -> int:
        """One arena for the batch's bytes and the datagrams behind them; then decode those."""
        low, high = (
            (int(batch.offset.min()), int((batch.offset + batch.caplen).max())) if first else (0, len(table.arena))
        )
        arena = np.concatenate((table.arena[low:high], *(np.frombuffer(data, np.uint8) for _, _, data in whole)))
        table.payload -= low
        table.bind(arena)
        sizes = np.array([len(data) for _, _, data in whole], np.int64)
        ends = high - low + np.cumsum(sizes)
        rows = np.array([row for row, _, _ in whole], np.int64)
        proto = np.array([value for _, value, _ in whole], np.int64)
        table.wire_end[rows] = ends
        table.proto[rows] = proto
        work = Work(rows, ends - sizes, ends)
        v6 = table.src_hi[rows] != 0
        works = ip.by_protocol(work.pick(~v6), proto[~v6]) if (~v6).any() else []
        works += ip.extensions(table, work.pick(v6), proto[v6]) if v6.any() else []
        self._layers(table, works)
        return 1

    def _settle(self) -> None:
        """Fragments that were merged or given up are no longer pending."""
        gone = self._fragments.dropped - self._merged
        if gone:
            self._merged += gone
            self._counters["drops_total", "fragment_pending"] -= gone
            self._counters["drops_total", "fragment_merged_or_lost"] += gone
        for name in self._fragments.anomalies:
            self.anomalies.append((name, 1))
        self._fragments.anomalies.clear()

    # ------------------------------------------------------------ duplicates
    def _without_duplicates(self, table: Table, kept: I64, ts_ns: I64) -> I64:
        assert self._duplicates is not None
        candidates = kept[table.length[kept] > 0]
        repeated = candidates[self._duplicates.find(table, candidates, ts_ns[candidates])]
        if not len(repeated):
            return kept
        table.drop("mirror_duplicate", len(repeated))
        table.done[repeated] = False
        return np.flatnonzero(table.done)


def _fragment(table: Table, version: int, row: int, pos: int, end: int, ts_ns: int) -> Fragment | None:
    """Read one fragment's header; None when it is malformed."""
    arena = table.arena
    addresses = tuple(int(column[row]) for column in (table.src_hi, table.src_lo, table.dst_hi, table.dst_lo))
    if version == 4:
        word = int.from_bytes(arena[pos + 6 : pos + 8].tobytes())
        start = pos + (int(arena[pos]) & 15) * 4
        proto = int(arena[pos + 9])
        key = (4, *addresses, int(table.ip_id[row]), proto)
        offset, more = (word & 0x1FFF) * 8, bool(word & 0x2000)
    else:
        if end - pos < 8:
            return None
        head = arena[pos : pos + 8].tobytes()
        word = int.from_bytes(head[2:4])
        start, proto = pos + 8, head[0]
        key = (6, *addresses, int.from_bytes(head[4:8]), 0)
        offset, more = word & 0xFFF8, bool(word & 1)
    data = arena[start:end].tobytes()
    if (more and len(data) % 8) or int(table.wire_end[row]) > end:
        return None  # the middle of a datagram comes in units of 8 bytes; one that the snap length cut is useless
    return Fragment(key, offset, data, not more, proto, ts_ns)


def _headers(table: Table, kept: I64, batch: PacketBatch) -> Headers:
    whole = len(kept) == len(batch)
    names = (
        "src_hi",
        "src_lo",
        "dst_hi",
        "dst_lo",
        "proto",
        "sport",
        "dport",
        "flags",
        "seq",
        "ack",
        "payload",
        "length",
    )
    columns = {name: getattr(table, name) for name in (*names, "missing", "vlan")}
    if not whole:
        columns = {name: column[kept] for name, column in columns.items()}
    return Headers(arena=table.arena, packet=kept, ts_ns=batch.ts_ns if whole else batch.ts_ns[kept], **columns)
