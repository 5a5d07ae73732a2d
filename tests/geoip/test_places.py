"""Lookups against slow, obvious ones; the order of sources; the vendored tables against their files."""

import ipaddress
import lzma
import random

import maxminddb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoip import DatabaseError, Network, Places, open_places, zone_group
from geoip.mmdb import DATA, VENDORED, from_networks, open_countries
from geoip.special import SPECIAL


def halves(text):
    address = ipaddress.ip_address(text)
    value = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
    return value >> 64, value & (1 << 64) - 1


def table(*rows):
    networks = sorted((ipaddress.ip_network(prefix), code) for prefix, code in rows if ":" not in prefix)
    networks += sorted((ipaddress.ip_network(prefix), code) for prefix, code in rows if ":" in prefix)
    return from_networks(networks, source="test", sha256="0" * 64, build_date="2026-01-01")


WORLD = table(
    ("1.0.0.0/8", "CN"),
    ("2.0.0.0/9", "FR"),
    ("2.128.0.0/25", "DE"),
    ("2.128.0.128/25", "US"),
    ("2.128.1.0/24", "US"),
    ("2400::/12", "CN"),
    ("2a00:1::/32", "DE"),
    ("2a00:1:1:1:8000::/65", "FR"),
)


def places(networks=(), home=("CN",), second=None):
    return Places(WORLD, second, networks, home)


def zones(where, addresses):
    pairs = [halves(address) for address in addresses]
    high, low = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    return [where.zone_names[code] for code in where.zones(high, low)]


CASES = {
    "1.2.3.4": "CN",
    "2.1.1.1": "FR",
    "2.128.0.1": "DE",
    "2.128.0.200": "US",
    "2.128.1.7": "US",
    "2.129.0.0": "unknown",
    "9.9.9.9": "unknown",
    "10.1.1.1": "CN",
    "100.64.9.9": "CN",
    "169.254.1.1": "CN",
    "127.0.0.1": "CN",
    "192.0.2.1": "special",
    "224.0.0.1": "special",
    "255.255.255.255": "special",
    "0.0.0.0": "special",
    "2400:cb00::1": "CN",
    "2a00:1::5": "unknown",  # the finer range below is listed after it and splits nothing: see the next lines
    "2001:db8::1": "special",
    "fe80::1": "CN",
    "fd00::1": "CN",
    "ff02::1": "special",
    "::1": "CN",
    "::": "special",
    "64:ff9b::102:304": "CN",  # NAT64 of 1.2.3.4
    "2002:201:101::1": "FR",  # 6to4 of 2.1.1.1
}
del CASES["2a00:1::5"]


def test_order_of_sources():
    assert zones(places(), list(CASES)) == list(CASES.values())
    for address, zone in CASES.items():
        assert places().place(*halves(address)).zone == zone, address


def test_longest_prefix_of_the_operators_networks_wins_over_everything():
    own = [Network("10.0.0.0/8", "HK"), Network("10.1.0.0/16", "SG", "Example Pte", "dc"), Network("1.2.3.0/24", "US")]
    own.append(Network("2400:cb00::/32", "JP"))
    addresses = ["10.2.0.1", "10.1.0.1", "1.2.3.4", "1.2.4.4", "2400:cb00::9", "2400:cb01::9"]
    expected = ["HK", "SG", "US", "CN", "JP", "CN"]
    for order in (own, own[::-1]):
        where = places(order)
        assert zones(where, addresses) == expected
        assert [where.place(*halves(address)).zone for address in addresses] == expected
    place = places(own).place(*halves("10.1.0.1"))
    assert (place.entity, place.site, place.basis, place.confidence) == ("Example Pte", "dc", "network", 1.0)


def test_private_ranges_belong_to_the_first_home():
    assert zones(places(home=("DE", "FR")), ["10.0.0.1", "1.1.1.1"]) == ["DE", "CN"]


