"""Setup: what all contents of a worker share: the scanner's factory, the formats, resolved caps, the spool quota."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from detectors.model import ContentHint, ScanResult
from sensor.content.result import ContentResult
from sensor.content.spool import Spool, SpoolQuota
from sensor.counters import Counters
from sensor.interfaces import AnomalyKind, FormatSpec
from sensor.limits import Limit
from sensor.model import Anomaly


class ContentScan(Protocol):
    """The scan of one content, as detectors offers it."""

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes; kept beyond the call only as a copy."""

    def gap(self) -> None:
        """Bytes are missing here: no value spans this place."""

    def close(self) -> ScanResult:
        """Outcome."""


ScanFactory = Callable[[ContentHint], ContentScan]


class Receiver(Protocol):
    """Takes the bytes of one part; the links of a chain (inflate, split, join, scan) all look like this."""

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes, valid during the call."""

    def gap(self, size: int) -> None:
        """`size` bytes are missing (0: none, but no value spans this place; below 0: unknown many)."""

    def close(self, complete: bool) -> list[ContentResult]:
        """No more; what came of it."""


class Container:
    """A spooled container waiting to be opened, and what its members inherit."""

    __slots__ = ("anomalies", "digest", "spec", "spool")

    def __init__(self, spec: FormatSpec, spool: Spool, anomalies: list[Anomaly], *, digest: bool) -> None:
        self.spec = spec
        self.spool = spool
        self.anomalies = anomalies
        self.digest = digest


class Setup:
    """Shared by all assemblers of a worker.

    `unpack(setup, container, result, budget)` opens a container and returns the results of its members; it is handed
    in so that receiving and unpacking may call each other.
    """

    __slots__ = ("counters", "formats", "limits", "open_scan", "quota", "spool_bytes", "unpack")

    def __init__(
        self,
        open_scan: ScanFactory,
        limits: Mapping[str, int],
        formats: Iterable[FormatSpec],
        counters: Counters,
        unpack: Callable[["Setup", Container, ContentResult, Any], list[ContentResult]],
    ) -> None:
        self.open_scan = open_scan
        self.limits = limits
        self.formats = sorted(formats, key=lambda spec: (-spec.specificity, spec.name))
        self.counters = counters
        self.unpack = unpack
        self.quota = SpoolQuota(limits["spool_total_bytes"])
        self.spool_bytes = limits["spool_bytes"]

    def spool(self) -> Spool:
        """A new, empty spool."""
        return Spool(self.quota, self.spool_bytes)


LIMITS: Final = (
    Limit(
        "spool_bytes",
        256 << 20,
        "bytes",
        "skip",
        "spool_full",
        "Bytes of one container kept until it can be opened; a larger one is searched as it came.",
    ),
    Limit(
        "spool_total_bytes",
        1 << 30,
        "bytes",
        "skip",
        "spool_full",
        "Bytes of all containers and joined ranges kept at a time, per worker.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "spool_full",
        "medium",
        "A container was too large to be kept; its bytes were searched as they came, its members were not opened.",
        "Raise spool_bytes or spool_total_bytes if disk space allows.",
    ),
)
