"""Content codings undone: a Receiver in front of a Receiver (RFC 9110 section 8.4).

In: coded bytes. Out: decoded bytes to the inner Receiver, in pieces of bounded size. A coding that is unknown or was
never applied passes the bytes on as they are; one that breaks or loses bytes to a gap is an anomaly, and what cannot
be decoded any more is scanned raw (broken) or counted as skipped (after a gap nothing can be decoded).
"""

from typing import Any, Final

from sensor.content.result import ContentResult
from sensor.content.setup import Receiver, Setup
from sensor.interfaces import AnomalyKind
from sensor.limits import Limit
from sensor.model import Anomaly

LIMITS: Final = (
    Limit(
        "coding_bytes",
        1 << 30,
        "bytes",
        "truncate",
        "coding_too_much",
        "Bytes one coded body may decode to; the rest is left out and counted.",
    ),
    Limit(
        "coding_ratio",
        1000,
        "ratio",
        "truncate",
        "coding_bomb",
        "Bytes one coded body may decode to per coded byte.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "coding_too_much",
        "medium",
        "A coded body decodes to more bytes than are inspected; the rest was left out.",
        "Raise coding_bytes if such bodies are usual here.",
    ),
    AnomalyKind(
        "coding_bomb",
        "high",
        "A coded body decodes to far more than its size, as decompression bombs do; the rest was left out.",
        "Look at the sender; raise coding_ratio if such bodies are usual here.",
    ),
    AnomalyKind(
        "coding_unknown",
        "low",
        "A body has a content coding that is not known here; its bytes were searched as they are.",
        "None needed; the detail names the coding where it is a registered one.",
    ),
    AnomalyKind(
        "coding_broken",
        "low",
        "A coded body could not be decoded to its end; what remained was searched as it is.",
        "Loss on the mirror port or a sender that declares a coding it did not apply.",
    ),
    AnomalyKind(
        "coding_gap",
        "low",
        "Bytes of a coded body are missing from the capture; what follows them cannot be decoded.",
        "Look at the capture's loss counters.",
    ),
)


CODINGS: Final = frozenset({"gzip", "deflate", "br", "zstd"})  # of the IANA registry, those that carry content


class Coded:
    """Receiver that undoes one coding.

    Args:
        setup: what contents share.
        coding: name as in Content-Encoding, any case.
        inner: takes the decoded bytes.
        anomalies: where odd things are noted.
    """

    __slots__ = ("_anomalies", "_ended", "_inflater", "_inner", "_skipped")

    def __init__(self, setup: Setup, coding: str, inner: Receiver, anomalies: list[Anomaly]) -> None:
        self._inner = inner
        self._anomalies = anomalies
        self._skipped: dict[str, int] = {}
        self._ended = ""  # why no more is decoded: an anomaly's name, or "raw"
        self._inflater: Any = None
        name = coding.strip().lower().removeprefix("x-")
        if name in {"", "identity"}:
            self._ended = "raw"
        elif name in CODINGS:
            from sensor.wire.inflate import Inflater  # noqa: PLC0415 - decoders are loaded for the first coded body

            self._inflater = Inflater(
                name, max_total=setup.limits["coding_bytes"], max_ratio=setup.limits["coding_ratio"]
            )
        else:
            self._ended = "raw"
            anomalies.append(Anomaly("coding_unknown"))

    def feed(self, data: bytes | memoryview) -> None:
        """Next coded bytes."""
        if self._inflater is None:
            if self._ended == "raw":
                self._inner.feed(data)
            else:
                self._skipped[self._ended] = self._skipped.get(self._ended, 0) + len(data)
            return
        for piece in self._inflater.feed(data):
            self._inner.feed(piece)
        if self._inflater.error:
            self._stop()

    def _stop(self) -> None:
        raise NotImplementedError

    def gap(self, size: int) -> None:
        """Missing coded bytes end the decoding."""
        if self._inflater is not None and size:
            self._inflater = None
            self._ended = "coding_gap"
            self._anomalies.append(Anomaly("coding_gap"))
        self._inner.gap(size)

    def close(self, complete: bool) -> list[ContentResult]:
        """The inner result; incomplete when the coding did not come to its end."""
        whole = self._inflater is None and self._ended == "raw"
        if self._inflater is not None:
            whole = self._inflater.finished
            self._inflater = None
        results = self._inner.close(complete and whole)
        for reason, size in self._skipped.items():
            results[0].skip(reason, size)
        return results
