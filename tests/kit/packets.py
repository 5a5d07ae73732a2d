"""Builders of frames and capture files, byte by byte, for tests."""

import ipaddress
import struct

ETH_V4 = bytes.fromhex("0200000000010200000000020800")
ETH_V6 = bytes.fromhex("02000000000102000000000286dd")


def tcp(src, dst, sport, dport, seq=0, ack=0, flags=0x18, payload=b"", *, ip_id=1, ttl=64, vlan=()):
    """Ethernet, IPv4 or IPv6, TCP; checksums zero."""
    body = struct.pack(">HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, 0x50, flags, 65535, 0, 0) + payload
    return ethernet(src, dst, 6, body, ip_id=ip_id, ttl=ttl, vlan=vlan)


def udp(src, dst, sport, dport, payload=b"", *, ip_id=1, ttl=64, vlan=()):
    """Ethernet, IPv4 or IPv6, UDP; checksums zero."""
    body = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ethernet(src, dst, 17, body, ip_id=ip_id, ttl=ttl, vlan=vlan)


def ethernet(src, dst, proto, body, *, ip_id=1, ttl=64, vlan=()):
    """Ethernet II with optional VLAN tags, then IP."""
    source, target = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in vlan)
    if source.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ip_id, 0x4000, ttl, proto, 0)
        return ETH_V4[:12] + tags + ETH_V4[12:] + head + source.packed + target.packed + body
    head = struct.pack(">IHBB", 6 << 28, len(body), proto, ttl)
    return ETH_V6[:12] + tags + ETH_V6[12:] + head + source.packed + target.packed + body


def pcap(frames, *, order="<", nanos=False, link=1, start_ns=1_700_000_000_000_000_000, step_ns=1_000_000):
    """Classic pcap of frames; an item is bytes or (bytes, wire length)."""
    magic = 0xA1B23C4D if nanos else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for number, item in enumerate(frames):
        frame, wire = item if isinstance(item, tuple) else (item, len(item))
        ts = start_ns + number * step_ns
        fraction = ts % 10**9 if nanos else ts % 10**9 // 1000
        out.append(struct.pack(order + "IIII", ts // 10**9, fraction, len(frame), wire) + frame)
    return b"".join(out)


def block(kind, body, order="<"):
    """One pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    """Section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order="<", *, link=1, tsresol=None, tsoffset=None, snaplen=262144):
    """Interface description block."""
    body = struct.pack(order + "HHI", link, 0, snaplen)
    if tsresol is not None:
        body += struct.pack(order + "HHB3x", 9, 1, tsresol)
    if tsoffset is not None:
        body += struct.pack(order + "HHq", 14, 8, tsoffset)
    return block(1, body + struct.pack(order + "HH", 0, 0), order)


def enhanced(frame, ticks, order="<", *, number=0, wire=None):
    """Enhanced packet block."""
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), wire or len(frame))
    return block(6, head + frame, order)


def pcapng(frames, *, order="<", nanos=False, link=1, start_ns=1_700_000_000_000_000_000, step_ns=1_000_000):
    """pcapng of one section and interface."""
    out = [section(order), interface(order, link=link, tsresol=9 if nanos else None)]
    for number, item in enumerate(frames):
        frame, wire = item if isinstance(item, tuple) else (item, len(item))
        ts = start_ns + number * step_ns
        out.append(enhanced(frame, ts if nanos else ts // 1000, order, wire=wire))
    return b"".join(out)
