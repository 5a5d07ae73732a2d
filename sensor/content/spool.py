"""Spool: bytes kept for a reader that must seek, in memory while few, in an unnamed temporary file when many.

One quota stands over all spools of a worker, one cap over each. A full spool refuses; it never raises. Price: one
copy of what is written.
"""

import tempfile
from collections.abc import Iterator
from typing import Final

_ZEROS: Final = bytes(65536)
IN_MEMORY: Final = 1 << 20  # bytes of one spool before it moves to a temporary file
PIECE: Final = 65536  # bytes per read when a spool is read back


class SpoolQuota:
    """Bytes that all spools together may still take."""

    __slots__ = ("free",)

    def __init__(self, free: int) -> None:
        self.free = free

    def take(self, size: int) -> bool:
        """Reserve `size` bytes; False (and nothing reserved) when they are not there."""
        if size > self.free:
            return False
        self.free -= size
        return True


class Spool:
    """Append, then read from anywhere. `file` is a seekable binary file."""

    __slots__ = ("_cap", "_quota", "file", "size")

    def __init__(self, quota: SpoolQuota, cap: int, in_memory: int = IN_MEMORY) -> None:
        self.file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed by close()
        self.size = 0
        self._quota = quota
        self._cap = cap

    def write(self, data: bytes | memoryview) -> bool:
        """Append; False, with nothing written, when the cap, the quota or the disk is full."""
        size = len(data)
        if self.size + size > self._cap or not self._quota.take(size):
            return False
        try:
            self.file.write(data)
        except OSError:
            self._quota.free += size
            return False
        self.size += size
        return True

    def fill(self, size: int) -> bool:
        """Append zeros in place of missing bytes, so that what follows keeps its offset."""
        if self.size + size > self._cap:
            return False
        while size:
            zeros = _ZEROS[:size]
            if not self.write(zeros):
                return False
            size -= len(zeros)
        return True

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Pieces of `size` bytes from `start` on."""
        self.file.seek(start)
        while size > 0:
            piece = self.file.read(min(size, PIECE))
            if not piece:
                return
            size -= len(piece)
            yield piece

    def close(self) -> None:
        """Give the bytes and their quota back."""
        self._quota.free += self.size
        self.size = 0
        self.file.close()
