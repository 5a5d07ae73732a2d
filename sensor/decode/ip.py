"""IPv4 and IPv6 up to the transport (RFC 791, RFC 8200, RFC 4302).

Fragments are set aside for `fragments.py`; ESP keeps its row with protocol 50, its content is unreadable.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from sensor.batch import I64, V4_MAPPED
from sensor.decode.link import Next
from sensor.decode.table import Table, Work

PROTO_HOPOPT, PROTO_IPIP, PROTO_TCP, PROTO_UDP, PROTO_IP6, PROTO_GRE, PROTO_AH = 0, 4, 6, 17, 41, 47, 51
PROTO_FRAGMENT: Final = 44
EXTENSIONS: Final = (PROTO_HOPOPT, 43, 60, 135, 139, 140)  # hop-by-hop, routing, destination, mobility, HIP, shim6
EXTENSION_HEADERS: Final = 10  # more in one packet is an attack or noise
_KINDS: Final = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_IPIP: "ip4", PROTO_IP6: "ip6", PROTO_GRE: "gre", 137: "mpls"}
_LOW: Final = np.uint64(0xFFFFFFFF)


def by_protocol(work: Work, proto: I64) -> Next:
    """Rows whose next layer an IP protocol number names."""
    tcp = proto == PROTO_TCP
    if tcp.all():
        return [("tcp", work)]
    out: Next = []
    other = np.ones(len(proto), bool)
    for value, kind in _KINDS.items():
        mask = proto == value
        if mask.any():
            out.append((kind, work.pick(mask)))
            other &= ~mask
    if (proto == PROTO_AH).any():
        mask = proto == PROTO_AH
        other &= ~mask
        out.append(("ah", work.pick(mask)))
    if other.any():
        out.append(("other", work.pick(other)))
    return out


def ip4(table: Table, work: Work) -> Next:
    """IPv4. A total length of 0 means segmentation offload: what was captured counts."""
    work = table.need(work, 20, "truncated_ip")
    first = table.u8(work.pos)
    header = (first & 15) * 4
    total = table.u16(work.pos + 2)
    total = np.where(total == 0, work.end - work.pos, total)
    good = (first >> 4 == 4) & (header >= 20) & (total >= header) & (header <= work.end - work.pos)
    if not good.all():
        table.drop("malformed_ip", int(np.count_nonzero(~good)))
        work, header, total = work.pick(good), header[good], total[good]
    rows, pos = work.rows, work.pos
    mapped = V4_MAPPED
    both = table.u64(pos + 12)
    table.src_hi[rows] = table.dst_hi[rows] = 0
    table.src_lo[rows] = (both >> np.uint64(32)) | mapped
    table.dst_lo[rows] = (both & _LOW) | mapped
    word = table.u32(pos + 4)
    table.ip_id[rows] = word >> 16
    proto = table.u8(pos + 9)
    table.proto[rows] = proto
    wire_end = pos + total
    table.wire_end[rows] = wire_end
    inside = Work(rows, pos, np.minimum(work.end, wire_end))
    fragment = (word & 0x3FFF) != 0
    if not fragment.any():
        return by_protocol(inside.skip(header), proto)
    table.fragments.append((4, inside.pick(fragment)))
    whole = ~fragment
    return by_protocol(inside.pick(whole).skip(header[whole]), proto[whole])


def ip6(table: Table, work: Work) -> Next:
    """IPv6 with its extension headers."""
    work = table.need(work, 40, "truncated_ip")
    good = table.u8(work.pos) >> 4 == 6
    if not good.all():
        table.drop("malformed_ip", int(np.count_nonzero(~good)))
        work = work.pick(good)
    rows, pos = work.rows, work.pos
    size = table.u16(pos + 4)
    total = np.where(size == 0, work.end - pos, size + 40)  # 0: jumbogram or segmentation offload
    table.src_hi[rows], table.src_lo[rows] = table.u64(pos + 8), table.u64(pos + 16)
    table.dst_hi[rows], table.dst_lo[rows] = table.u64(pos + 24), table.u64(pos + 32)
    table.ip_id[rows] = 0
    table.wire_end[rows] = pos + total
    following = table.u8(pos + 6)
    return extensions(table, Work(rows, pos + 40, np.minimum(work.end, pos + total)), following)


def extensions(table: Table, work: Work, following: I64) -> Next:
    """Walk extension headers (RFC 8200 section 4) until an upper layer or a fragment header."""
    out: Next = []
    for _ in range(EXTENSION_HEADERS):
        more = np.isin(following, EXTENSIONS)
        fragment = following == PROTO_FRAGMENT
        upper = ~(more | fragment)
        if fragment.any():
            table.fragments.append((6, work.pick(fragment)))
        if upper.any():
            ready = work.pick(upper)
            table.proto[ready.rows] = following[upper]
            out += by_protocol(ready, following[upper])
        if not more.any():
            return out
        work = work.pick(more)
        fits = work.end - work.pos >= 8
        table.drop("truncated_ip", int(np.count_nonzero(~fits)))
        work = work.pick(fits)
        following = table.u8(work.pos)
        work = work.skip((table.u8(work.pos + 1) + 1) * 8)
    table.drop("malformed_ip", len(work.rows))
    return out


def ah(table: Table, work: Work) -> Next:
    """Authentication header: passed over, it hides nothing (RFC 4302 section 2)."""
    work = table.need(work, 12, "truncated_ip")
    following = table.u8(work.pos)
    size = (table.u8(work.pos + 1) + 2) * 4
    table.proto[work.rows] = following
    return by_protocol(work.skip(size), following)


HANDLERS: Final[dict[str, Callable[[Table, Work], Next]]] = {"ip4": ip4, "ip6": ip6, "ah": ah}
