"""What can be wrong with a capture file: the operator's mistake, or damage that ends the reading early."""

from pathlib import Path
from typing import Final

import msgspec

from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    Limit(
        "capture_record_bytes",
        16 << 20,
        "bytes",
        "stop-parsing",
        "capture_bad_length",
        "Longest record believed: above any snap length tools write (262,144) and any offloaded segment.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "capture_truncated",
        "medium",
        "The capture file ends inside a record; everything before was analysed.",
        "Copy the file again, or stop the capturing tool before copying.",
    ),
    AnomalyKind(
        "capture_bad_length",
        "medium",
        "A record claims an absurd length; reading stopped there, everything before was analysed.",
        "The file is damaged from this offset on; repair it with a capture tool if the rest matters.",
    ),
    AnomalyKind(
        "capture_bad_block",
        "medium",
        "A pcapng block is inconsistent; reading stopped there, everything before was analysed.",
        "The file is damaged from this offset on; repair it with a capture tool if the rest matters.",
    ),
    AnomalyKind(
        "capture_bad_compression",
        "medium",
        "The compressed stream is damaged or cut; everything that could be decompressed was analysed.",
        "Copy the file again; check it with the compressor's own test.",
    ),
    AnomalyKind(
        "capture_link_type_unsupported",
        "medium",
        "Packets of an interface with a link type this sensor does not read were skipped.",
        "Capture on the wired side, or convert the capture.",
    ),
)


def capture_name(path: str) -> str:
    """Base name, as records show it; `stdin` for `-`."""
    return "stdin" if path == "-" else Path(path).name


class CaptureError(Exception):
    """The operator's mistake: what, where, and what to do."""

    def __init__(self, path: str, reason: str, remedy: str = "") -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


class Damage(msgspec.Struct, frozen=True):
    """Where reading a capture had to stop or skip.

    `offset` counts bytes of the (decompressed) capture.
    """

    anomaly: str
    capture: str
    offset: int
    detail: str = ""
