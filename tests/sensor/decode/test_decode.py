"""Every encapsulation, against frames that scapy builds; nothing raises; every frame is accounted for."""

import ipaddress
import random

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP, IPOption_RR, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, fragment6
from scapy.layers.l2 import ARP, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from sensor.batch import PacketBatch
from sensor.counters import Counters
from sensor.decode import LIMITS, Decoder
from sensor.limits import Limits

TAIL = TCP(sport=40000, dport=8080, seq=7, ack=9, flags="PA") / Raw(b"payload!")
V4 = IP(src="192.0.2.1", dst="198.51.100.9", id=77)
V6 = IPv6(src="2001:db8::1", dst="2001:db8:1::2")
ETH = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
OUTER = ETH / IP(src="10.1.1.1", dst="10.1.1.2")


def batches(frames, size=None, link=1, gap_ns=1_000_000):
    data = [frame if isinstance(frame, bytes) else bytes(frame) for frame in frames]
    arena = np.frombuffer(b"".join(data) or b"\0", np.uint8)
    lengths = np.array([len(item) for item in data], np.int64)
    starts = np.cumsum(lengths) - lengths
    size = size or len(data)
    for at in range(0, len(data), size):
        rows = slice(at, at + size)
        count = len(starts[rows])
        yield PacketBatch(
            arena,
            starts[rows],
            lengths[rows],
            lengths[rows],
            np.arange(at, at + count, dtype=np.int64) * gap_ns,
            np.full(count, link, np.uint16),
            at,
            "test",
        )


def text(high, low):
    if high == 0 and low >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))


def decode(frames, *, size=None, link=1, counters=None, finish=True, gap_ns=1_000_000, **options):
    counters = Counters() if counters is None else counters
    decoder = Decoder(Limits(LIMITS), counters, **options)
    rows = []
    for batch in batches(frames, size, link, gap_ns):
        h = decoder.decode(batch)
        for i in range(len(h)):
            data = h.arena[h.payload[i] : h.payload[i] + h.length[i]].tobytes()
            src = text(int(h.src_hi[i]), int(h.src_lo[i]))
            dst = text(int(h.dst_hi[i]), int(h.dst_lo[i]))
            numbers = tuple(int(getattr(h, n)[i]) for n in ("proto", "sport", "dport", "flags", "seq", "ack"))
            rows.append((batch.first + int(h.packet[i]), src, dst, *numbers, data, int(h.missing[i])))
    if finish:
        decoder.finish()
        assert counters["frames_total",] == len(rows) + counters.total("drops_total")
        assert all(value >= 0 for value in counters.values())
    return rows


EXPECTED4 = ("192.0.2.1", "198.51.100.9", 6, 40000, 8080, 0x18, 7, 9, b"payload!", 0)
EXPECTED6 = ("2001:db8::1", "2001:db8:1::2", *EXPECTED4[2:])
ERSPAN1 = GRE(proto=0x88BE)

