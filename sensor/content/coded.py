"""Content codings undone: a Receiver in front of a Receiver (RFC 9110 section 8.4).

In: coded bytes. Out: decoded bytes to the inner Receiver, in pieces of bounded size. A coding that is unknown or was
never applied passes the bytes on as they are; one that breaks or loses bytes to a gap is an anomaly, and what cannot
be decoded any more is scanned raw (broken) or counted as skipped (after a gap nothing can be decoded).
"""

from typing import Final

from sensor.content.inflate import Broken, decoder
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
        "Bytes one coded body may decode to per coded byte, once coding_ratio_free is used up.",
    ),
    Limit(
        "coding_ratio_free",
        16 << 20,
        "bytes",
        "truncate",
        "coding_bomb",
        "Bytes one coded body may decode to before the ratio is looked at.",
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
        "None needed; such codings are rare or private.",
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


BLOCK: Final = 16384  # coded bytes decoded at a time, counted from the start, so that no cut changes the outcome


class Coded:
    """Receiver that undoes one coding.

    Args:
        setup: what contents share.
        coding: name as in Content-Encoding, any case.
        inner: takes the decoded bytes.
        anomalies: where odd things are noted.
    """

    __slots__ = ("_anomalies", "_coded", "_decoded", "_decoder", "_held", "_inner", "_setup", "_skipped", "_state")

    def __init__(self, setup: Setup, coding: str, inner: Receiver, anomalies: list[Anomaly]) -> None:
        self._setup = setup
        self._inner = inner
        self._anomalies = anomalies
        self._held = b""
        self._coded = self._decoded = 0
        self._skipped: dict[str, int] = {}
        name = coding.strip().lower()
        self._decoder = decoder(name)
        # `raw`: bytes go on as they are; an anomaly's name: they are left out, counted under it
        self._state = "" if self._decoder is not None else "raw"
        if self._decoder is None and name not in {"", "identity"}:
            anomalies.append(Anomaly("coding_unknown"))

    def feed(self, data: bytes | memoryview) -> None:
        """Next coded bytes."""
        if self._decoder is None:
            self._pass(data)
            return
        held = self._held + data if self._held else data
        at = 0
        while len(held) - at >= BLOCK:
            self._block(bytes(held[at : at + BLOCK]))
            at += BLOCK
        self._held = bytes(held[at:])
        if self._state:  # it broke just now: what follows must not overtake the rest
            self._flush()

    def gap(self, size: int) -> None:
        """Missing coded bytes end the decoding."""
        if self._decoder is not None and size:
            self._flush()
            if self._decoder is not None and not self._decoder.finished:
                self._stop("coding_gap")
            self._decoder = None
        self._inner.gap(size)

    def close(self, complete: bool) -> list[ContentResult]:
        """The inner result; incomplete when the coding did not come to its end."""
        self._flush()
        whole = self._state in {"", "raw"}
        if self._decoder is not None:
            whole = self._decoder.finished or not self._coded
            if self._decoder.trailing:
                self._skipped["coding_trailing"] = self._decoder.trailing
        results = self._inner.close(complete and whole)
        for reason, size in self._skipped.items():
            results[0].skip(reason, size)
        return results

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._block(held)

    def _block(self, block: bytes) -> None:
        if self._decoder is None:
            self._pass(block)
            return
        self._coded += len(block)
        try:
            for piece in self._decoder.decode(block):
                if not self._give(piece):
                    return
        except Broken:
            self._anomalies.append(Anomaly("coding_broken"))
            self._decoder = None
            self._state = "broken"
            if self._decoded:  # else it is taken for what it is: never coded, and sniffed from its start
                self._inner.gap(-1)
            self._pass(block)

    def _give(self, piece: bytes) -> bool:
        """Pass decoded bytes on; False when a cap ends it."""
        limits = self._setup.limits
        by_ratio = max(limits["coding_ratio_free"], limits["coding_ratio"] * self._coded)
        room = min(by_ratio, limits["coding_bytes"]) - self._decoded
        self._decoded += min(len(piece), room)
        self._inner.feed(piece[:room])
        if len(piece) <= room:
            return True
        self._stop("coding_bomb" if by_ratio < limits["coding_bytes"] else "coding_too_much")
        self._inner.gap(-1)
        return False

    def _stop(self, reason: str) -> None:
        self._anomalies.append(Anomaly(reason))
        self._decoder = None
        self._state = reason
        self._skipped.setdefault(reason, 0)

    def _pass(self, data: bytes | memoryview) -> None:
        """Bytes that cannot be decoded: on as they are, or counted."""
        if self._state in {"raw", "broken"}:
            self._inner.feed(data)
        else:
            self._skipped[self._state] += len(data)
