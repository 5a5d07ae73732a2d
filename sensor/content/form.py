"""Multipart bodies as Receivers: each part becomes a content of its own, short form fields one record together.

In: the body's decoded bytes. Out: the body's own result (hash, number of parts) and one per file or long field. Short
plain fields of one form are what one person typed into one page: they are scanned together as one JSON object, so that
a field's name is the context of its value and identifiers of one form are linked. Path `…/multipart:fields`.
"""

import json
from typing import Any, Final

from sensor.content import partheader
from sensor.content.intake import Intake, Place
from sensor.content.multipart import Splitter
from sensor.content.result import ContentResult
from sensor.content.setup import Receiver, Setup
from sensor.content.transfer_encoding import Decoder, decoder
from sensor.interfaces import AnomalyKind
from sensor.limits import Limit
from sensor.model import Anomaly

SHORT: Final = 1024  # bytes of a field that still counts as typed by hand; longer ones stand alone
_NESTING: Final = 4  # multipart in multipart; deeper parts are scanned unsplit
_STRUCTURED: Final = b"{[<"  # a field that begins so is a document, not a value

LIMITS: Final = (
    Limit(
        "multipart_head_bytes",
        16384,
        "bytes",
        "stop-parsing",
        "multipart_head_too_long",
        "Header block of one part; a longer one is searched as data.",
    ),
    Limit(
        "multipart_parts",
        4096,
        "count",
        "stop-parsing",
        "multipart_too_many_parts",
        "Parts of one body that get a content of their own; the rest is searched as one.",
    ),
    Limit(
        "multipart_fields_bytes",
        1 << 20,
        "bytes",
        "flush",
        "multipart_fields_flushed",
        "Short fields of one form gathered into one record.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "multipart_head_too_long",
        "low",
        "The header block of a part does not end; it was searched as data.",
        "Raise multipart_head_bytes if such senders are usual here.",
    ),
    AnomalyKind(
        "multipart_too_many_parts",
        "low",
        "A multipart body has more parts than are told apart; the rest was searched as one content.",
        "Raise multipart_parts if such bodies are usual here.",
    ),
    AnomalyKind(
        "multipart_fields_flushed",
        "info",
        "A form has so many short fields that they were searched in more than one record.",
        "None needed; people may be counted more than once.",
    ),
    AnomalyKind(
        "multipart_no_delimiter",
        "low",
        "A body is declared multipart, but its boundary never occurred; it was searched as one content.",
        "None needed; the sender declares a wrong boundary or the start is missing.",
    ),
)


class Multipart:
    """A Receiver that splits. Arguments as of Intake; `boundary` as declared."""

    def __init__(
        self, setup: Setup, place: Place, boundary: str, anomalies: list[Anomaly], *, scan: bool, digest: bool
    ) -> None:
        self._setup = setup
        self._place = place
        self._anomalies = anomalies
        self._scan = scan
        self._digest = digest
        self._whole = Intake(setup, place, anomalies, scan=False, digest=digest)
        self._part: Receiver | None = None
        self._decoder: Decoder | None = None
        self._parts = 0
        self._most = setup.limits["multipart_parts"]
        self._record = _Record(setup, place, anomalies, scan=scan)
        self._results: list[ContentResult] = []
        self._strays: Intake | None = None
        self._splitter = Splitter(
            boundary.encode("utf-8", "surrogateescape"),
            setup.limits["multipart_head_bytes"],
            self._begin,
            self._data,
            self._end,
            self._stray,
            lambda: anomalies.append(Anomaly("multipart_head_too_long")),
        )

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes."""
        self._whole.feed(data)
        self._splitter.feed(data)

    def gap(self, size: int) -> None:
        """Missing bytes belong to the part they fall into."""
        self._whole.gap(size)
        self._splitter.gap()
        if self._part is not None:
            self._part.gap(size)
        elif self._strays is not None:
            self._strays.gap(size)

    def close(self, complete: bool) -> list[ContentResult]:
        """The body's result first, then its parts in order, then the record of its fields."""
        ended = self._splitter.close()
        (body,) = self._whole.close(complete and ended)
        body.members = self._parts
        if self._part is not None:
            self._results.extend(self._part.close(complete and ended))
        if self._strays is not None:
            body.scan = self._strays.close(complete)[0].scan
        if body.size and not self._parts:
            self._anomalies.append(Anomaly("multipart_no_delimiter"))
        return [body, *self._results, *self._record.close()]

    # ------------------------------------------------------------ calls of the splitter
    def _begin(self, block: bytes) -> None:
        if self._parts >= self._most:
            if self._parts == self._most:
                self._anomalies.append(Anomaly("multipart_too_many_parts"))
                self._parts += 1
                self._part = self._intake(partheader.PartHeader(), f"{self._place.path}/multipart:rest")
            elif isinstance(self._part, Intake):
                self._part.gap(0)
            return
        self._parts += 1
        header = partheader.parse(block)
        self._decoder = decoder(header.encoding)
        path = self._place.path
        if header.file_name:
            self._part = self._file(header, f"{path}/multipart:file={header.file_name}")
        elif header.boundary and header.media_type.startswith("multipart/"):
            self._part = self._file(header, f"{path}/multipart:part={self._parts}")
        elif header.field:
            self._part = _FormField(
                self._record, header, self._intake(header, f"{path}/multipart:field={header.field}")
            )
        else:
            self._part = self._intake(header, f"{path}/multipart:part={self._parts}")

    def _data(self, data: bytes) -> None:
        if self._part is not None:
            self._part.feed(self._decoder.feed(data) if self._decoder is not None else data)

    def _end(self, complete: bool) -> None:
        if self._part is None or (self._parts > self._most and complete):
            return  # the unsplit rest goes on to the end
        if self._decoder is not None:
            self._part.feed(self._decoder.finish())
            self._decoder = None
        self._results.extend(self._part.close(complete))
        self._part = None

    def _stray(self, data: bytes) -> None:
        """Bytes outside all parts are searched as the body's own."""
        if self._scan and self._strays is None:
            self._strays = Intake(self._setup, self._place, self._anomalies, scan=True, digest=False, text=True)
        if self._strays is not None:
            self._strays.feed(data)

    # ------------------------------------------------------------ what a part becomes
    def _file(self, header: partheader.PartHeader, path: str) -> Receiver:
        if header.boundary and header.media_type.startswith("multipart/") and self._place.depth < _NESTING:
            place = self._at(header, path, depth=self._place.depth + 1)
            return Multipart(self._setup, place, header.boundary, self._anomalies, scan=self._scan, digest=self._digest)
        return self._intake(header, path)

    def _intake(self, header: partheader.PartHeader, path: str) -> Intake:
        return Intake(
            self._setup,
            self._at(header, path, depth=self._place.depth),
            self._anomalies,
            scan=self._scan,
            digest=self._digest and bool(header.file_name or not header.field),
        )

    def _at(self, header: partheader.PartHeader, path: str, *, depth: int) -> Place:
        place = self._place
        return Place(
            place.part,
            place.direction,
            place.tx,
            path,
            header.media_type,
            header.charset,
            header.file_name or header.field,
            is_field=bool(header.field and not header.file_name),
            depth=depth,
        )


