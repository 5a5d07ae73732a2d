"""The fast road: which flows of a batch are in perfect order, and their payload joined run by run.

In: Headers and Groups. Out: per group a verdict and the few numbers the flow's state needs (`Fact`); then, for groups
that also fit their flow's state, one slice per run, a run being consecutive segments of one direction with no payload
of the other between them. Cost: about thirty passes over columns per batch, then Python per group and per run, never
per packet, except one buffer slice per joined segment. The plain road (`tcp.py`) is the oracle: on every group the
verdict lets through, both give the same bytes in the same order (tests/sensor/flow/test_oracle.py).
"""

from collections.abc import Iterator
from itertools import pairwise, repeat
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensor.batch import I64, Headers
from sensor.flow.flow import Flow
from sensor.flow.group import Groups
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.flow.tcp import ACK, FIN, RST, SYN
from sensor.model import PROTO_TCP

RUN_BYTES: Final = 1 << 18  # a longer run is cut: joining beyond this buys nothing and costs memory


class Fact(NamedTuple):
    """What the table needs to know of one group. Names for the places of a plain tuple: `survey` makes no Fact objects.

    Attributes:
        number: of the group.
        plain: it needs the plain road, whatever its flow's state.
        is_tcp: protocol.
        row: of the first packet.
        side: of the first packet.
        first_ns, last_ns: times of the first packet, and the newest.
        packets_0, packets_1: how many, by side.
        payload_0, payload_1: captured payload bytes, by side.
        begin_0, begin_1: sequence number of the side's first packet (the SYN's own where there is one).
        end_0, end_1: sequence number after the side's last packet.
        syn_0, syn_1: the side's first packet is a SYN.
        fin_0, fin_1: the side sent a FIN.
        fin_row, fin_ns: of the last FIN, if any.
        told: acknowledgement number the first sender had reached before the other side's first packet, or -1.
        source, target: 128-bit addresses of the first packet's sender and receiver.
        sport, dport: its ports.
        vlan, packet: its VLAN and its row in the PacketBatch.
    """

    number: int
    plain: bool
    is_tcp: bool
    row: int
    side: int
    first_ns: int
    last_ns: int
    packets_0: int
    packets_1: int
    payload_0: int
    payload_1: int
    begin_0: int
    begin_1: int
    end_0: int
    end_1: int
    syn_0: bool
    syn_1: bool
    fin_0: bool
    fin_1: bool
    fin_row: int
    fin_ns: int
    told: int
    source: tuple[int, int]
    target: tuple[int, int]
    sport: int
    dport: int
    vlan: int
    packet: int


