"""Addresses as text: IPv4 dotted, IPv6 as RFC 5952 writes it."""

import functools
import ipaddress

_V4_MAPPED = 0xFFFF


@functools.lru_cache(maxsize=65536)
def ip_text(high: int, low: int) -> str:
    """Text of a 128-bit address held in two halves; IPv4-mapped addresses as IPv4 (sensor.batch)."""
    high, low = int(high), int(low)
    if high == 0 and low >> 32 == _V4_MAPPED:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))
