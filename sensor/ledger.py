"""Loss is counted, never silent: the sums that must hold at the end of every run.

Each line says: what came in equals what was inspected plus every named drop.
"""

from collections.abc import Mapping

import msgspec

from sensor.counters import Counters


class Line(msgspec.Struct, frozen=True):
    """One balance."""

    what: str
    seen: int
    inspected: int
    dropped: dict[str, int]
    balanced: bool


def _line(what: str, seen: int, inspected: int, dropped: Mapping[str, int]) -> Line:
    return Line(what, seen, inspected, dict(dropped), seen == inspected + sum(dropped.values()))


def balance(wide: Counters, own: Counters) -> list[Line]:
    """Frames → packets, packets → kept, payload bytes → stream bytes, stream bytes → inspected bytes."""
    packets = wide.total("packets_total")
    kept = wide["kept_packets_total",]
    return [
        _line("frames", wide["frames_total",], packets, wide.by_label("drops_total")),
        _line("packets at the border", packets, kept, {"not crossing": packets - kept} if packets > kept else {}),
        _line(
            "payload bytes of kept flows",
            own["payload_bytes_total",],
            own["stream_bytes_total",],
            own.by_label("drops_total"),
        ),
        _line(
            "stream bytes",
            own["stream_bytes_total",],
            own.total("parsed_bytes_total") + own.total("raw_bytes_total"),
            own.by_label("skipped_bytes_total"),
        ),
    ]
