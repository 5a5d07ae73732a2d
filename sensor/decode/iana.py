"""Numbers from the registries that decode needs, and the names their counters carry.

Sources: IANA "Ether Types" and "Protocol Numbers" registries, IEEE 802.1Q/802.1AE/802.1AH, RFC 1661 (PPP), the
port registrations of the tunnels, and the tcpdump.org link-type registry (`sensor.batch`).
"""

from typing import Final

# ---------------------------------------------------------------- EtherTypes; also the kinds of a header to come
IPV4: Final = 0x0800
ARP: Final = 0x0806
VLAN: Final = 0x8100
TRANSPARENT_ETHERNET: Final = 0x6558
IPV6: Final = 0x86DD
PPP_ETHERTYPE: Final = 0x880B
MPLS: Final = 0x8847
MPLS_MULTICAST: Final = 0x8848
PPPOE_DISCOVERY: Final = 0x8863
PPPOE_SESSION: Final = 0x8864
PROVIDER_VLAN: Final = 0x88A8
ERSPAN_II: Final = 0x88BE
MACSEC: Final = 0x88E5
PROVIDER_BACKBONE: Final = 0x88E7
OLD_QINQ: Final = 0x9100
OLD_QINQ_2: Final = 0x9200
ERSPAN_III: Final = 0x22EB
LARGEST_LENGTH: Final = 1500  # a type field up to here is a length: LLC follows (IEEE 802.3 section 3.2.6)

TAGS: Final = (VLAN, PROVIDER_VLAN, OLD_QINQ, OLD_QINQ_2)
COMMON_ETHERTYPES: Final = (IPV4, IPV6, ARP, *TAGS, MPLS, MPLS_MULTICAST, PPPOE_DISCOVERY, PPPOE_SESSION)

# ---------------------------------------------------------------- kinds without an EtherType
ETHERNET: Final = 0x1_0000
LLC: Final = 0x1_0001
PPP: Final = 0x1_0002
NULL: Final = 0x1_0003
LOOP: Final = 0x1_0004
SLL: Final = 0x1_0005
SLL2: Final = 0x1_0006
RAW: Final = 0x1_0007  # IPv4 or IPv6, by the version nibble
UNSUPPORTED: Final = 0x1_0008

# ---------------------------------------------------------------- protocol numbers
HOP_BY_HOP: Final = 0
ICMP: Final = 1
IPIP: Final = 4
TCP: Final = 6
UDP: Final = 17
IPV6_IN_IP: Final = 41
ROUTING: Final = 43
FRAGMENT: Final = 44
GRE: Final = 47
ESP: Final = 50
AH: Final = 51
ICMPV6: Final = 58
NO_NEXT: Final = 59
DESTINATION: Final = 60
ETHERIP: Final = 97
SCTP: Final = 132
MOBILITY: Final = 135
MPLS_IN_IP: Final = 137
HIP: Final = 139
SHIM6: Final = 140

# Extension headers whose second octet is their length in units of 8 octets, less the first (RFC 6564)
OPTION_HEADERS: Final = (HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY, HIP, SHIM6)

TRANSPORT_NAMES: Final = {
    ICMP: "icmp",
    2: "igmp",
    TCP: "tcp",
    UDP: "udp",
    33: "dccp",
    GRE: "gre",
    ESP: "esp",
    ICMPV6: "icmpv6",
    NO_NEXT: "none",
    88: "eigrp",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    115: "l2tpv3",
    SCTP: "sctp",
    136: "udplite",
}

# ---------------------------------------------------------------- UDP ports of tunnels
PORT_L2TP: Final = 1701
PORT_GTP_U: Final = 2152
PORT_TEREDO: Final = 3544
PORT_VXLAN: Final = 4789
PORT_VXLAN_GPE: Final = 4790
PORT_GENEVE: Final = 6081
PORT_VXLAN_OLD: Final = 8472  # the Linux default before the registration
TUNNEL_PORTS: Final = (
    PORT_L2TP,
    PORT_GTP_U,
    PORT_TEREDO,
    PORT_VXLAN,
    PORT_VXLAN_GPE,
    PORT_GENEVE,
    PORT_VXLAN_OLD,
)

# ---------------------------------------------------------------- PPP protocol field → kind
PPP_KINDS: Final = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS_MULTICAST}
# Address family of null/loopback → kind: AF_INET everywhere 2; AF_INET6 on Linux, the BSDs, Darwin
FAMILY_KINDS: Final = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}
