"""What becomes of a frame that yields no row of its own: the closed set of reasons.

The lower-case name is the label of `drops_total`. Where an anomaly of the same name exists in `caps.ANOMALIES`, it is
recorded as well. `HELD` is no drop: the fragment waits in `fragments.py`, which counts it when its fate is known.
"""

from enum import IntEnum
from typing import Final


class Fate(IntEnum):
    """Why a frame gave no row."""

    HELD = 1
    NOT_IP = 2
    DECODE_LINK_UNSUPPORTED = 3
    DECODE_HEADER_SHORT = 4
    DECODE_HEADER_CUT = 5
    DECODE_TOO_DEEP = 6
    MACSEC_UNREADABLE = 7
    IP4_HEADER_BAD = 8
    IP6_HEADER_BAD = 9
    IP6_EXTENSION_BAD = 10
    TCP_HEADER_BAD = 11
    UDP_LENGTH_BAD = 12
    TEREDO_REFUSED = 13
    FRAGMENT_BAD = 14
    FRAGMENT_CUT = 15
    FRAGMENT_MERGED = 16
    FRAGMENT_DUPLICATE = 17
    FRAGMENT_OVERLAP = 18
    FRAGMENT_TIMEOUT = 19
    FRAGMENT_CAP = 20
    FRAGMENT_INCOMPLETE = 21
    MIRROR_DUPLICATE = 22

    @property
    def label(self) -> str:
        """The name counters carry."""
        return self.name.lower()


QUIET: Final = frozenset({Fate.HELD, Fate.NOT_IP, Fate.FRAGMENT_MERGED, Fate.FRAGMENT_DUPLICATE})  # nothing odd