ENCAPSULATIONS = {
    "plain": (1, ETH / V4 / TAIL, EXPECTED4),
    "padding": (1, bytes(ETH / V4 / TAIL) + b"\x00" * 9, EXPECTED4),
    "ipv6": (1, ETH / V6 / TAIL, EXPECTED6),
    "vlan": (1, ETH / Dot1Q(vlan=5) / V4 / TAIL, EXPECTED4),
    "qinq": (1, ETH / Dot1AD(vlan=1000) / Dot1Q(vlan=200) / V4 / TAIL, EXPECTED4),
    "mpls": (1, ETH / MPLS(label=16, s=0) / MPLS(label=17, s=1) / V4 / TAIL, EXPECTED4),
    "mpls v6": (1, ETH / MPLS(label=17, s=1) / V6 / TAIL, EXPECTED6),
    "mpls pseudo-wire": (1, ETH / MPLS(label=17, s=1) / Raw(bytes(4)) / bytes(ETH / V4 / TAIL), EXPECTED4),
    "pppoe": (1, ETH / PPPoE(sessionid=3) / PPP(proto=0x21) / V4 / TAIL, EXPECTED4),
    "pppoe v6": (1, ETH / PPPoE(sessionid=3) / PPP(proto=0x57) / V6 / TAIL, EXPECTED6),
    "snap": (1, Dot3() / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x800) / V4 / TAIL, EXPECTED4),
    "ip options": (
        1,
        ETH / IP(src="192.0.2.1", dst="198.51.100.9", options=[IPOption_RR(length=11, routers=[])]) / TAIL,
        EXPECTED4,
    ),
    "v6 extensions": (1, ETH / V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TAIL, EXPECTED6),
    "gre": (1, OUTER / GRE() / V4 / TAIL, EXPECTED4),
    "gre keyed": (1, OUTER / GRE(key_present=1, seqnum_present=1, chksum_present=1) / V6 / TAIL, EXPECTED6),
    "gre ethernet": (1, OUTER / GRE(proto=0x6558) / ETH / V4 / TAIL, EXPECTED4),
    "erspan 1": (1, OUTER / ERSPAN1 / Raw(bytes(ETH / V4 / TAIL)), EXPECTED4),
    "erspan 2": (1, OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / ETH / V4 / TAIL, EXPECTED4),
    "erspan 3": (
        1,
        OUTER / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III() / ETH / Dot1Q(vlan=9) / V6 / TAIL,
        EXPECTED6,
    ),
    "vxlan": (1, OUTER / UDP(dport=4789) / VXLAN(vni=5) / ETH / V4 / TAIL, EXPECTED4),
    "vxlan over v6": (1, ETH / IPv6() / UDP(dport=8472) / VXLAN(vni=5) / ETH / V6 / TAIL, EXPECTED6),
    "geneve": (1, OUTER / UDP(dport=6081) / GENEVE(vni=5, proto=0x6558) / ETH / V4 / TAIL, EXPECTED4),
    "gtp-u": (1, OUTER / UDP(dport=2152) / GTP_U_Header(teid=1, gtp_type=255) / V4 / TAIL, EXPECTED4),
    "gtp-u sequence": (
        1,
        OUTER / UDP(dport=2152) / GTP_U_Header(teid=1, gtp_type=255, S=1, seq=4) / V6 / TAIL,
        EXPECTED6,
    ),
    "ip in ip": (1, OUTER / V4 / TAIL, EXPECTED4),
    "6in4": (1, OUTER / V6 / TAIL, EXPECTED6),
    "4in6": (1, ETH / IPv6() / V4 / TAIL, EXPECTED4),
    "6in6": (1, ETH / IPv6() / V6 / TAIL, EXPECTED6),
    "deep": (
        1,
        ETH
        / Dot1AD(vlan=1)
        / Dot1Q(vlan=2)
        / MPLS(label=17, s=1)
        / IP()
        / GRE(proto=0x88BE, seqnum_present=1)
        / ERSPAN_II()
        / ETH
        / Dot1Q(vlan=3)
        / IP()
        / UDP(dport=4789)
        / VXLAN()
        / ETH
        / V6
        / TAIL,
        EXPECTED6,
    ),
    "raw v4": (101, V4 / TAIL, EXPECTED4),
    "raw v6": (101, V6 / TAIL, EXPECTED6),
    "null": (0, Loopback(type=2) / V4 / TAIL, EXPECTED4),
    "null other order": (0, bytes.fromhex("1e000000") + bytes(V6 / TAIL), EXPECTED6),
    "loop": (108, bytes.fromhex("00000002") + bytes(V4 / TAIL), EXPECTED4),
    "sll": (113, CookedLinux(proto=0x800) / V4 / TAIL, EXPECTED4),
    "sll vlan": (113, CookedLinux(proto=0x8100) / Dot1Q(vlan=4) / V4 / TAIL, EXPECTED4),
    "sll2": (276, CookedLinuxV2(proto=0x86DD) / V6 / TAIL, EXPECTED6),
    "ppp": (9, HDLC() / PPP(proto=0x21) / V4 / TAIL, EXPECTED4),
    "ppp short": (9, b"\x21" + bytes(V4 / TAIL), EXPECTED4),
}


@pytest.mark.parametrize("name", ENCAPSULATIONS)
def test_encapsulation(name):
    link, frame, expected = ENCAPSULATIONS[name]
    assert decode([frame], link=link) == [(0, *expected)]


@pytest.mark.parametrize("name", ENCAPSULATIONS)
def test_cut_anywhere_is_accounted_for(name):
    link, frame, _ = ENCAPSULATIONS[name]
    data = bytes(frame)
    rows = decode([data[:end] for end in range(1, len(data))], link=link, check_duplicates=False)
    assert len(rows) < len(data)


def test_all_encapsulations_in_one_batch_keep_their_order():
    frames = [frame for link, frame, _ in ENCAPSULATIONS.values() if link == 1]
    expected = [(n, *row) for n, row in enumerate(row for link, _, row in ENCAPSULATIONS.values() if link == 1)]
    assert decode(frames, check_duplicates=False) == expected
    assert decode(frames, size=3, check_duplicates=False) == expected


