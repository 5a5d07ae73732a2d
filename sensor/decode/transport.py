"""TCP, UDP and what has no ports (RFC 9293, RFC 768, RFC 9260 for SCTP's port numbers)."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sensor.batch import I64
from sensor.decode import tunnel
from sensor.decode.link import Next
from sensor.decode.table import Table, Work

PROTO_SCTP: Final = 132


def _finish(table: Table, work: Work, header: I64 | int) -> None:
    rows = work.rows
    payload = work.pos + header
    length = np.maximum(work.end - payload, 0)
    table.payload[rows] = payload
    table.length[rows] = length
    table.missing[rows] = np.maximum(table.wire_end[rows] - payload - length, 0)
    table.done[rows] = True


def tcp(table: Table, work: Work) -> Next:
    """Ports, sequence numbers, flags, payload."""
    work = table.need(work, 20, "truncated_transport")
    pos = work.pos
    offset = table.u16(pos + 12)
    header = (offset >> 12) * 4
    good = header >= 20
    if not good.all():
        table.drop("malformed_tcp", int(np.count_nonzero(~good)))
        work, header, offset = work.pick(good), header[good], offset[good]
        pos = work.pos
    rows = work.rows
    ports = table.u32(pos)
    table.sport[rows], table.dport[rows] = ports >> 16, ports & 0xFFFF
    table.seq[rows], table.ack[rows] = table.u32(pos + 4), table.u32(pos + 8)
    table.flags[rows] = offset & 0xFF
    _finish(table, work, header)
    return []


def udp(table: Table, work: Work) -> Next:
    """Ports and payload, or a tunnel inside."""
    work = table.need(work, 8, "truncated_transport")
    pos = work.pos
    size = table.u16(pos + 4)
    # 0: jumbo or offload. A length below the header is malformed; the IP length then counts.
    cut = np.where(size >= 8, np.minimum(work.end, pos + size), work.end)
    work = Work(work.rows, pos, cut)
    ports = table.u32(pos)
    sport, dport = ports >> 16, ports & 0xFFFF
    out, plain = tunnel.inside_udp(table, work, sport, dport)
    if not plain.all():
        work, sport, dport, size = work.pick(plain), sport[plain], dport[plain], size[plain]
    rows = work.rows
    table.sport[rows], table.dport[rows] = sport, dport
    wire = table.wire_end[rows]
    table.wire_end[rows] = np.where(size >= 8, np.minimum(wire, work.pos + size), wire)
    _finish(table, work, 8)
    return out


def other(table: Table, work: Work) -> Next:
    """Everything else: the row stays, with ports where SCTP has them."""
    sctp = (table.proto[work.rows] == PROTO_SCTP) & (work.end - work.pos >= 4)
    if sctp.any():
        chosen = work.pick(sctp)
        ports = table.u32(chosen.pos)
        table.sport[chosen.rows], table.dport[chosen.rows] = ports >> 16, ports & 0xFFFF
    _finish(table, work, 0)
    return []


HANDLERS: Final[dict[str, Callable[[Table, Work], Next]]] = {"tcp": tcp, "udp": udp, "other": other}