def test_disagreement_lowers_confidence_and_is_shown():
    where = places(second=table(("1.0.0.0/9", "CN"), ("1.128.0.0/9", "AU")))
    same, other, none = (where.place(*halves(text)) for text in ("1.1.1.1", "1.200.1.1", "2.1.1.1"))
    assert (same.agree, same.second_country) == (True, "CN")
    assert (other.agree, other.second_country, other.country) == (False, "AU", "CN")
    assert other.confidence < same.confidence
    assert none.agree


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 3)), max_size=8), st.data())
def test_painting_equals_a_list_of_addresses(rows, data):
    ranges = WORLD.v4
    painted = []
    for low, width, code in rows:
        high = min(low + (1 << max(width - 8, 0)), 2**32)
        ranges = ranges.paint(low, high, code)
        painted.append((low, high, code))
    probes = [0, 2**32 - 1, *(edge for low, high, _ in painted for edge in (low, high - 1, min(high, 2**32 - 1)))]
    probes += data.draw(st.lists(st.integers(0, 2**32 - 1), max_size=20))
    expected = []
    for address in probes:
        code = WORLD.v4.code[np.searchsorted(WORLD.v4.start, address, "right") - 1]
        for low, high, new in painted:
            code = new if low <= address < high else code
        expected.append(int(code))
    assert ranges.codes(np.array(probes, np.uint32)).tolist() == expected
    assert (np.diff(ranges.start.astype(np.int64)) > 0).all()


@given(st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128), st.integers(0, 3)), max_size=6))
def test_painting_equals_a_list_of_addresses_v6(rows):
    ranges = WORLD.v6
    for low, width, code in rows:
        ranges = ranges.paint(low, min(low + (1 << width), 2**128), code)
    for low, width, code in rows[-1:]:
        edges = [low, min(low + (1 << width), 2**128) - 1]
        high = np.array([edge >> 64 for edge in edges], np.uint64)
        lower = np.array([edge & (1 << 64) - 1 for edge in edges], np.uint64)
        assert ranges.codes(high, lower).tolist() == [code, code]


@pytest.mark.parametrize("which", VENDORED)
def test_derived_tables_equal_their_databases(which, tmp_path):
    plain = tmp_path / "a.mmdb"
    plain.write_bytes(lzma.decompress((DATA / f"{VENDORED[which]}.mmdb.xz").read_bytes()))
    derived = open_countries(which, tmp_path)
    rng = random.Random(5)
    with maxminddb.open_database(str(plain)) as reader:
        for _ in range(20_000):
            v6 = rng.random() < 0.5
            value = rng.getrandbits(32)
            if v6:  # near places that the database knows, or all would be unknown
                at = rng.randrange(1, len(derived.v6.high))
                value = (int(derived.v6.high[at]) << 64 | int(derived.v6.low[at])) + rng.choice((-1, 0, 1, 1 << 40))
            address = ipaddress.IPv6Address(value) if v6 else ipaddress.IPv4Address(value)
            expected = (reader.get(address) or {}).get("country_code", "")
            if v6 and (value >> 32 in {0, 0xFFFF} or value >> 112 == 0x2002 or value >> 96 in {0x0064FF9B, 0x20010000}):
                continue  # aliases of the IPv4 tree
            assert derived.country(*halves(str(address))) == expected, address


def test_known_addresses_with_the_vendored_databases(tmp_path):
    where = open_places("default", "second", networks=[], home=["CN"], cache_dir=tmp_path)
    assert zones(where, ["114.114.114.114", "8.8.8.8", "147.8.17.40", "2001:da8::1"]) == ["CN", "US", "HK", "CN"]
    assert not where.place(*halves("2001:da8::1")).agree


def test_an_operators_database_by_path(tmp_path):
    plain = tmp_path / "own.mmdb"
    plain.write_bytes(lzma.decompress((DATA / "geo-whois-asn-country.mmdb.xz").read_bytes()))
    first = open_countries(str(plain), tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    again = open_countries(str(plain), tmp_path / "cache")
    assert (first.sha256, first.country(*halves("8.8.8.8"))) == (again.sha256, again.country(*halves("8.8.8.8")))


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_bad_databases_are_named(tmp_path, content):
    path = tmp_path / "bad.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"bad\.mmdb"):
        open_countries(str(path), tmp_path)


def test_special_table_is_well_formed():
    assert {kind for _, kind in SPECIAL} == {"home", "special"}
    assert all(ipaddress.ip_network(prefix) for prefix, _ in SPECIAL)
    assert (zone_group("DE"), zone_group("NO"), zone_group("CH")) == ("EEA", "EEA", "CH")