def vlan_of(frame):
    decoder = Decoder(Limits(LIMITS), Counters())
    return int(decoder.decode(next(iter(batches([frame])))).vlan[0])


def test_vlan_column():
    assert vlan_of(ETH / V4 / TAIL) == 0
    assert vlan_of(ETH / Dot1Q(vlan=5) / V4 / TAIL) == 1 << 31 | 5
    assert vlan_of(ETH / Dot1AD(vlan=1000) / Dot1Q(vlan=200) / V4 / TAIL) == 1 << 31 | 200 << 12 | 1000


def test_snap_length_is_missing_payload():
    frame = bytes(ETH / V4 / TCP(sport=1, dport=2) / Raw(b"x" * 500))
    row = decode([frame[:100]])[0]
    assert (len(row[9]), row[10]) == (46, 454)
    datagram = bytes(ETH / V4 / UDP(sport=1, dport=2) / Raw(b"x" * 500))
    row = decode([datagram[:100]])[0]
    assert (len(row[9]), row[10]) == (58, 442)


def test_total_length_zero_means_offload():
    frame = bytearray(bytes(ETH / V4 / TAIL))
    frame[16:18] = b"\0\0"
    assert decode([bytes(frame)]) == [(0, *EXPECTED4)]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (ETH / ARP(), "not_ip"),
        (Ether(type=0x88CC) / Raw(bytes(60)), "not_ip"),
        (Ether(type=0x88E5) / Raw(bytes(60)), "macsec"),
        (ETH / IP(src="10.0.0.1") / UDP(dport=3544) / V6 / TAIL, "teredo"),
        (bytes(ETH)[:10], "truncated_link"),
        (bytes(ETH / V4)[:30], "truncated_ip"),
        (bytes(ETH / V4 / TAIL)[:40], "truncated_transport"),
        (ETH / Raw(b"\x55" + bytes(60)), "not_ip"),
        (bytes(ETH)[:12] + b"\x08\x00" + b"\x65" + bytes(60), "malformed_ip"),
    ],
)
def test_what_is_not_decoded_is_named(frame, reason):
    counters = Counters()
    assert decode([frame], counters=counters) == []
    assert counters.by_label("drops_total") == {reason: 1}


@pytest.mark.parametrize(
    ("frame", "proto", "ports"),
    [
        (ETH / V4 / ICMP(), 1, (0, 0)),
        (ETH / V4 / SCTP(sport=9, dport=10), 132, (9, 10)),
        (ETH / IP(proto=50) / Raw(bytes(40)), 50, (0, 0)),
        (ETH / V4 / UDP(sport=5, dport=4789) / Raw(b"not a tunnel, just text"), 17, (5, 4789)),
        (ETH / V4 / UDP(sport=5, dport=2152) / Raw(b"not a tunnel either"), 17, (5, 2152)),
    ],
)
def test_other_transports_keep_their_row(frame, proto, ports):
    row = decode([frame])[0]
    assert (row[3], row[4:6]) == (proto, ports)


BIG = UDP(sport=1111, dport=2222) / Raw(bytes(range(256)) * 12)
WHOLE4 = ("192.0.2.1", "198.51.100.9", 17, 1111, 2222, 0, 0, 0, bytes(range(256)) * 12, 0)


def pieces4(ip_id=77):
    return [ETH / part for part in fragment(IP(src="192.0.2.1", dst="198.51.100.9", id=ip_id) / BIG, 600)]


def pieces6():
    whole = V6 / IPv6ExtHdrFragment(id=9) / BIG
    return [ETH / part for part in fragment6(whole, 700)]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("seed", range(4))
def test_fragments_in_any_order_and_batching(size, seed):
    frames = pieces4() + pieces6()
    random.Random(seed).shuffle(frames)
    rows = decode(frames, size=size)
    assert sorted(row[1:] for row in rows) == sorted([WHOLE4, ("2001:db8::1", "2001:db8:1::2", *WHOLE4[2:])])


def test_fragments_of_a_tunnel_hold_a_packet():
    inner = V6 / TAIL
    outer = IP(src="10.1.1.1", dst="10.1.1.2", id=5, proto=41) / Raw(bytes(inner))
    frames = [ETH / part for part in fragment(outer, 40)]
    assert [row[1:] for row in decode([ETH / V4 / TAIL, *frames])] == [EXPECTED4, EXPECTED6]


