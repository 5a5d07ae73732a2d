"""Longest-prefix lookup of one address among networks: a dict per prefix length, tried from the longest.

Cost: one dict lookup per distinct length, however many networks there are.
"""

import ipaddress
from collections.abc import Iterable
from typing import Generic, TypeVar

Value = TypeVar("Value")
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def network(prefix: str) -> IPNetwork:
    """A CIDR prefix; one inside ::ffff:0:0/96 is the IPv4 network it stands for (RFC 4291 section 2.5.5.2).

    Raises:
        ValueError: not CIDR, or host bits are set.
    """
    net = ipaddress.ip_network(prefix)
    if net.version == 6 and net.prefixlen >= 96 and net.network_address.ipv4_mapped is not None:
        return ipaddress.IPv4Network((net.network_address.ipv4_mapped, net.prefixlen - 96))
    return net


class Prefixes(Generic[Value]):
    """Networks with a value each. Of equal networks the first counts."""

    def __init__(self, rows: Iterable[tuple[IPNetwork, Value]]) -> None:
        found: dict[tuple[int, int], dict[int, Value]] = {}
        for net, value in rows:
            shift = net.max_prefixlen - net.prefixlen
            found.setdefault((net.version, shift), {}).setdefault(int(net.network_address) >> shift, value)
        self._by_length = {
            version: [(shift, found[family, shift]) for family, shift in sorted(found) if family == version]
            for version in (4, 6)
        }

    def get(self, address: IPAddress) -> Value | None:
        """Value of the longest prefix that holds the address, None without one."""
        number = int(address)
        for shift, values in self._by_length[address.version]:
            value = values.get(number >> shift)
            if value is not None:
                return value
        return None
