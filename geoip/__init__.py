"""Where an address is: country and legal zone, vectorised, with the evidence it rests on.

Order: the operator's networks (longest prefix), special ranges, the country database. NAT64 and 6to4 addresses are
looked up by the IPv4 address inside (RFC 6052, RFC 3056). Never imports the sensor; knows nothing of packets.
"""

import functools
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from geoip.mmdb import Countries, DatabaseError, open_countries
from geoip.ranges import U8, U64, Ranges4, Ranges6
from geoip.special import SPECIAL, zone_group

__all__ = ["Countries", "DatabaseError", "Network", "Place", "Places", "open_places", "zone_group"]

UNKNOWN: Final = "unknown"
SPECIAL_ZONE: Final = "special"
_MAPPED: Final = np.uint64(0xFFFF)
_LOW32: Final = np.uint64(0xFFFFFFFF)
_NAT64: Final = 0x0064_FF9B_0000_0000
_6TO4: Final = 0x2002


class Network(NamedTuple):
    """One of the operator's networks."""

    prefix: str
    zone: str
    entity: str = ""
    site: str = ""


class Place(NamedTuple):
    """Where an address is.

    Attributes:
        country: ISO 3166-1 alpha-2, "" when unknown or special.
        zone: legal zone: the country, `unknown` or `special`.
        entity, site: from the operator's network.
        asn: autonomous system number, None: the vendored databases have none.
        basis: `network`, `special`, `geoip` or `unknown`.
        confidence: 0-1.
        second_country: the second database's answer, "" where it has none or was not asked.
        agree: both databases say the same, or there is no second opinion.
    """

    country: str
    zone: str
    entity: str
    site: str
    asn: int | None
    basis: str
    confidence: float
    second_country: str
    agree: bool


class Places:
    """All sources of one run merged into one table per address family.

    Attributes:
        zone_names: code → zone; what `zones` returns indexes it.
        default: the database in use.
        second_name: the second database's name for people, "" without one.
    """

    def __init__(
        self, default: Countries, second: Countries | None, networks: Sequence[Network], home: Sequence[str]
    ) -> None:
        """Merge; private ranges belong to the first home zone.

        Raises:
            ValueError: a prefix is not CIDR, or too many zones.
        """
        self.default = default
        self.second_name = second.source if second else ""
        self._second = second
        names = [UNKNOWN, *default.names[1:]]
        rows = [(ipaddress.ip_network(row.prefix), row) for row in networks]
        for zone in (SPECIAL_ZONE, *home, *(row.zone for row in networks)):
            if zone not in names:
                names.append(zone)
        if len(names) > 254:
            raise ValueError(f"{len(names)} zones; at most 254 fit")
        self.zone_names = tuple(names)
        self._home = home[0]
        self._networks = sorted(rows, key=lambda item: -item[0].prefixlen)
        self._special = [(ipaddress.ip_network(prefix), kind) for prefix, kind in SPECIAL]
        overlays = [(net, home[0] if kind == "home" else SPECIAL_ZONE) for net, kind in self._special]
        overlays += [(net, row.zone) for net, row in reversed(self._networks)]  # finer prefixes are painted last
        v4, v6 = default.v4, default.v6
        for net, zone in overlays:
            low, high = int(net.network_address), int(net.broadcast_address) + 1
            if net.version == 4:
                v4 = v4.paint(low, high, names.index(zone))
            else:
                v6 = v6.paint(low, high, names.index(zone))
        self._v4: Ranges4 = v4
        self._v6: Ranges6 = v6
        self.place = functools.lru_cache(maxsize=65536)(self._place)

    def zones(self, high: U64, low: U64) -> U8:
        """Zone code of each address; uint64[n] halves in, uint8[n] out."""
        mapped = (high == 0) & (low >> np.uint64(32) == _MAPPED)
        if mapped.all():
            return self._v4.codes((low & _LOW32).astype(np.uint32))
        out = self._v6.codes(high, low)
        nat64 = (high == _NAT64) & (low >> np.uint64(32) == 0)
        v6to4 = high >> np.uint64(48) == _6TO4
        inner = np.where(v6to4, high >> np.uint64(16), low) & _LOW32
        embedded = mapped | nat64 | v6to4
        out[embedded] = self._v4.codes(inner[embedded].astype(np.uint32))
        return out

    def _place(self, high: int, low: int) -> Place:
        """Place of one address; cached as `place`."""
        high, low = _unwrapped(int(high), int(low))
        v4 = high == 0 and low >> 32 == 0xFFFF
        address = ipaddress.IPv4Address(low & 0xFFFFFFFF) if v4 else ipaddress.IPv6Address(high << 64 | low)
        for net, row in self._networks:
            if net.version == address.version and address in net:
                return Place(row.zone, row.zone, row.entity, row.site, None, "network", 1.0, "", agree=True)
        for net, kind in self._special:
            if net.version == address.version and address in net:
                country = self._home if kind == "home" else ""
                return Place(country, country or SPECIAL_ZONE, "", "", None, "special", 1.0, "", agree=True)
        country = self.default.country(high, low)
        second = self._second.country(high, low) if self._second else ""
        agree = not second or second == country
        if not country:
            return Place("", UNKNOWN, "", "", None, UNKNOWN, 0.0, second, agree=agree)
        return Place(country, country, "", "", None, "geoip", 0.9 if agree else 0.6, second, agree=agree)


def _unwrapped(high: int, low: int) -> tuple[int, int]:
    """The IPv4 address inside NAT64 and 6to4, IPv4-mapped."""
    if high == _NAT64 and low >> 32 == 0:
        return 0, 0xFFFF << 32 | low
    if high >> 48 == _6TO4:
        return 0, 0xFFFF << 32 | (high >> 16 & 0xFFFFFFFF)
    return high, low


def open_places(
    database: str, second: str, *, networks: Sequence[Network], home: Sequence[str], cache_dir: Path
) -> Places:
    """Open the databases an operator named and merge everything.

    Args:
        database: `default`, or the path of an .mmdb file.
        second: `second`, `none`, or a path.
        networks: the operator's own.
        home: home zones, the first one takes private ranges.
        cache_dir: where the derived table of an operator's file is kept.

    Raises:
        DatabaseError: a database cannot be used.
    """
    other = None if second == "none" else open_countries(second, cache_dir)
    return Places(open_countries(database, cache_dir), other, networks, home)
