"""Tunnels: GRE and ERSPAN, VXLAN, GENEVE, GTP-U; Teredo is refused by name.

Sources: RFC 2784, RFC 2890, RFC 2637 (GRE); draft-foschiano-erspan; RFC 7348 (VXLAN); RFC 8926 (GENEVE);
3GPP TS 29.281 (GTP-U); RFC 4380 (Teredo). A UDP port alone proves nothing: the header must be plausible, else the row
stays an ordinary datagram.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from sensor.batch import I64
from sensor.decode.link import Next, by_type
from sensor.decode.table import Mask, Table, Work

VXLAN_PORTS: Final = (4789, 8472)
GENEVE_PORT, GTPU_PORT, TEREDO_PORT = 6081, 2152, 3544
_PORTS: Final = np.array([*VXLAN_PORTS, GENEVE_PORT, GTPU_PORT, TEREDO_PORT])
ERSPAN_I_II, ERSPAN_III, PPP_IN_GRE = 0x88BE, 0x22EB, 0x880B
G_PDU: Final = 255
GTP_EXTENSIONS: Final = 4


def gre(table: Table, work: Work) -> Next:
    """GRE version 0 with optional checksum, key, sequence; version 1 carries PPP."""
    work = table.need(work, 4, "truncated_tunnel")
    word = table.u32(work.pos)
    flags, etype = word >> 16, word & 0xFFFF
    version = flags & 7
    sequence = flags & 0x1000 != 0
    size = 4 + 4 * ((flags & 0xC000 != 0) * 1 + (flags & 0x2000 != 0) + sequence)
    size += np.where(version == 1, 4 * (flags & 0x0080 != 0), 0)
    source_route = (flags & 0x4000 != 0) & (version == 0)
    good = (version <= 1) & ~source_route & (work.end - work.pos >= size)
    table.drop("malformed_tunnel", int(np.count_nonzero(~good)))
    work, etype, sequence = work.pick(good).skip(size[good]), etype[good], sequence[good]
    out: Next = []
    special = {
        "erspan1": (etype == ERSPAN_I_II) & ~sequence,
        "erspan2": (etype == ERSPAN_I_II) & sequence,
        "erspan3": etype == ERSPAN_III,
        "ppp": etype == PPP_IN_GRE,
    }
    rest = np.ones(len(etype), bool)
    for kind, mask in special.items():
        if mask.any():
            out.append((kind, work.pick(mask)))
            rest &= ~mask
    if rest.any():
        out += by_type(table, work.pick(rest), etype[rest])
    return out


def erspan1(table: Table, work: Work) -> Next:
    """Type I has no header of its own."""
    del table
    return [("ethernet", work)]


def erspan2(table: Table, work: Work) -> Next:
    """Type II: 8 bytes; the mirrored VLAN stands in the header."""
    work = table.need(work, 8, "truncated_tunnel")
    return [("ethernet", work.skip(8))]


def erspan3(table: Table, work: Work) -> Next:
    """Type III: 12 bytes and, when the O bit is set, a platform sub-header of 8."""
    work = table.need(work, 12, "truncated_tunnel")
    optional = table.u8(work.pos + 11) & 1
    return [("ethernet", work.skip(12 + 8 * optional))]


def inside_udp(table: Table, work: Work, sport: I64, dport: I64) -> tuple[Next, Mask]:
    """Tunnelled rows by their next layer, and which rows are plain datagrams."""
    plain = np.ones(len(work.rows), bool)
    candidate = np.isin(dport, _PORTS) | (sport == TEREDO_PORT)
    if not candidate.any():
        return [], plain
    out: Next = []
    size = work.end - work.pos - 8
    for test, unwrap in (
        (np.isin(dport, VXLAN_PORTS), _vxlan),
        (dport == GENEVE_PORT, _geneve),
        (dport == GTPU_PORT, _gtpu),
    ):
        mask = test & (size >= 8)
        if mask.any():
            chosen = work.pick(mask).skip(8)
            following, taken = unwrap(table, chosen)
            out += following
            plain[np.flatnonzero(mask)[taken]] = False
    teredo = ((dport == TEREDO_PORT) | (sport == TEREDO_PORT)) & (size >= 40)
    if teredo.any():
        index = np.flatnonzero(teredo)
        first = table.u16(work.pos[index] + 8)
        real = (first >> 12 == 6) | (first <= 1)  # an IPv6 packet, or authentication/origin indication before it
        table.drop("teredo", int(np.count_nonzero(real)))
        plain[index[real]] = False
    return out, plain


def _vxlan(table: Table, work: Work) -> tuple[Next, Mask]:
    """RFC 7348 section 5: the I flag set, the last byte zero; an Ethernet frame follows.

    The P flag (draft-ietf-nvo3-vxlan-gpe) names another next protocol; the group policy flag is allowed.
    """
    word = table.u32(work.pos)
    flags = word >> 24
    inner = np.where(flags & 4 != 0, word & 0xFF, 3)
    taken = (flags & 0x08 != 0) & (flags & 0x73 == 0) & (table.u8(work.pos + 7) == 0) & (inner >= 1) & (inner <= 3)
    taken &= work.end - work.pos >= 22
    kinds = ((1, "ip4"), (2, "ip6"), (3, "ethernet"))
    return [(kind, work.pick(taken & (inner == value)).skip(8)) for value, kind in kinds], taken


def _geneve(table: Table, work: Work) -> tuple[Next, Mask]:
    """RFC 8926 section 3.4: version 0, options in 4-byte words, protocol an EtherType."""
    word = table.u32(work.pos)
    options = ((word >> 24) & 0x3F) * 4
    etype = word & 0xFFFF
    taken = (word >> 30 == 0) & np.isin(etype, (0x6558, 0x0800, 0x86DD)) & (work.end - work.pos >= 8 + options)
    chosen = work.pick(taken).skip(8 + options[taken])
    return (by_type(table, chosen, etype[taken]) if len(chosen.rows) else []), taken


def _gtpu(table: Table, work: Work) -> tuple[Next, Mask]:
    """TS 29.281 section 5: version 1, PT 1, G-PDU; optional fields and extension headers are passed over."""
    word = table.u32(work.pos)
    flags, kind = word >> 24, (word >> 16) & 0xFF
    taken = (flags >> 5 == 1) & (flags & 0x10 != 0) & (kind == G_PDU)
    optional = flags & 7 != 0
    taken &= work.end - work.pos >= np.where(optional, 13, 9)
    chosen = work.pick(taken)
    extended = (flags & 4 != 0)[taken]
    size = np.where(optional[taken], 12, 8)
    for _ in range(GTP_EXTENSIONS):
        following = np.zeros(len(size), np.int64)
        inside = chosen.end - chosen.pos > size + 1
        look = extended & inside
        following[look] = table.u8(chosen.pos[look] + size[look] - 1)
        extended = look & (following != 0)
        if not extended.any():
            break
        units = table.u8(chosen.pos[extended] + size[extended])
        size[extended] += np.maximum(units, 1) * 4
    fits = chosen.end - chosen.pos > size
    table.drop("malformed_tunnel", int(np.count_nonzero(~fits)))
    chosen = chosen.pick(fits).skip(size[fits])
    return [("raw", chosen)], taken


HANDLERS: Final[dict[str, Callable[[Table, Work], Next]]] = {
    "gre": gre,
    "erspan1": erspan1,
    "erspan2": erspan2,
    "erspan3": erspan3,
}
