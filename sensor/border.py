"""The border: which packets cross, decided in columns before any flow state exists.

In: Headers. Out: a mask of the rows to keep. Every row is counted by crossing and by zone pair. Cost: one table lookup
per address and one histogram per batch. Addresses of the zone `special` (multicast, documentation) are no far end:
what goes there stays domestic.
"""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from geoip import SPECIAL_ZONE, UNKNOWN, Place, Places
from sensor.batch import I64, Headers
from sensor.counters import Counters
from sensor.model import CROSSING_NAMES, DOMESTIC, EXPORT, IMPORT, TRANSIT

_HOME, _ABROAD, _NEUTRAL = 0, 1, 2
_CROSSING: Final = np.array(
    [[DOMESTIC, EXPORT, DOMESTIC], [IMPORT, TRANSIT, DOMESTIC], [DOMESTIC, DOMESTIC, DOMESTIC]], np.uint8
)


class Border:
    """Zones of addresses, crossing of packets and flows."""

    def __init__(
        self,
        places: Places,
        counters: Counters,
        *,
        home: Sequence[str],
        unknown: Literal["abroad", "home", "skip"] = "abroad",
        log: Literal["crossing", "all", "none"] = "crossing",
    ) -> None:
        self.place = places.place
        self._places = places
        self._counters = counters
        self._names = places.zone_names
        kinds = [_HOME if name in home else _ABROAD for name in self._names]
        kinds[self._names.index(UNKNOWN)] = {"abroad": _ABROAD, "home": _HOME, "skip": _NEUTRAL}[unknown]
        kinds[self._names.index(SPECIAL_ZONE)] = _NEUTRAL
        kind = np.array(kinds, np.uint8)
        pairs = _CROSSING[kind[:, None], kind[None, :]].ravel()  # by sender code × zones + receiver code
        self._crossing_of = pairs
        self._keep = np.ones(len(pairs), bool) if log == "all" else np.isin(pairs, (EXPORT, IMPORT))
        self._kind_of = dict(zip(self._names, kinds, strict=True))

    def judge(self, headers: Headers, wirelen: I64) -> npt.NDArray[np.bool_]:
        """Which rows to keep: those that cross, or all of them with `log: all`.

        Args:
            headers: n rows.
            wirelen: int64[n], bytes on the wire of each row's frame.
        """
        sender = self._places.zones(headers.src_hi, headers.src_lo)
        receiver = self._places.zones(headers.dst_hi, headers.dst_lo)
        count = len(self._names)
        pair = sender.astype(np.intp) * count + receiver
        packets = np.bincount(pair, minlength=count * count)
        volume = np.bincount(pair, wirelen, minlength=count * count).astype(np.int64)
        seen = np.flatnonzero(packets)
        self._count(seen, packets[seen], volume[seen])
        kept: npt.NDArray[np.bool_] = self._keep[pair]
        return kept

    def _count(self, pair: npt.NDArray[np.intp], packets: I64, volume: I64) -> None:
        """Add what one batch saw of each zone pair."""
        counters, names = self._counters, self._names
        crossing = self._crossing_of[pair]
        for code in np.unique(crossing).tolist():
            rows = crossing == code
            counters["packets_total", CROSSING_NAMES[code]] += int(packets[rows].sum())
            counters["bytes_total", CROSSING_NAMES[code]] += int(volume[rows].sum())
        for place, frames, size in zip(pair.tolist(), packets.tolist(), volume.tolist(), strict=True):
            sender, receiver = divmod(place, len(names))
            counters["border_packets_total", names[sender], names[receiver]] += frames
            counters["border_bytes_total", names[sender], names[receiver]] += size

    def crossing(self, sender_hi: int, sender_lo: int, receiver_hi: int, receiver_lo: int) -> int:
        """DOMESTIC, EXPORT, IMPORT or TRANSIT of content that goes from one address to another."""
        sender: Place = self.place(sender_hi, sender_lo)
        receiver: Place = self.place(receiver_hi, receiver_lo)
        return int(_CROSSING[self._kind_of[sender.zone], self._kind_of[receiver.zone]])
