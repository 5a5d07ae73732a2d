"""Caps and anomalies of decode; handed in through limits, gathered by the catalogue."""

from typing import Final

from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    Limit(
        "decode_depth",
        16,
        "count",
        "skip",
        "decode_too_deep",
        "Link headers, tags and labels in front of one IP header, extension headers behind it, and tunnels in tunnels:"
        " no more of each.",
    ),
    Limit(
        "fragment_datagrams",
        16_384,
        "count",
        "drop-oldest",
        "fragment_cap",
        "Incomplete datagrams held at once; each level of tunnels has its own.",
    ),
    Limit(
        "fragment_datagram_pieces",
        1024,
        "count",
        "drop-newest",
        "fragment_cap",
        "Fragments of one datagram: 64 KiB over links of 68 bytes, the smallest IPv4 allows, are just below twice that.",
    ),
    Limit(
        "fragment_total_bytes",
        32 << 20,
        "bytes",
        "drop-oldest",
        "fragment_cap",
        "Bytes of incomplete datagrams held at once; each level of tunnels has its own.",
    ),
    Limit(
        "fragment_timeout_s",
        30,
        "seconds",
        "drop-oldest",
        "fragment_timeout",
        "An incomplete datagram is given up so long after its first fragment, in packet time (what Linux does).",
    ),
    Limit(
        "duplicate_window_packets",
        2048,
        "count",
        "skip",
        "mirror_duplicate",
        "A copy of a packet is looked for among so many frames before it: two busy ports of one switch interleave by"
        " a few hundred.",
    ),
    Limit(
        "duplicate_window_ms",
        20,
        "milliseconds",
        "skip",
        "mirror_duplicate",
        "A copy comes at most so long after the packet: above the time through a router, below any retransmission"
        " timer.",
    ),
    Limit(
        "duplicate_datagram_window_ms",
        1,
        "milliseconds",
        "skip",
        "mirror_duplicate",
        "The same for datagrams that carry no IP identification: a sender may well say the same thing twice.",
    ),
)

_CUT: Final = "Capture with a larger snap length (0 means all)."
_FORGED: Final = "None if rare; otherwise a broken sender, or someone probing the sensor."

ANOMALIES: Final = (
    AnomalyKind(
        "decode_link_unsupported",
        "medium",
        "A frame of a link type the sensor does not read.",
        "Capture on Ethernet, or convert the capture.",
    ),
    AnomalyKind("decode_header_short", "low", "A frame or packet ends inside one of its headers.", _FORGED),
    AnomalyKind(
        "decode_header_cut", "medium", "The snap length cut a packet inside its headers; it was not analysed.", _CUT
    ),
    AnomalyKind(
        "decode_too_deep",
        "medium",
        "More tags, labels, extension headers or nested tunnels than are followed.",
        "Raise decode_depth if the network really stacks so many; otherwise look at who sends them.",
    ),
    AnomalyKind(
        "macsec_unreadable",
        "medium",
        "MACsec frames: encrypted on the link, nothing inside was analysed.",
        "Mirror behind the port that ends MACsec.",
    ),
    AnomalyKind(
        "esp_unreadable",
        "low",
        "IPsec ESP packets: encrypted, addresses were counted and nothing inside was analysed.",
        "Mirror behind the gateway that ends the tunnel.",
    ),
    AnomalyKind("ip4_header_bad", "low", "An IPv4 header with an impossible version or length.", _FORGED),
    AnomalyKind("ip6_header_bad", "low", "An IPv6 header with an impossible version.", _FORGED),
    AnomalyKind("ip6_extension_bad", "low", "An IPv6 extension header runs beyond its packet.", _FORGED),
    AnomalyKind("tcp_header_bad", "low", "A TCP header with an impossible data offset.", _FORGED),
    AnomalyKind("udp_length_bad", "low", "A UDP length smaller than its header.", _FORGED),
    AnomalyKind("udp_length_beyond", "low", "A UDP length beyond its packet; the packet's end was taken.", _FORGED),
    AnomalyKind("gre_header_bad", "low", "A GRE header that cannot be followed; what it carries was not read.", _FORGED),
    AnomalyKind(
        "teredo_refused",
        "medium",
        "Teredo: IPv6 tunnelled past the border in UDP. It is recognised and not followed.",
        "Block UDP port 3544 at the border; Teredo has been out of use since about 2019.",
    ),
    AnomalyKind("fragment_bad", "medium", "An IP fragment with an impossible place or length.", _FORGED),
    AnomalyKind("fragment_cut", "medium", "The snap length cut an IP fragment; its datagram was not restored.", _CUT),
    AnomalyKind(
        "fragment_overlap",
        "medium",
        "Fragments of one datagram overlap: no real sender does this; IPv6 forbids it (RFC 5722).",
        "Look at the sender: this is how content is hidden from sensors.",
    ),
    AnomalyKind(
        "fragment_timeout",
        "low",
        "Fragments whose datagram did not become complete in time.",
        "Check the mirror for loss; raise fragment_timeout_s only for very slow paths.",
    ),
    AnomalyKind(
        "fragment_cap",
        "medium",
        "More incomplete datagrams, or pieces of one, than are held; the oldest were given up.",
        "Look for a fragment flood; raise the fragment_* limits if memory allows.",
    ),
    AnomalyKind(
        "fragment_incomplete",
        "low",
        "The input ended before all fragments of a datagram had come.",
        "None at the end of a capture; check the mirror for loss if many.",
    ),
    AnomalyKind(
        "mirror_duplicate",
        "info",
        "The mirror delivered a packet twice; the copy was left out.",
        "Mirror one direction of each port, or one side of the router, to spare half the sensor's work.",
    ),
)
