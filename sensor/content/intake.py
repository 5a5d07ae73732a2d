"""Intake: one content while its decoded bytes arrive: sniffed, hashed, then scanned, spooled or skipped.

In: bytes in order, gaps. Out: one ContentResult and, for a container, those of its members. The first 4 KiB are held
to see what it is, so that the answer does not depend on how the bytes were cut; from then on a slice costs one scanner
call and, where asked for, three digest updates.

* a container that a format module opens: spooled, not scanned (its compressed bytes hold no text); members are.
* compressed media: the head is scanned (metadata), the rest counted as skipped by reason `media`.
* an archive nobody here opens: scanned as it is (stored members, names) *and* counted as skipped.
* everything else: scanned whole.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from detectors.model import ContentHint
from sensor.content import magic
from sensor.content.result import ContentResult
from sensor.content.setup import Container, ContentScan, Setup
from sensor.content.spool import Spool
from sensor.interfaces import FormatSpec
from sensor.model import Anomaly

SNIFF: Final = 4096  # bytes a type is judged by


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a content stands and what was declared of it; see ContentResult and ContentHint."""

    part: int
    direction: int
    tx: int
    path: str
    media_type: str = ""
    charset: str = ""
    name: str = ""
    is_field: bool = False
    depth: int = 0

    def hint(self) -> ContentHint:
        """What the scanner is told."""
        return ContentHint(self.path, self.media_type, self.charset, self.name, self.is_field)

    def result(self) -> ContentResult:
        """A result of this place, otherwise empty."""
        return ContentResult(
            self.part,
            self.direction,
            self.tx,
            self.path,
            media_type=self.media_type,
            name=self.name,
            is_field=self.is_field,
            depth=self.depth,
        )


class Intake:
    """A Receiver for bytes that carry no more coding.

    Args:
        setup: what contents share.
        place: where it stands.
        anomalies: where odd things are noted.
        scan: search it (and open containers).
        digest: hash it.
        text: known to be text (extracted by us): neither sniffed nor hashed.
        budget: what may still be unpacked, of the outermost container.
    """

    __slots__ = (
        "_anomalies",
        "_broken",
        "_budget",
        "_closed_type",
        "_digest",
        "_gap_bytes",
        "_hashes",
        "_held",
        "_held_size",
        "_media_left",
        "_place",
        "_scan",
        "_setup",
        "_sink",
        "_skipped",
        "_spec",
        "_spool",
        "_type",
        "_want_scan",
        "size",
    )

    def __init__(
        self,
        setup: Setup,
        place: Place,
        anomalies: list[Anomaly],
        *,
        scan: bool,
        digest: bool,
        text: bool = False,
        budget: Any = None,
    ) -> None:
        self.size = 0
        self._setup = setup
        self._place = place
        self._anomalies = anomalies
        self._want_scan = scan
        self._digest = digest
        self._budget = budget
        self._hashes: tuple[Any, ...] = ()
        if digest:
            self._hashes = (
                hashlib.sha256(),
                hashlib.md5(usedforsecurity=False),
                hashlib.sha1(usedforsecurity=False),
            )
        self._held: list[bytes] = []
        self._held_size = 0
        self._gap_bytes = 0
        self._broken = False
        self._type = ""
        self._closed_type = False
        self._media_left = 0
        self._skipped: dict[str, int] = {}
        self._scan: ContentScan | None = None
        self._spec: FormatSpec | None = None
        self._spool: Spool | None = None
        self._sink: Callable[[bytes | memoryview], Any] | None = self._hold
        if text:
            self._start_scan()

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes."""
        self.size += len(data)
        for digest in self._hashes:
            digest.update(data)
        if self._sink is not None:
            self._sink(data)

    def gap(self, size: int) -> None:
        """Bytes are missing."""
        if size:
            self._broken = True
            self._gap_bytes += max(size, 0)
        if self._sink == self._hold:
            self._decide()
        if self._scan is not None:
            self._scan.gap()
        if self._spool is not None and size > 0:
            self._spool.fill(size)  # best effort: offsets behind the gap stay right

    def close(self, complete: bool) -> list[ContentResult]:
        """The content is over."""
        if self._sink == self._hold and self._held:
            self._decide()
        self._sink = None  # also breaks the reference cycle
        result = self._place.result()
        result.size = self.size
        result.detected_type = self._type
        result.complete = complete and not self._broken
        result.gap_bytes = self._gap_bytes
        if self._hashes:
            result.sha256, result.md5, result.sha1 = (digest.hexdigest() for digest in self._hashes)
        if self._closed_type:
            self._skipped["archive_not_opened"] = self.size
        result.skipped = tuple(sorted(self._skipped.items()))
        if self._scan is not None:
            result.scan = self._scan.close()
        if self._spool is None or self._spec is None:
            return [result]
        container = Container(self._spec, self._spool, self._anomalies, digest=self._digest)
        try:
            members = self._setup.unpack(self._setup, container, result, self._budget)
        finally:
            self._spool.close()
            self._spool = None
        return [result, *members]

    # ------------------------------------------------------------ where the bytes go
    def _hold(self, data: bytes | memoryview) -> None:
        if not self._held and len(data) >= SNIFF:
            self._route(bytes(data[:SNIFF]))
            if self._sink is not None:
                self._sink(data)
            return
        self._held.append(bytes(data))
        self._held_size += len(data)
        if self._held_size >= SNIFF:
            self._decide()

    def _decide(self) -> None:
        """Choose by what is held, and pass that on."""
        whole = b"".join(self._held)
        self._held.clear()
        self._route(whole[:SNIFF])
        if whole and self._sink is not None:
            self._sink(whole)

    def _route(self, head: bytes) -> None:
        found = magic.detect(head)
        if found is not None:
            self._type = found.media_type
        self._sink = None
        if not self._want_scan:
            return
        place = self._place
        for spec in self._setup.formats:
            if spec.magic(head, place.media_type, place.name):
                self._spec = spec
                self._spool = self._setup.spool()
                self._sink = self._keep
                return
        self._start_scan()
        if found is not None and found.kind == "media":
            self._media_left = SNIFF
            self._sink = self._skim
        elif found is not None and found.kind == "closed":
            self._closed_type = True
            self._anomalies.append(Anomaly("archive_not_opened", found.media_type))

    def _start_scan(self) -> None:
        self._scan = self._setup.open_scan(self._place.hint())
        self._sink = self._scan.feed

    def _skim(self, data: bytes | memoryview) -> None:
        """Media: scan the head, count the rest."""
        left = self._media_left
        if left and self._scan is not None:
            self._scan.feed(data[:left])
        skipped = max(0, len(data) - left)
        self._media_left = max(0, left - len(data))
        if skipped:
            self._skipped["media"] = self._skipped.get("media", 0) + skipped

    def _keep(self, data: bytes | memoryview) -> None:
        """Container: spool; when that is full, scan what was kept and all that follows as it is."""
        spool = self._spool
        if spool is None or spool.write(data):
            return
        self._anomalies.append(Anomaly("spool_full", self._type))
        self._start_scan()
        assert self._scan is not None
        for piece in spool.read(0, spool.size):
            self._scan.feed(piece)
        spool.close()
        self._spool = None
        self._sink = self._count_unopened
        self._count_unopened(data)

    def _count_unopened(self, data: bytes | memoryview) -> None:
        if self._scan is not None:
            self._scan.feed(data)
        self._skipped["spool_full"] = self.size
