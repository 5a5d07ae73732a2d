"""Community ID: one name for a flow in every tool that looks at it.

Source: Community ID Flow Hashing specification, version 1 (github.com/corelight/community-id-spec).
In: addresses, ports, protocol. Out: `1:` and the base64 of a SHA-1 over the ordered tuple.
"""

import hashlib
from base64 import b64encode
from typing import Final

from sensor.model import PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP

_V4_PREFIX: Final = 0xFFFF  # ::ffff:0:0/96, the bits above the IPv4 address in the low half
# Type of a request → type of its answer and back; the spec takes them for the two ports.
_ICMP_PAIRS: Final = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17}
_ICMPV6_PAIRS: Final = dict(
    pair
    for one, other in ((128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145))
    for pair in ((one, other), (other, one))
)
_WITH_PORTS: Final = frozenset((PROTO_ICMP, PROTO_TCP, PROTO_UDP, PROTO_ICMPV6, PROTO_SCTP))


def community_id(
    proto: int, source: tuple[int, int], target: tuple[int, int], sport: int, dport: int, *, seed: int = 0
) -> str:
    """The Community ID of a packet or flow; the same for both directions.

    Args:
        proto: IANA protocol number.
        source: 128-bit address as (high, low) halves; IPv4 is IPv4-mapped.
        target: as `source`.
        sport: port, or the ICMP type; ignored for protocols without ports.
        dport: port, or the ICMP code.
        seed: 16-bit number that separates sites.
    """
    one_way = False
    pairs = _ICMP_PAIRS if proto == PROTO_ICMP else _ICMPV6_PAIRS if proto == PROTO_ICMPV6 else None
    if pairs is not None:
        answer = pairs.get(sport)
        one_way = answer is None
        dport = dport if answer is None else answer
    left, right = _packed(source), _packed(target)
    if not one_way and (left, sport) > (right, dport):
        left, right, sport, dport = right, left, dport, sport
    text = seed.to_bytes(2) + left + right + bytes((proto, 0))
    if proto in _WITH_PORTS:
        text += sport.to_bytes(2) + dport.to_bytes(2)
    return "1:" + b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode()


def _packed(address: tuple[int, int]) -> bytes:
    high, low = address
    if high == 0 and low >> 32 == _V4_PREFIX:
        return (low & 0xFFFF_FFFF).to_bytes(4)
    return high.to_bytes(8) + low.to_bytes(8)
