"""PacketBatch and Headers: one byte arena and numpy columns.

The bargain (gopacket's, written once): a view into the arena lives until the batch is released, that
is until the next batch is asked of the source. Who keeps bytes copies them; only flow reassembly and
content may keep.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

# Link types as in the tcpdump.org registry (LINKTYPE_*)
LINK_NULL: Final = 0
LINK_ETHERNET: Final = 1
LINK_PPP: Final = 9
LINK_RAW: Final = 101
LINK_LOOP: Final = 108
LINK_SLL: Final = 113
LINK_IPV4: Final = 228
LINK_IPV6: Final = 229
LINK_SLL2: Final = 276

V4_MAPPED: Final = np.uint64(0xFFFF_0000_0000)  # ::ffff:0:0/96, low half


@dataclass(slots=True)
class PacketBatch:
    """Captured frames: n rows over one arena.

    Attributes:
        arena: uint8[...], every byte the rows point into (a memory map, a ring block or a read buffer).
        offset: int64[n], first captured byte of each frame in the arena.
        caplen: int64[n], captured bytes.
        wirelen: int64[n], bytes on the wire (≥ caplen when the snap length cut the frame).
        ts_ns: int64[n], nanoseconds since the epoch.
        link: uint16[n], LINKTYPE_* of each frame.
        first: number of the first frame within its capture (0-based).
        capture: name of the capture file (base name) or interface.
    """

    arena: U8
    offset: I64
    caplen: I64
    wirelen: I64
    ts_ns: I64
    link: U16
    first: int
    capture: str

    def __len__(self) -> int:
        """Rows."""
        return len(self.offset)


@dataclass(slots=True)
class Headers:
    """Decoded datagrams: one row per innermost IP packet, over the arena of its batch.

    Addresses are 128 bits in two columns; IPv4 is IPv4-mapped (`::ffff:a.b.c.d`).

    Attributes:
        arena: uint8[...], what `payload` points into.
        packet: int64[n], row of the PacketBatch each came from.
        ts_ns: int64[n].
        src_hi, src_lo, dst_hi, dst_lo: uint64[n].
        proto: uint8[n], IANA protocol number of the transport.
        sport, dport: uint16[n], 0 where the transport has none.
        flags: uint8[n], TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32).
        seq, ack: uint32[n], TCP only.
        payload: int64[n], first transport payload byte in the arena.
        length: int64[n], transport payload bytes captured.
        missing: int64[n], transport payload bytes on the wire but not captured (snap length).
        vlan: uint32[n], outermost VLAN id | next id << 12 | 1 << 31 when tagged, else 0.
    """

    arena: U8
    packet: I64
    ts_ns: I64
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    proto: U8
    sport: U16
    dport: U16
    flags: U8
    seq: U32
    ack: U32
    payload: I64
    length: I64
    missing: I64
    vlan: U32

    def __len__(self) -> int:
        """Rows."""
        return len(self.packet)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Headers":
        """The rows selected by a mask or an index array, arena shared."""
        return Headers(self.arena, *(getattr(self, name)[rows] for name in self.__slots__[1:]))
