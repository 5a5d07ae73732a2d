"""The fast road: which flows of a batch are in perfect order, and their payload joined run by run.

In: Headers and Groups. Out: per group a verdict and the few numbers the flow's state needs (`Survey`); then, for groups
that also fit their flow's state, one slice per run, a run being consecutive segments of one direction with no payload
of the other between them. Cost: about thirty passes over columns per batch, then Python per group and per run, never
per packet, except one buffer slice per joined segment. The plain road (`tcp.py`) is the oracle: on every group the
verdict lets through, both give the same bytes in the same order (tests/sensor/flow/test_oracle.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sensor.batch import I64, Headers
from sensor.flow.flow import Flow
from sensor.flow.group import Groups
from sensor.flow.slices import FlowEnd, StreamSlice
from sensor.flow.tcp import ACK, FIN, RST, SYN
from sensor.model import PROTO_TCP

RUN_BYTES: Final = 1 << 18  # a longer run is cut: joining beyond this buys nothing and costs memory


@dataclass(slots=True)
class Survey:
    """Per group, as plain lists (index: group). Pairs are by side.

    Attributes:
        plain: the group needs the plain road, whatever its flow's state.
        first_row: row of the first packet.
        packets, payload: how many, how many captured bytes.
        seen: the side sent something.
        begins: sequence number of the side's first packet (the SYN's own where there is one).
        ends: sequence number after the side's last packet.
        syn: the side's first packet is a SYN.
        fin: the side sent a FIN.
        last_fin: place of the last FIN in group order, or -1.
        told: acknowledgement number the first sender had reached before the other side's first packet.
        first_ns, last_ns: times of the first packet, and the newest.
        side: side of the first packet.
        is_tcp: protocol.
    """

    plain: list[bool]
    first_row: list[int]
    packets: tuple[list[int], list[int]]
    payload: tuple[list[int], list[int]]
    seen: tuple[list[bool], list[bool]]
    begins: tuple[list[int], list[int]]
    ends: tuple[list[int], list[int]]
    syn: tuple[list[bool], list[bool]]
    fin: tuple[list[bool], list[bool]]
    last_fin: list[int]
    told: list[int]
    first_ns: list[int]
    last_ns: list[int]
    side: list[int]
    is_tcp: list[bool]


def survey(headers: Headers, groups: Groups, idle_ns: tuple[int, int], linger_ns: int) -> Survey:
    """Look at all groups at once.

    Args:
        headers: the batch.
        groups: its rows by flow.
        idle_ns: after how long a silent TCP and UDP flow has ended.
        linger_ns: for how long an ended flow is remembered.
    """
    order, starts, side = groups.order, groups.starts, groups.side
    rows, count = len(order), len(starts)
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
    # so that the last of them tells all (Survey.told).
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
    seen = [np.asarray(last >= 0) for last in last_place]
    safe_first = [np.minimum(first, rows - 1) for first in first_place]
    first_side = side[starts]
    # Last place before the other side's first packet (or the group's last).
    other_first = np.where(first_side, first_place[0], first_place[1])
    told_at = np.minimum(other_first, starts + sizes) - 1
    told = np.where(has_ack[told_at], ack[told_at].astype(np.int64), -1)
    return Survey(
        np.logical_or.reduceat(odd, starts).tolist(),
        order[starts].tolist(),
        _pair([sizes - ones, ones]),
        _pair([np.add.reduceat(one, starts) for one in sums]),
        _pair(seen),
        _pair([seq[first] for first in safe_first]),
        _pair([end[last] for last in last_place]),
        _pair([syn[first] & one for first, one in zip(safe_first, seen, strict=True)]),
        _pair([np.logical_or.reduceat(fin & (is_one == bool(one)), starts) for one in (0, 1)]),
        np.maximum.reduceat(np.where(fin, place, -1), starts).tolist(),
        told.tolist(),
        ts[starts].tolist(),
        np.maximum.reduceat(ts, starts).tolist() if count else [],
        first_side.tolist(),
        is_tcp[starts].tolist(),
    )


def _shifted(column: I64) -> I64:
    """Each place holds what stood one before it; -1 at the first."""
    moved = np.empty_like(column)
    moved[:1] = -1
    moved[1:] = column[:-1]
    return moved


def _pair(columns: Sequence[npt.NDArray[Any]]) -> tuple[list[Any], list[Any]]:
    return columns[0].tolist(), columns[1].tolist()


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
    for place, (row, number, one, ts_ns, packet) in enumerate(
        zip(
            heads.tolist(),
            group[starts].tolist(),
            side[starts].tolist(),
            headers.ts_ns[heads].tolist(),
            headers.packet[heads].tolist(),
            strict=True,
        )
    ):
        low, high = bounds[place], bounds[place + 1]
        data: bytes | memoryview
        if high - low == 1:
            data = arena[begin[low] : ends[low]]
        else:
            data = b"".join([arena[a:b] for a, b in zip(begin[low:high], ends[low:high], strict=True)])
        out.append((row, StreamSlice(flows[number], one, data, 0, ts_ns, first + packet)))
