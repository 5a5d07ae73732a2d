"""Where an address is: country and legal zone, vectorised, with the evidence it rests on.

Order: the operator's networks (longest prefix), special ranges, the country database. NAT64, 6to4 and Teredo addresses
that no network claims are looked up by the IPv4 address inside. Never imports the sensor; knows nothing of packets.
"""

import functools
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from geoip.mmdb import Countries, DatabaseError, open_countries
from geoip.prefixes import IPAddress, Prefixes, network
from geoip.ranges import U8, U32, U64, Ranges4, Ranges6
from geoip.special import SPECIAL, zone_group

__all__ = ["Countries", "DatabaseError", "Network", "Place", "Places", "open_places", "zone_group"]

UNKNOWN: Final = "unknown"
SPECIAL_ZONE: Final = "special"
_MAPPED: Final = np.uint64(0xFFFF)
_LOW32: Final = np.uint64(0xFFFFFFFF)
_NAT64: Final = 0x0064_FF9B_0000_0000  # 64:ff9b::/96, RFC 6052 section 2.1: the IPv4 address comes last
_6TO4: Final = 0x2002  # 2002::/16, RFC 3056 section 2: it follows the prefix
_TEREDO: Final = 0x2001_0000  # 2001::/32, RFC 4380 section 4: the client's own comes last, inverted
_EMBEDDING: Final = tuple(network(prefix) for prefix in ("64:ff9b::/96", "2002::/16", "2001::/32"))


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
        rows = [(network(row.prefix), row) for row in networks]
        for zone in (SPECIAL_ZONE, *home, *(row.zone for row in networks)):
            if zone not in names:
                names.append(zone)
        if len(names) > 254:
            raise ValueError(f"{len(names)} zones; at most 254 fit")
        self.zone_names = tuple(names)
        self._home = home[0]
        special = [(network(prefix), kind) for prefix, kind in SPECIAL]
        self._networks = Prefixes(rows)
        self._special = Prefixes(special)
        overlays = [(net, UNKNOWN) for net in _EMBEDDING]  # whatever a database says of them: the inner address decides
        overlays += [(net, home[0] if kind == "home" else SPECIAL_ZONE) for net, kind in special]
        rows.sort(key=lambda item: -item[0].prefixlen)
        overlays += [(net, row.zone) for net, row in reversed(rows)]  # finer prefixes are painted last
        v4, v6 = Ranges4.clear(), Ranges6.clear()
        for net, zone in overlays:
            low, high = int(net.network_address), int(net.broadcast_address) + 1
            if net.version == 4:
                v4 = v4.paint(low, high, names.index(zone))
            else:
                v6 = v6.paint(low, high, names.index(zone))
        self._v4: Ranges4 = default.v4.under(v4)
        self._v6: Ranges6 = default.v6.under(v6)
        self.place = functools.lru_cache(maxsize=65536)(self._place)

    def zones(self, high: U64, low: U64) -> U8:
        """Zone code of each address; uint64[n] halves in, uint8[n] out."""
        mapped = (high == 0) & (low >> np.uint64(32) == _MAPPED)
        if mapped.all():
            return self._v4.codes((low & _LOW32).astype(np.uint32))
        out = np.empty(len(low), np.uint8)
        out[mapped] = self._v4.codes((low[mapped] & _LOW32).astype(np.uint32))
        out[~mapped] = self._zones6(high[~mapped], low[~mapped])
        return out

    def _zones6(self, high: U64, low: U64) -> U8:
        out = self._v6.codes(high, low)
        rows = np.flatnonzero(out == 0)  # an operator's network goes before the inner address
        high, low = high[rows], low[rows]
        nat64 = (high == _NAT64) & (low >> np.uint64(32) == 0)
        v6to4 = high >> np.uint64(48) == _6TO4
        teredo = high >> np.uint64(32) == _TEREDO
        inner: U32 = (np.where(v6to4, high >> np.uint64(16), np.where(teredo, ~low, low)) & _LOW32).astype(np.uint32)
        embedding = nat64 | v6to4 | teredo
        out[rows[embedding]] = self._v4.codes(inner[embedding])
        return out

    def _place(self, high: int, low: int) -> Place:
        """Place of one address; cached as `place`."""
        high, low = int(high), int(low)
        row = self._networks.get(_address(high, low))
        if row is None:
            high, low = _unwrapped(high, low)
            row = self._networks.get(_address(high, low))
        if row is not None:
            return Place(row.zone, row.zone, row.entity, row.site, None, "network", 1.0, "", agree=True)
        kind = self._special.get(_address(high, low))
        if kind is not None:
            country = self._home if kind == "home" else ""
            return Place(country, country or SPECIAL_ZONE, "", "", None, "special", 1.0, "", agree=True)
        country = self.default.country(high, low)
        second = self._second.country(high, low) if self._second else ""
        agree = not second or second == country
        if not country:
            return Place("", UNKNOWN, "", "", None, UNKNOWN, 0.0, second, agree=agree)
        return Place(country, country, "", "", None, "geoip", 0.9 if agree else 0.6, second, agree=agree)


def _address(high: int, low: int) -> IPAddress:
    if high == 0 and low >> 32 == 0xFFFF:
        return ipaddress.IPv4Address(low & 0xFFFFFFFF)
    return ipaddress.IPv6Address(high << 64 | low)


def _unwrapped(high: int, low: int) -> tuple[int, int]:
    """The IPv4 address inside NAT64, 6to4 and Teredo, IPv4-mapped."""
    if high == _NAT64 and low >> 32 == 0:
        return 0, 0xFFFF << 32 | low
    if high >> 48 == _6TO4:
        return 0, 0xFFFF << 32 | (high >> 16 & 0xFFFFFFFF)
    if high >> 32 == _TEREDO:
        return 0, 0xFFFF << 32 | (~low & 0xFFFFFFFF)
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
