"""Address ranges that no country database is asked about (IANA special-purpose registries, RFC 6890).

`home`: private use inside the operator's network unless `networks` says otherwise. `special`: never a far end:
multicast, broadcast, documentation, benchmarking, reserved.
"""

from typing import Final

SPECIAL: Final = (
    ("10.0.0.0/8", "home"),  # RFC 1918
    ("172.16.0.0/12", "home"),
    ("192.168.0.0/16", "home"),
    ("100.64.0.0/10", "home"),  # carrier-grade NAT, RFC 6598
    ("127.0.0.0/8", "home"),  # loopback
    ("169.254.0.0/16", "home"),  # link-local, RFC 3927
    ("0.0.0.0/8", "special"),  # this network
    ("192.0.0.0/24", "special"),  # protocol assignments
    ("192.0.2.0/24", "special"),  # documentation, RFC 5737
    ("198.51.100.0/24", "special"),
    ("203.0.113.0/24", "special"),
    ("198.18.0.0/15", "special"),  # benchmarking, RFC 2544
    ("224.0.0.0/4", "special"),  # multicast
    ("240.0.0.0/4", "special"),  # reserved, with the limited broadcast address
    ("::1/128", "home"),
    ("fe80::/10", "home"),  # link-local
    ("fec0::/10", "home"),  # site-local, deprecated by RFC 3879 and still met
    ("fc00::/7", "home"),  # unique local, RFC 4193
    ("5f00::/16", "home"),  # segment identifiers within an SRv6 domain, RFC 9602
    ("::/128", "special"),
    ("100::/64", "special"),  # discard, RFC 6666
    ("100:0:0:1::/64", "special"),  # dummy prefix, RFC 9780
    ("2001:2::/48", "special"),  # benchmarking, RFC 5180
    ("2001:10::/28", "special"),  # ORCHID, RFC 4843: names of hosts, never on the wire
    ("2001:20::/28", "special"),  # ORCHIDv2, RFC 7343
    ("2001:db8::/32", "special"),  # documentation, RFC 3849
    ("3fff::/20", "special"),  # documentation, RFC 9637
    ("ff00::/8", "special"),  # multicast
)
EEA: Final = frozenset(
    {
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"),
        *("MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"),
        # parts of France and Finland with country codes of their own where Union law applies (TFEU article 355)
        *("AX", "GF", "GP", "MF", "MQ", "RE", "YT"),
    }
)


def zone_group(country: str) -> str:
    """`EEA` for members of the European Economic Area, else the country itself."""
    return "EEA" if country in EEA else country
