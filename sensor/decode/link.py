"""Link layers: from the first captured byte to an IP header.

Sources: IEEE 802.3, 802.1Q, 802.1ad; RFC 3032 (MPLS); RFC 2516 (PPPoE); RFC 1661, 1662 (PPP); RFC 1042 (SNAP);
tcpdump.org LINKTYPE_NULL, LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from sensor import batch
from sensor.batch import I64
from sensor.decode.table import Table, Work

Next = list[tuple[str, Work]]
VLAN_TYPES: Final = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})
_BY_TYPE: Final = {
    0x0800: "ip4",
    0x86DD: "ip6",
    0x8847: "mpls",
    0x8848: "mpls",
    0x8864: "pppoe",
    0x6558: "ethernet",
    **dict.fromkeys(VLAN_TYPES, "vlan"),
}
_DROPPED: Final = {0x88E5: "macsec", 0x0806: "not_ip", 0x8863: "not_ip"}
MPLS_LABELS: Final = 8  # deeper stacks are not seen in practice; beyond, the row is dropped as malformed


def by_type(table: Table, work: Work, etype: I64) -> Next:
    """Rows whose next layer an EtherType names (IANA IEEE 802 numbers)."""
    ip4 = etype == 0x0800
    if ip4.all():
        return [("ip4", work)]
    out: Next = []
    for value in np.unique(etype).tolist():
        rows = work.pick(etype == value)
        if value in _BY_TYPE:
            out.append((_BY_TYPE[value], rows))
        elif value <= 1500:
            out.append(("llc", rows))
        else:
            table.drop(_DROPPED.get(value, "not_ip"), len(rows.rows))
    return out


def ethernet(table: Table, work: Work) -> Next:
    """Ethernet II or 802.3."""
    work = table.need(work, 14, "truncated_link")
    return by_type(table, work.skip(14), table.u16(work.pos + 12))


def vlan(table: Table, work: Work) -> Next:
    """One 802.1Q or 802.1ad tag."""
    work = table.need(work, 4, "truncated_link")
    table.tag(work.rows, table.u16(work.pos))
    return by_type(table, work.skip(4), table.u16(work.pos + 2))


def llc(table: Table, work: Work) -> Next:
    """802.2: SNAP with an EtherType is followed, everything else is not IP."""
    work = table.need(work, 8, "not_ip")
    snap = (table.u32(work.pos) == 0xAAAA0300) & (table.u8(work.pos + 4) == 0)
    table.drop("not_ip", int(np.count_nonzero(~snap)))
    work = work.pick(snap)
    return by_type(table, work.skip(8), table.u16(work.pos + 6))


def mpls(table: Table, work: Work) -> Next:
    """A label stack; what follows is told by its first nibble (RFC 4928): IPv4, IPv6, or an Ethernet pseudo-wire."""
    out: Next = []
    for _ in range(MPLS_LABELS):
        work = table.need(work, 5, "truncated_link")
        bottom = table.u8(work.pos + 2) & 1 == 1
        last = work.pick(bottom).skip(4)
        if len(last.rows):
            nibble = table.u8(last.pos) >> 4
            out += [("ip4", last.pick(nibble == 4)), ("ip6", last.pick(nibble == 6))]
            word = last.pick(nibble == 0)  # pseudo-wire control word, RFC 4385
            out.append(("ethernet", word.skip(4)))
            out.append(("ethernet", last.pick((nibble != 0) & (nibble != 4) & (nibble != 6))))
        work = work.pick(~bottom).skip(4)
        if not len(work.rows):
            return out
    table.drop("malformed_link", len(work.rows))
    return out


def pppoe(table: Table, work: Work) -> Next:
    """PPPoE session data."""
    work = table.need(work, 8, "truncated_link")
    return ppp(table, work.skip(6))


def ppp(table: Table, work: Work) -> Next:
    """PPP, with or without address and control bytes, with a protocol field of one or two bytes."""
    work = table.need(work, 4, "truncated_link")
    framed = table.u16(work.pos) == 0xFF03
    work = work.skip(np.where(framed, 2, 0))
    work = table.need(work, 2, "truncated_link")
    first = table.u8(work.pos)
    short = first & 1 == 1
    protocol = np.where(short, first, table.u16(work.pos))
    work = work.skip(np.where(short, 1, 2))
    known = {0x0021: "ip4", 0x0057: "ip6", 0x0281: "mpls"}
    out: Next = [(kind, work.pick(protocol == value)) for value, kind in known.items()]
    table.drop("not_ip", int(np.count_nonzero(~np.isin(protocol, list(known)))))
    return out


def null(table: Table, work: Work) -> Next:
    """BSD loopback: the address family in the byte order of the capturing host (or network order, LINKTYPE_LOOP)."""
    work = table.need(work, 4, "truncated_link")
    family = table.u32(work.pos)
    family = np.where(family > 0xFFFF, family >> 24, family)
    work = work.skip(4)
    ip4, ip6 = family == 2, np.isin(family, (10, 24, 28, 30))
    table.drop("not_ip", int(np.count_nonzero(~(ip4 | ip6))))
    return [("ip4", work.pick(ip4)), ("ip6", work.pick(ip6))]


def raw(table: Table, work: Work) -> Next:
    """IP without a link layer: the version nibble tells."""
    work = table.need(work, 1, "truncated_link")
    version = table.u8(work.pos) >> 4
    table.drop("not_ip", int(np.count_nonzero((version != 4) & (version != 6))))
    return [("ip4", work.pick(version == 4)), ("ip6", work.pick(version == 6))]


def sll(table: Table, work: Work) -> Next:
    """Linux cooked capture, version 1."""
    work = table.need(work, 16, "truncated_link")
    return by_type(table, work.skip(16), table.u16(work.pos + 14))


def sll2(table: Table, work: Work) -> Next:
    """Linux cooked capture, version 2."""
    work = table.need(work, 20, "truncated_link")
    return by_type(table, work.skip(20), table.u16(work.pos))


BY_LINK: Final[dict[int, str]] = {
    batch.LINK_ETHERNET: "ethernet",
    batch.LINK_NULL: "null",
    batch.LINK_LOOP: "null",
    batch.LINK_RAW: "raw",
    batch.LINK_IPV4: "raw",
    batch.LINK_IPV6: "raw",
    12: "raw",
    14: "raw",
    batch.LINK_PPP: "ppp",
    batch.LINK_SLL: "sll",
    batch.LINK_SLL2: "sll2",
}
HANDLERS: Final[dict[str, Callable[[Table, Work], Next]]] = {
    "ethernet": ethernet,
    "vlan": vlan,
    "llc": llc,
    "mpls": mpls,
    "pppoe": pppoe,
    "ppp": ppp,
    "null": null,
    "raw": raw,
    "sll": sll,
    "sll2": sll2,
}