def test_row_order_is_that_of_the_completing_fragment():
    parts = pieces4()
    frames = [parts[0], ETH / V4 / TAIL, *parts[1:], ETH / V6 / TAIL]
    assert [row[0] for row in decode(frames)] == [1, len(parts), len(parts) + 1]


def test_missing_fragments_time_out_and_are_counted():
    counters = Counters()
    frames = [*pieces4()[:-1], ETH / V4 / TAIL]
    assert len(decode(frames, counters=counters, gap_ns=40 * 10**9)) == 1
    assert counters["drops_total", "fragment_merged_or_lost"] == len(frames) - 1


def overlapping(policy):
    """First two pieces overlap in 8 bytes that differ."""
    ip = {"src": "192.0.2.1", "dst": "198.51.100.9", "id": 3, "proto": 17}
    head = bytes(UDP(sport=1, dport=2, len=40))
    frames = [
        ETH / IP(**ip, flags="MF", frag=0) / Raw(head + b"A" * 16),
        ETH / IP(**ip, flags="MF", frag=2) / Raw(b"B" * 16),
        ETH / IP(**ip, frag=4) / Raw(b"C" * 8),
    ]
    return decode(frames, overlap=policy)[0][9]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("first", b"A" * 16 + b"B" * 8 + b"C" * 8),
        ("last", b"A" * 8 + b"B" * 16 + b"C" * 8),
        ("linux", b"A" * 16 + b"B" * 8 + b"C" * 8),
        ("windows", b"A" * 16 + b"B" * 8 + b"C" * 8),
    ],
)
def test_overlap_policies(policy, expected):
    assert overlapping(policy) == expected


def test_overlapping_v6_fragments_are_dropped():
    def part(offset, more, data):
        return ETH / V6 / IPv6ExtHdrFragment(id=4, offset=offset, m=more, nh=17) / Raw(data)

    head = bytes(UDP(sport=1, dport=2, len=40))
    frames = [part(0, 1, head + b"A" * 16), part(2, 1, b"B" * 16), part(4, 0, b"C" * 8)]
    counters = Counters()
    assert decode(frames, counters=counters) == []


def copies(frame):
    other = Ether(bytes(frame)).copy()
    other.src, other[IP].ttl = "02:00:00:00:00:99", other[IP].ttl - 1
    del other[IP].chksum
    return [frame, bytes(other[Ether])[:12] + b"\x81\x00\x00\x07" + bytes(other)[12:]]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_mirror_duplicates_are_dropped_whatever_the_batches(size):
    frames = []
    for n in range(20):
        frames += copies(
            ETH / IP(src="192.0.2.1", dst="198.51.100.9", id=n) / TCP(seq=n * 5, flags="PA") / Raw(b"12345")
        )
    counters = Counters()
    rows = decode(frames, size=size, counters=counters)
    assert [row[0] for row in rows] == list(range(0, 40, 2))
    assert counters["drops_total", "mirror_duplicate"] == 20


def test_a_later_retransmission_is_no_duplicate():
    frame = ETH / V4 / TAIL
    assert len(decode([frame, frame], gap_ns=200_000_000)) == 2
    assert len(decode([ETH / V4 / TCP(flags="A")] * 2)) == 2
    assert len(decode([frame, frame], check_duplicates=False)) == 2


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=120), min_size=1, max_size=12), st.sampled_from([0, 1, 9, 101, 113, 276])
)
def test_any_bytes_are_accounted_for(frames, link):
    decode(frames, link=link)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_real_frames_are_accounted_for(data):
    name = data.draw(st.sampled_from(sorted(ENCAPSULATIONS)))
    link, frame, _ = ENCAPSULATIONS[name]
    raw = bytearray(bytes(frame))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    decode([bytes(raw)], link=link)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 65535), st.booleans(), st.binary(max_size=60)),
        min_size=1,
        max_size=20,
    )
)
def test_agrees_with_dpkt(specs):
    frames = []
    for address, port, is_tcp, payload in specs:
        layer = TCP(sport=port, dport=80, seq=address) if is_tcp else UDP(sport=port, dport=80)
        frames.append(bytes(ETH / IP(src=str(ipaddress.IPv4Address(address)), dst="192.0.2.1") / layer / Raw(payload)))
    rows = decode(frames, check_duplicates=False)
    for frame, row in zip(frames, rows, strict=True):
        theirs = dpkt.ethernet.Ethernet(frame).data
        assert (str(ipaddress.ip_address(theirs.src)), theirs.p) == (row[1], row[3])
        assert (theirs.data.sport, theirs.data.dport, bytes(theirs.data.data)) == (row[4], row[5], row[9])
