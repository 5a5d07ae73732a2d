"""Assembler: the parts of one flow become contents, scanned and hashed.

In: PartOpen, PartData, PartGap, PartClose of the flow's parser (or of raw streams). Out: ContentResults, each when its
part closes; what is still open comes out of `finish`. Per part a chain of Receivers is built once:

    [range store] → [content codings] → [multipart splitter] → intake (sniff, hash, scan or spool and unpack)

Cost of a plain slice: one dictionary look-up, one scanner call, three digest updates where bodies are hashed.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sensor.content import coded, form, ranges, setup
from sensor.content.coded import Coded
from sensor.content.form import Multipart
from sensor.content.intake import Intake, Place
from sensor.content.ranges import RangeStore
from sensor.content.result import ContentResult
from sensor.content.setup import ContentScan, Receiver, ScanFactory, Setup
from sensor.content.unpack import open_container
from sensor.counters import Counters
from sensor.interfaces import FormatSpec
from sensor.model import Anomaly, PartClose, PartData, PartGap, PartOpen

LIMITS: Final = (*setup.LIMITS, *coded.LIMITS, *form.LIMITS, *ranges.LIMITS)
ANOMALIES: Final = (*setup.ANOMALIES, *coded.ANOMALIES, *form.ANOMALIES, *ranges.ANOMALIES)


class Assembler:
    """Implements `sensor.flow.dispatch.ContentSink`; one per flow.

    Args:
        open_scan: `open_scan(hint)` begins the scan of one content.
        limits: resolved caps.
        formats: container formats by name.
        counters: where drops and faults are counted.
        shared: what all assemblers of a worker share; made here when absent (the spool quota is then this flow's own).
    """

    __slots__ = ("_done", "_parts", "_ranges", "_setup", "anomalies")

    def __init__(
        self,
        open_scan: ScanFactory,
        limits: Mapping[str, int],
        formats: Mapping[str, FormatSpec],
        counters: Counters,
        *,
        shared: Setup | None = None,
    ) -> None:
        self._setup = shared or Setup(open_scan, limits, formats.values(), counters, open_container)
        self._parts: dict[int, Receiver] = {}
        self._ranges: RangeStore | None = None
        self._done: list[ContentResult] = []
        self.anomalies: list[Anomaly] = []

    def open(self, ev: PartOpen, *, scan: bool, digest: bool) -> None:
        """A part begins. `scan`: search it; `digest`: hash it (never fields)."""
        if ev.part in self._parts:
            self._done.extend(self._parts.pop(ev.part).close(False))
        if ev.is_field:
            if scan:
                self._parts[ev.part] = Field(self._setup.open_scan, ev)
            else:
                self._parts[ev.part] = _NOTHING
            return
        if ev.span is not None and (scan or digest):
            if self._ranges is None:
                self._ranges = RangeStore(self._setup, self.anomalies, self._chain)
            piece = self._ranges.piece(ev, scan=scan, digest=digest)
            if piece is not None:
                self._parts[ev.part] = piece
                return
        self._parts[ev.part] = self._chain(ev, scan, digest)

    def data(self, ev: PartData) -> None:
        """Bytes of a part, valid during the call."""
        part = self._parts.get(ev.part)
        if part is None:
            self._setup.counters["drops_total", "part_not_open"] += len(ev.data)
            return
        part.feed(ev.data)

    def gap(self, ev: PartGap) -> None:
        """Bytes of a part are missing (0: none are, but no value spans this place)."""
        part = self._parts.get(ev.part)
        if part is not None:
            part.gap(ev.size)

    def close(self, ev: PartClose) -> list[ContentResult]:
        """A part ends: its result, and those of what was inside it."""
        part = self._parts.pop(ev.part, None)
        results = part.close(ev.complete) if part is not None else []
        if self._done:
            results = [*self._done, *results]
            self._done = []
        return results

    def finish(self) -> list[ContentResult]:
        """The flow ends: whatever is still open is incomplete."""
        results, self._done = self._done, []
        for part in self._parts.values():
            results.extend(part.close(False))
        self._parts.clear()
        if self._ranges is not None:
            results.extend(self._ranges.finish())
            self._ranges = None
        return results

    def _chain(self, ev: PartOpen, scan: bool, digest: bool) -> Receiver:
        """Receivers for a body or file."""
        place = Place(ev.part, ev.direction, ev.tx, ev.path, ev.media_type, ev.charset, ev.name)
        receiver: Receiver
        if ev.boundary and (scan or digest):
            receiver = Multipart(self._setup, place, ev.boundary, self.anomalies, scan=scan, digest=digest)
        else:
            receiver = Intake(self._setup, place, self.anomalies, scan=scan, digest=digest)
        if ev.codings and (scan or digest):
            for coding in ev.codings:  # the innermost was applied first, so its decoder stands last
                receiver = Coded(self._setup, coding, receiver, self.anomalies)
        return receiver


class Field:
    """Receiver of a short piece (URL, header, name): scanned, neither sniffed nor hashed."""

    __slots__ = ("_broken", "_opened", "_scan", "_size")

    def __init__(self, open_scan: ScanFactory, opened: PartOpen) -> None:
        self._opened = opened
        place = Place(
            opened.part, opened.direction, opened.tx, opened.path, opened.media_type, opened.charset, opened.name, True
        )
        self._scan: ContentScan = open_scan(place.hint())
        self._size = 0
        self._broken = False

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes."""
        self._size += len(data)
        self._scan.feed(data)

    def gap(self, size: int) -> None:
        """Bytes are missing."""
        self._broken = self._broken or size != 0
        self._scan.gap()

    def close(self, complete: bool) -> list[ContentResult]:
        """The field's result."""
        opened = self._opened
        return [
            ContentResult(
                opened.part,
                opened.direction,
                opened.tx,
                opened.path,
                media_type=opened.media_type,
                name=opened.name,
                size=self._size,
                complete=complete and not self._broken,
                is_field=True,
                scan=self._scan.close(),
            )
        ]


class _Nothing:
    """Receiver of a field nobody asked for."""

    def feed(self, data: bytes | memoryview) -> None:
        """Ignore."""

    def gap(self, size: int) -> None:
        """Ignore."""

    def close(self, complete: bool) -> list[ContentResult]:  # noqa: ARG002 - a Receiver's signature
        """Nothing came of it."""
        return []


_NOTHING: Final = _Nothing()


def assembler_factory(
    open_scan: ScanFactory, limits: Mapping[str, int], formats: Mapping[str, FormatSpec], counters: Counters
) -> Callable[[], Assembler]:
    """Makes assemblers that share one spool quota and one order of formats; call once per worker."""
    shared = Setup(open_scan, limits, formats.values(), counters, open_container)
    return lambda: Assembler(open_scan, limits, formats, counters, shared=shared)
