"""Partial transfers joined: pieces of one resource (RFC 9110 section 14) kept until they cover it or the flow ends.

A piece whose resource, span and total are known is spooled as it comes and not scanned; the joined whole is, once, so
values across seams are found and nothing is counted twice. What never completes is scanned at the end of the flow with
its holes as gaps. Pieces that do not fit the caps are scanned at once, as contents of their own.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from sensor.content.intake import Intake, Place
from sensor.content.result import ContentResult
from sensor.content.setup import Receiver, Setup
from sensor.content.spool import Spool
from sensor.interfaces import AnomalyKind
from sensor.limits import Limit
from sensor.model import Anomaly, PartOpen

LIMITS: Final = (
    Limit(
        "range_pieces",
        10_000,
        "count",
        "skip",
        "range_not_joined",
        "Pieces of partial transfers kept per flow; further ones are searched on their own.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "range_not_joined",
        "low",
        "A piece of a partial transfer could not be kept for joining; it was searched on its own.",
        "Raise spool_bytes, spool_total_bytes or range_pieces; a value across two pieces may be missed.",
    ),
    AnomalyKind(
        "range_disagrees",
        "low",
        "A partial response carried more bytes than the range it announced.",
        "None needed; what was beyond the range was searched with the piece only.",
    ),
)


class _Extent(msgspec.Struct):
    """`size` bytes of the resource from `start` on, at `place` in the spool."""

    start: int
    size: int
    place: int


class _Resource:
    __slots__ = ("digest", "extents", "opened", "pieces", "scan", "total")

    def __init__(self, opened: PartOpen, total: int, *, scan: bool, digest: bool) -> None:
        self.opened = opened
        self.total = total
        self.scan = scan
        self.digest = digest
        self.extents: list[_Extent] = []
        self.pieces = 0


class RangeStore:
    """Pieces of one flow.

    Args:
        setup: what contents share.
        anomalies: where odd things are noted.
        whole: builds the Receiver of a joined whole: (PartOpen of its first piece, scan, digest).
    """

    def __init__(
        self,
        setup: Setup,
        anomalies: list[Anomaly],
        whole: Callable[[PartOpen, bool, bool], Receiver],
    ) -> None:
        self._setup = setup
        self._anomalies = anomalies
        self._whole = whole
        self._spool: Spool | None = None
        self._resources: dict[tuple[int, str], _Resource] = {}
        self._pieces = 0

    def piece(self, opened: PartOpen, *, scan: bool, digest: bool) -> "RangePiece | None":
        """A Receiver for one piece, or None when it must be taken as a content of its own."""
        if opened.span is None or not opened.resource:
            return None
        first, last, total = opened.span
        size = last - first + 1
        if first < 0 or size <= 0 or (total >= 0 and last >= total):
            return None
        if self._spool is None:
            self._spool = self._setup.spool()
        spool = self._spool
        fits = spool.size + size <= self._setup.spool_bytes and size <= self._setup.quota.free
        if not fits or self._pieces >= self._setup.limits["range_pieces"]:
            self._anomalies.append(Anomaly("range_not_joined"))
            return None
        self._pieces += 1
        key = (opened.direction, opened.resource)
        resource = self._resources.get(key)
        if resource is None:
            resource = self._resources[key] = _Resource(opened, total, scan=scan, digest=digest)
        resource.total = max(resource.total, total)
        resource.pieces += 1
        return RangePiece(self, self._setup, resource, opened, self._anomalies, digest=digest)

    def store(self, resource: _Resource, start: int, data: bytes | memoryview) -> bool:
        """Keep bytes of a resource; False when the spool is full."""
        spool = self._spool
        if spool is None:
            return False
        place = spool.size
        if not spool.write(data):
            return False
        last = resource.extents[-1] if resource.extents else None
        if last is not None and last.start + last.size == start and last.place + last.size == place:
            last.size += len(data)
        else:
            resource.extents.append(_Extent(start, len(data), place))
        return True

    def completed(self, resource: _Resource) -> list[ContentResult]:
        """The joined whole, if the pieces cover it by now."""
        if resource.total < 0 or _covered(resource.extents) < resource.total:
            return []
        key = (resource.opened.direction, resource.opened.resource)
        if self._resources.get(key) is not resource:
            return []
        del self._resources[key]
        results = self._join(resource, complete=True)
        if not self._resources:
            self._drop()
        return results

    def finish(self) -> list[ContentResult]:
        """The flow is over: join what there is, holes as gaps."""
        results: list[ContentResult] = []
        for resource in self._resources.values():
            results.extend(self._join(resource, complete=False))
        self._resources.clear()
        self._drop()
        return results

    def _drop(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        self._pieces = 0

    def _join(self, resource: _Resource, *, complete: bool) -> list[ContentResult]:
        if not resource.extents or self._spool is None:
            return []
        suffix = ":joined" if resource.pieces > 1 or not complete else ""
        opened = msgspec.structs.replace(resource.opened, path=resource.opened.path + suffix, span=None)
        receiver = self._whole(opened, resource.scan, resource.digest and complete)
        at = 0
        for extent in sorted(resource.extents, key=lambda extent: (extent.start, -extent.size)):
            if extent.start > at:
                receiver.gap(extent.start - at)
                at = extent.start
            known = at - extent.start
            if known >= extent.size:
                continue
            for data in self._spool.read(extent.place + known, extent.size - known):
                receiver.feed(data)
            at = extent.start + extent.size
        if resource.total > at:
            receiver.gap(resource.total - at)
        return receiver.close(complete)


class RangePiece:
    """Receiver of one piece: hashes it, hands its bytes to the store."""

    __slots__ = ("_anomalies", "_at", "_left", "_over", "_own", "_place", "_resource", "_setup", "_store")

    def __init__(
        self,
        store: RangeStore,
        setup: Setup,
        resource: _Resource,
        opened: PartOpen,
        anomalies: list[Anomaly],
        *,
        digest: bool,
    ) -> None:
        assert opened.span is not None
        self._store = store
        self._setup = setup
        self._resource = resource
        self._anomalies = anomalies
        self._at, self._left = opened.span[0], opened.span[1] - opened.span[0] + 1
        self._place = Place(
            opened.part,
            opened.direction,
            opened.tx,
            opened.path,
            opened.media_type,
            opened.charset,
            opened.name,
        )
        self._own = Intake(setup, self._place, anomalies, scan=False, digest=digest)
        self._over: Intake | None = None  # bytes that do not fit into the span or the store

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes of the piece."""
        self._own.feed(data)
        if self._over is None:
            inside = data[: self._left]
            if inside and not self._store.store(self._resource, self._at, inside):
                self._overflow("range_not_joined").feed(data)
                return
            self._at += len(inside)
            self._left -= len(inside)
            data = data[len(inside) :]
        if data:
            (self._over or self._overflow("range_disagrees")).feed(data)

    def gap(self, size: int) -> None:
        """Missing bytes: the hole may be filled by another piece; unknown many end the piece."""
        self._own.gap(size)
        if size < 0:
            self._left = 0
            self._overflow("range_not_joined")
        if self._over is not None:
            self._over.gap(size)
        else:
            self._at += min(size, self._left)
            self._left -= min(size, self._left)

    def close(self, complete: bool) -> list[ContentResult]:
        """The piece's own result, and the whole if this piece was the last one missing."""
        (own,) = self._own.close(complete)
        if self._over is not None:
            own.scan = self._over.close(complete)[0].scan
        joined = self._store.completed(self._resource)
        if joined and self._resource.pieces == 1 and self._over is None:
            return joined  # this piece was the whole
        return [own, *joined]

    def _overflow(self, anomaly: str) -> Intake:
        if self._over is None:
            self._anomalies.append(Anomaly(anomaly))
            self._over = Intake(
                self._setup, self._place, self._anomalies, scan=self._resource.scan, digest=False, text=True
            )
        return self._over


def _covered(extents: list[_Extent]) -> int:
    """Bytes known from the start on without a hole."""
    at = 0
    for extent in sorted(extents, key=lambda extent: extent.start):
        if extent.start > at:
            return at
        at = max(at, extent.start + extent.size)
    return at