class _FormField:
    """A form field: into the record if it is short and plain, else a content of its own."""

    def __init__(self, record: "_Record", header: partheader.PartHeader, alone: Intake) -> None:
        self._record = record
        self._header = header
        self._alone = alone
        self._held = b""
        self._short = True

    def feed(self, data: bytes | memoryview) -> None:
        """Hold while short."""
        if self._short:
            self._held += data
            if len(self._held) <= SHORT:
                return
            self._spill()
            return
        self._alone.feed(data)

    def gap(self, size: int) -> None:
        """A field with a hole stands alone."""
        self._spill()
        self._alone.gap(size)

    def close(self, complete: bool) -> list[ContentResult]:
        """Decide."""
        if self._short and self._held[:1] not in _BEGINNINGS and b"\0" not in self._held:
            value = partheader.text(self._held, self._header.charset)
            self._record.add(self._header.field, value)
            return []
        self._spill()
        return self._alone.close(complete)

    def _spill(self) -> None:
        if self._short:
            self._short = False
            self._alone.feed(self._held)
            self._held = b""


_BEGINNINGS: Final = frozenset(bytes((byte,)) for byte in _STRUCTURED)


class _Record:
    """Short fields of one form as one JSON object (`name`: value), one content."""

    def __init__(self, setup: Setup, place: Place, anomalies: list[Anomaly], *, scan: bool) -> None:
        self._setup = setup
        self._place = place
        self._anomalies = anomalies
        self._scan = scan
        self._rows: list[tuple[str, str]] = []
        self._left = setup.limits["multipart_fields_bytes"]
        self._done: list[ContentResult] = []

    def add(self, name: str, value: str) -> None:
        """One more field."""
        if not self._scan:
            return
        size = len(name) + len(value)
        if size > self._left:
            self._anomalies.append(Anomaly("multipart_fields_flushed"))
            self._flush()
        self._left -= size
        self._rows.append((name, value))

    def close(self) -> list[ContentResult]:
        """The record's result, or none without fields."""
        self._flush()
        return self._done

    def _flush(self) -> None:
        if not self._rows:
            return
        # Written by hand: a form may repeat a name, a dict may not.
        text = ",\n".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in self._rows)
        place = self._place
        record = Place(
            place.part,
            place.direction,
            place.tx,
            f"{place.path}/multipart:fields",
            "application/json",
            "utf-8",
            is_field=True,
            depth=place.depth,
        )
        intake = Intake(self._setup, record, self._anomalies, scan=True, digest=False, text=True)
        intake.feed(f"{{{text}}}".encode("utf-8", "replace"))
        self._done.extend(intake.close(True))
        self._rows.clear()
        self._left = self._setup.limits["multipart_fields_bytes"]


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