def survey(headers: Headers, groups: Groups, idle_ns: tuple[int, int], linger_ns: int) -> Iterator[tuple[Any, ...]]:
    """Look at all groups at once: the fields of a Fact per group, in the order of first packets.

    Args:
        headers: the batch.
        groups: its rows by flow.
        idle_ns: after how long a silent TCP and UDP flow has ended.
        linger_ns: for how long an ended flow is remembered.
    """
    order, starts, side = groups.order, groups.starts, groups.side
    rows = len(order)
    place = np.arange(rows, dtype=np.int64)
    group = np.zeros(rows, np.int64)
    group[starts[1:]] = 1
    np.cumsum(group, out=group)
    start_of = starts[group]
    is_first = place == start_of

    flags = headers.flags[order]
    seq = headers.seq[order]
    length = headers.length[order]
    ts = headers.ts_ns[order]
    is_tcp = headers.proto[order] == PROTO_TCP
    is_one = side.view(np.bool_)
    syn, fin = (flags & SYN) != 0, (flags & FIN) != 0
    end = seq + length.astype(np.uint32) + syn + fin
    ack = headers.ack[order]
    has_ack = (flags & ACK) != 0

    latest = [np.maximum.accumulate(np.where(is_one == bool(one), place, -1)) for one in (0, 1)]
    before = np.where(is_one, _shifted(latest[1]), _shifted(latest[0]))
    has_before = before >= start_of
    across = np.where(is_one, latest[0], latest[1])
    has_across = across >= start_of

    # What the fast road takes: in order, nothing cut off, no resets; a SYN only first of its side, empty.
    odd = has_before & (seq != end[before])
    odd |= (flags & RST) != 0
    odd |= ~(has_ack | syn)
    odd |= syn & (has_before | (length > 0) | (is_first & has_ack) | (~is_first & ~has_ack))
    odd |= has_across & has_ack & ((ack - end[across]).view(np.int32) > 0)
    # Before the other side speaks its state is not in these columns: acknowledgements must not go back there,
    # so that the last of them tells all (Fact.told).
    ack_before = ack[before]
    odd |= has_before & ~has_across & has_ack[before] & ((ack - ack_before).view(np.int32) < 0)
    pause = np.zeros(rows, np.int64)
    pause[1:] = ts[1:] - ts[:-1]
    if fin.any():
        odd |= (_shifted(np.maximum.accumulate(np.where(fin, place, -1))) >= start_of) & (pause > linger_ns)
        for one in (0, 1):
            mine = is_one == bool(one)
            closing = _shifted(np.maximum.accumulate(np.where(fin & mine, place, -1)))
            odd |= mine & (closing >= start_of) & ((length > 0) | fin)
    odd &= is_tcp
    odd |= headers.missing[order] > 0
    odd |= ~is_first & (pause > np.where(is_tcp, *idle_ns))

    sums = [np.where(is_one == bool(one), length, 0) for one in (0, 1)]
    ones = np.add.reduceat(is_one, starts, dtype=np.int64)
    sizes = np.diff(starts, append=rows)
    first_place = [np.minimum.reduceat(np.where(is_one == bool(one), place, rows), starts) for one in (0, 1)]
    last_place = [np.maximum.reduceat(np.where(is_one == bool(one), place, -1), starts) for one in (0, 1)]
    begins = [np.minimum(first, rows - 1) for first in first_place]  # any place will do for a side that is silent
    first_side = side[starts]
    # Last place before the other side's first packet (or the group's last).
    other_first = np.where(first_side, first_place[0], first_place[1])
    told_at = np.minimum(other_first, starts + sizes) - 1
    last_fin = np.maximum.reduceat(np.where(fin, place, -1), starts)
    first_row = order[starts]
    columns: list[npt.NDArray[Any]] = [
        np.arange(len(starts)),
        np.logical_or.reduceat(odd, starts),
        is_tcp[starts],
        first_row,
        first_side,
        ts[starts],
        np.maximum.reduceat(ts, starts),
        sizes - ones,
        ones,
        *(np.add.reduceat(one, starts) for one in sums),
        *(seq[first] for first in begins),
        *(end[last] for last in last_place),
        *(syn[first] for first in begins),
        *(np.logical_or.reduceat(fin & (is_one == bool(one)), starts) for one in (0, 1)),
        order[last_fin],
        ts[last_fin],
        np.where(has_ack[told_at], ack[told_at].astype(np.int64), -1),
    ]
    by_packet = np.argsort(first_row)
    heads = first_row[by_packet]

    def here(column: npt.NDArray[Any]) -> list[int]:
        values: list[int] = column[heads].tolist()
        return values

    return zip(
        *(column[by_packet].tolist() for column in columns),
        zip(here(headers.src_hi), here(headers.src_lo), strict=True),
        zip(here(headers.dst_hi), here(headers.dst_lo), strict=True),
        here(headers.sport),
        here(headers.dport),
        here(headers.vlan),
        here(headers.packet),
        strict=True,
    )


def _shifted(column: I64) -> I64:
    """Each place holds what stood one before it; -1 at the first."""
    moved = np.empty_like(column)
    moved[:1] = -1
    moved[1:] = column[:-1]
    return moved


def join(
    headers: Headers, groups: Groups, flows: list[Flow | None], first: int, out: list[tuple[int, StreamSlice | FlowEnd]]
) -> None:
    """Append (row, slice) for every run of the groups whose flow is given; None leaves a group out.

    A run of one segment is a view into the arena; a longer one is one joined copy.
    """
    taken = np.fromiter((flow is not None for flow in flows), np.bool_, len(flows))
    group = np.repeat(np.arange(len(flows)), np.diff(groups.starts, append=len(groups.order)))
    length = headers.length[groups.order]
    places = np.flatnonzero((length > 0) & taken[group])
    if not len(places):
        return
    rows, group, side, length = groups.order[places], group[places], groups.side[places], length[places]
    total = np.cumsum(length)
    cut = np.empty(len(places), np.bool_)
    cut[0] = True
    cut[1:] = (group[1:] != group[:-1]) | (side[1:] != side[:-1]) | (headers.proto[rows[1:]] != PROTO_TCP)
    cut[1:] |= total[1:] // RUN_BYTES != total[:-1] // RUN_BYTES
    starts = np.flatnonzero(cut)
    heads = rows[starts]
    begins = headers.payload[rows]
    ends = (begins + length).tolist()
    begin = begins.tolist()
    bounds = [*starts.tolist(), len(places)]
    arena = headers.arena.data
    data = [
        arena[begin[low] : ends[low]]
        if high - low == 1
        else b"".join([arena[a:b] for a, b in zip(begin[low:high], ends[low:high], strict=True)])
        for low, high in pairwise(bounds)
    ]
    slices = map(
        StreamSlice,
        map(flows.__getitem__, group[starts].tolist()),
        side[starts].tolist(),
        data,
        repeat(0),
        headers.ts_ns[heads].tolist(),
        (headers.packet[heads] + first).tolist(),
    )
    out.extend(zip(heads.tolist(), slices, strict=True))
