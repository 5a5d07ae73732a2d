"""Bytes of a capture as windows: a memory map of a plain file, or a sliding buffer over a stream.

`fill(position, need)` makes at least `need` bytes from `position` available if the input has them; `view` is the
window and `base` the capture offset of its first byte. Plain files: the window is the whole map. Streams: read in
chunks; what lies before the oldest position still wanted is dropped by `release`.
"""

import lzma
import mmap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import zstandard

CHUNK: Final = 8 << 20  # read at once from a stream; several batches' worth of headers, little memory
_GZIP, _ZSTD, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"


class MapWindow:
    """The whole file, mapped."""

    base = 0
    error = ""

    def __init__(self, source: IO[bytes]) -> None:
        self._map = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        source.close()
        self.view = memoryview(self._map)
        self._released = 0

    def fill(self, position: int, need: int) -> bool:
        """Whether that much is there."""
        return position + need <= len(self.view)

    def consumed(self) -> int:
        """Bytes of the file read so far."""
        return self._released

    def release(self, position: int) -> None:
        """Give back the pages before `position`."""
        upto = position & ~(mmap.PAGESIZE - 1)
        if upto > self._released:
            self._map.madvise(mmap.MADV_DONTNEED, self._released, upto - self._released)
            self._released = upto

    def close(self) -> None:
        """Unmap, unless an arena still looks in: then the collector does it later."""
        self.view.release()
        try:
            self._map.close()
        except BufferError:
            return


class StreamWindow:
    """A buffer that slides over a decompressing stream."""

    def __init__(self, source: IO[bytes], head: bytes) -> None:
        self._source, self._head = source, head
        self._decode = _decoder(head)
        self.view = memoryview(b"")
        self.base = 0
        self.error = ""
        self._read = 0
        self._ended = False

    def fill(self, position: int, need: int) -> bool:
        """Read on until `need` bytes from `position` are in the window."""
        if position + need <= self.base + len(self.view):
            return True
        pieces: list[Any] = [self.view]
        have = self.base + len(self.view)
        while position + need > have and not self._ended:
            piece = self._next()
            pieces.append(piece)
            have += len(piece)
        self.view = memoryview(b"".join(pieces))
        return position + need <= have

    def _next(self) -> bytes:
        raw, self._head = self._head, b""
        more = self._source.read(CHUNK)
        raw += more or b""
        self._read += len(raw)
        try:
            data = self._decode(raw)
        except (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError):
            self.error = "the compressed stream is damaged"
            self._ended = True
            return b""
        if not more:
            self._ended = True
        return data

    def consumed(self) -> int:
        """Bytes of the file read so far."""
        return self._read

    def release(self, position: int) -> None:
        """Forget what lies before `position`; arenas keep their own bytes alive."""
        cut = position - self.base
        if cut > 0:
            self.view = self.view[cut:]
            self.base = position

    def close(self) -> None:
        """Close the file."""
        self._source.close()


Window = MapWindow | StreamWindow


def _decoder(head: bytes) -> Callable[[bytes], bytes]:
    """By magic, never by name. Members that follow one another are all read."""
    if head.startswith(_GZIP):
        return _Members(lambda: zlib.decompressobj(31))
    if head.startswith(_ZSTD):
        return _Members(lambda: zstandard.ZstdDecompressor().decompressobj())
    if head.startswith(_XZ):
        return _Members(lambda: lzma.LZMADecompressor(memlimit=256 << 20))
    return bytes


class _Members:
    """Decompresses member after member."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._inner = make()

    def __call__(self, raw: bytes) -> bytes:
        out = []
        while raw:
            if self._inner.eof:
                if not raw.strip(b"\x00"):
                    break  # padding after the last member
                self._inner = self._make()
            out.append(self._inner.decompress(raw))
            raw = self._inner.unused_data if self._inner.eof else b""
        return b"".join(out)


def open_window(path: str, source: IO[bytes]) -> tuple[Window, int]:
    """Window over a file or a pipe, and the size on disk (-1 unknown)."""
    plain = path != "-" and Path(path).is_file()
    head = source.read(8)
    size = Path(path).stat().st_size if plain else -1
    if plain and not head.startswith((_GZIP, _ZSTD, _XZ)):
        return MapWindow(source), size
    return StreamWindow(source, head), size
