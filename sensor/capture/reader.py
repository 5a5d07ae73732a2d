"""A capture being read: its window, its format, what it delivered and what was damaged."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import sensor.capture
from sensor.batch import PacketBatch
from sensor.capture.damage import CaptureError, Damage, capture_name
from sensor.capture.window import StreamWindow, Window, open_window
from sensor.interfaces import SourceSpec, discover

HEAD: Final = 24


class Capture:
    """An open capture file.

    Attributes:
        name: base name, or `stdin`.
        path: as given.
        size: bytes on disk, -1 for a pipe.
        frames: frames delivered so far.
        damage: what could not be read.
    """

    def __init__(self, path: str, window: Window, size: int, spec: SourceSpec, limit: int) -> None:
        self.path = path
        self.name = capture_name(path)
        self.size = size
        self.frames = 0
        self.damage: list[Damage] = []
        self._window = window
        self._source = spec.open(window, path, self.damage, limit)

    @property
    def consumed(self) -> int:
        """Bytes of the file read so far."""
        return self._window.consumed()

    def first_ts_ns(self) -> int | None:
        """Time of the first frame; reads no further than it must. None without frames."""
        for batch in self._source.batches(peek=True):
            return int(batch.ts_ns[0])
        return None

    def batches(self) -> Iterator[PacketBatch]:
        """Frames in file order. A batch's arena is valid until the next batch is asked for."""
        for batch in self._source.batches():
            batch.first = self.frames
            self.frames += len(batch)
            yield batch
        if isinstance(self._window, StreamWindow) and self._window.error:
            end = self._window.base + len(self._window.view)
            self.damage.append(Damage("capture_bad_compression", self.name, end, self._window.error))

    def close(self) -> None:
        """Let go of the file."""
        self._window.close()


def open_capture(path: str, limits: Mapping[str, int]) -> Capture:
    """Open one capture, `-` for standard input.

    Raises:
        CaptureError: missing, unreadable, empty, not a capture, or only a link type that is not read.
    """
    try:
        source = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115 - the window closes it
        window, size = open_window(path, source)
    except OSError as error:
        raise CaptureError(path, f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    except ValueError:  # a map of nothing
        source.close()
        raise CaptureError(path, "is empty", "was the capturing tool still starting?") from None
    try:
        return _open(path, window, size, limits["capture_record_bytes"])
    except CaptureError:
        window.close()
        raise


def _open(path: str, window: Window, size: int, record_limit: int) -> Capture:
    window.fill(0, HEAD)
    head = bytes(window.view[:HEAD])
    for spec in discover(sensor.capture, "SOURCE").values():
        if spec.magic(head):
            return Capture(path, window, size, spec, record_limit)
    kind = "text" if head and all(9 <= byte < 127 for byte in head) else "something else"
    if isinstance(window, StreamWindow) and window.error:
        kind = "damaged compressed data"
    raise CaptureError(path, f"is not a pcap or pcapng capture (it holds {kind})", "give files a capture tool wrote")
