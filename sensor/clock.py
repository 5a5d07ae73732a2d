"""Time: the newest packet's; the only module allowed to ask the machine for its own."""

import time
from datetime import UTC, datetime

NANOS = 1_000_000_000


class Clock:
    """`now_ns` is the newest packet timestamp seen; it never goes backwards."""

    __slots__ = ("now_ns",)

    def __init__(self) -> None:
        self.now_ns = 0

    def advance(self, ts_ns: int) -> None:
        """Move to `ts_ns` unless that lies in the past."""
        self.now_ns = max(self.now_ns, ts_ns)


def rfc3339(ts_ns: int) -> str:
    """`2026-11-23T08:15:30.123456789Z`: UTC with nanoseconds (RFC 3339 section 5.6)."""
    seconds, nanos = divmod(ts_ns, NANOS)
    try:
        stamp = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00.000000000Z"
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def wall_ns() -> int:
    """The machine's clock, for reports ("made at") and progress only."""
    return time.time_ns()


def monotonic_s() -> float:
    """A running clock for rates shown to people."""
    return time.monotonic()
