"""Link types: those that are read, and names for those that are not (tcpdump.org registry)."""

from typing import Final

from sensor import batch

READ: Final = frozenset(
    {
        batch.LINK_NULL,
        batch.LINK_ETHERNET,
        batch.LINK_PPP,
        batch.LINK_RAW,
        batch.LINK_LOOP,
        batch.LINK_SLL,
        batch.LINK_IPV4,
        batch.LINK_IPV6,
        batch.LINK_SLL2,
        12,  # DLT_RAW as some systems wrote it
        14,
    }
)
_NAMES: Final = {
    105: "IEEE 802.11",
    119: "IEEE 802.11 with Prism header",
    127: "IEEE 802.11 with radiotap",
    163: "IEEE 802.11 with AVS header",
    192: "per-packet information (802.11)",
    249: "USBPcap",
    189: "USB (Linux)",
    220: "USB (Linux, padded)",
    201: "Bluetooth HCI",
    195: "IEEE 802.15.4",
    230: "IEEE 802.15.4 without FCS",
    239: "nflog",
    50: "PPP in HDLC framing",
    51: "PPPoE",
    104: "Cisco HDLC",
    107: "Frame Relay",
    6: "token ring",
    10: "FDDI",
    147: "user-defined (DLT_USER0)",
}


def link_name(link: int) -> str:
    """Number with a name where there is one."""
    return f"{link} ({_NAMES[link]})" if link in _NAMES else str(link)
