"""Classic pcap: microseconds and nanoseconds, both byte orders (draft-ietf-opsawg-pcap)."""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from sensor.batch import PacketBatch
from sensor.capture._columns import BATCH_BYTES, BATCH_FRAMES, u32_at
from sensor.capture.damage import CaptureError, Damage, capture_name
from sensor.capture.linktypes import READ, link_name
from sensor.capture.window import Window
from sensor.interfaces import SourceSpec

MAGIC: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
FILE_HEADER: Final = 24
RECORD_HEADER: Final = 16


class PcapSource:
    """Walks the record headers; only the captured length is read in the loop, the rest in columns afterwards."""

    def __init__(self, window: Window, path: str, damage: list[Damage], limit: int) -> None:
        head = bytes(window.view[:FILE_HEADER])
        if len(head) < FILE_HEADER:
            raise CaptureError(path, "ends inside the file header", "the capturing tool was stopped too early")
        self._order, self._scale = MAGIC[head[:4]]
        self._link = struct.unpack_from(self._order + "I", head, 20)[0] & 0xFFFF
        if self._link not in READ:
            raise CaptureError(
                path, f"has link type {link_name(self._link)}, which is not read", "capture on the wired side"
            )
        self._window, self._path, self._damage, self._limit = window, path, damage, limit
        self._name = capture_name(path)

    def batches(self, *, peek: bool = False) -> Iterator[PacketBatch]:
        """Batches of frames; with `peek` only the first frame, leaving no trace."""
        window, limit = self._window, self._limit
        unpack = struct.Struct(self._order + "I").unpack_from
        position = FILE_HEADER
        most = 1 if peek else BATCH_FRAMES
        while True:
            view, base = window.view, window.base
            end = len(view)
            at = start = position - base
            stop = start + BATCH_BYTES
            found: list[int] = []
            append = found.append
            bad = ""
            while at + RECORD_HEADER <= end:
                caplen = unpack(view, at + 8)[0]
                after = at + RECORD_HEADER + caplen
                if after > end or caplen > limit:
                    bad = "capture_bad_length" if caplen > limit else ""
                    break
                append(at)
                at = after
                if len(found) == most or at > stop:
                    break
            if found:
                yield self._batch(view, found)
                position = base + at
                if peek:
                    return
                window.release(position)
                continue
            if bad:
                self._note("capture_bad_length", position, peek=peek)
                return
            caplen = unpack(view, at + 8)[0] if at + RECORD_HEADER <= end else 0
            if not window.fill(position, RECORD_HEADER + caplen):
                if window.base + len(window.view) > position:
                    self._note("capture_truncated", position, peek=peek)
                return

    def _note(self, anomaly: str, position: int, *, peek: bool) -> None:
        if not peek:
            self._damage.append(Damage(anomaly, self._name, position))

    def _batch(self, view: memoryview, found: list[int]) -> PacketBatch:
        arena = np.frombuffer(view, np.uint8)
        where = np.array(found, np.int64)
        swapped = self._order == ">"
        seconds, fraction, caplen, wirelen = (u32_at(arena, where + field, swapped=swapped) for field in (0, 4, 8, 12))
        return PacketBatch(
            arena,
            where + RECORD_HEADER,
            caplen,
            np.maximum(wirelen, caplen),
            seconds * 1_000_000_000 + fraction * self._scale,
            np.full(len(found), self._link, np.uint16),
            0,
            self._name,
        )


SOURCE = SourceSpec("pcap", lambda head: head[:4] in MAGIC, PcapSource)
