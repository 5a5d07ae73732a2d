"""Decoders of content codings that are fed block by block: gzip, deflate (zlib or raw), br, zstd.

`decode(block)` yields pieces of at most 64 KiB (zstd: 16 MiB in the worst case before they are cut), so a bomb can be
stopped between two of them. Bad data raise one of `ERRORS`, to be caught by the caller and nowhere else. What a broken
block held before the break is still yielded for gzip and deflate; the others lose that block.
"""

import zlib
from collections.abc import Iterator
from typing import Any, Final, Protocol

PIECE: Final = 65536
_WINDOW: Final = 128 << 20  # zstd: memory one stream may ask for (RFC 8878 section 3.1.1.1.2)
_ZSTD_STEP: Final = 512  # a few coded bytes may stand for a block of 128 KiB


class Broken(Exception):  # noqa: N818 - never leaves this folder
    """The coded bytes make no sense from here on."""


class ContentDecoder(Protocol):
    """One stream. `finished`: its end was seen; `trailing`: coded bytes after that end."""

    finished: bool
    trailing: int

    def decode(self, block: bytes) -> Iterator[bytes]:
        """Decoded pieces of the next block; raises Broken."""


class _Zlib:
    """gzip (RFC 1952, members joined) and deflate (RFC 1950, or RFC 1951 where senders left the wrapper out)."""

    __slots__ = ("_coder", "_window", "finished", "trailing")

    def __init__(self, window: int) -> None:
        self._window = window  # 0: zlib or raw, to be seen
        self._coder: Any = zlib.decompressobj(window) if window else None
        self.finished = False
        self.trailing = 0

    def decode(self, block: bytes) -> Iterator[bytes]:
        if self._coder is None:
            wrapped = len(block) > 1 and block[0] & 0x8F == 8 and int.from_bytes(block[:2], "big") % 31 == 0
            self._window = 15 if wrapped else -15
            self._coder = zlib.decompressobj(self._window)
        # The library drops what it decoded in the call that fails: go back and take the block byte by byte.
        before = self._coder.copy(), self.finished, self.trailing
        given = 0
        try:
            for piece in self._run(block):
                given += len(piece)
                yield piece
        except zlib.error:
            self._coder, self.finished, self.trailing = before
        else:
            return
        try:
            for at in range(len(block)):
                for piece in self._run(block[at : at + 1]):
                    if given < len(piece):
                        yield piece[given:]
                    given = max(0, given - len(piece))
        except zlib.error:
            pass
        raise Broken

    def _run(self, block: bytes) -> Iterator[bytes]:
        data = block
        while data:
            if self.finished:
                # Only a gzip member may follow; zeros are padding.
                if self._window != 31 or not data.startswith(b"\x1f"):
                    self.trailing += len(data.strip(b"\0"))
                    return
                self._coder = zlib.decompressobj(self._window)
                self.finished = False
            piece = self._coder.decompress(data, PIECE)
            if piece:
                yield piece
            self.finished = self._coder.eof
            data = self._coder.unused_data if self.finished else self._coder.unconsumed_tail


class _Brotli:
    """br (RFC 7932)."""

    __slots__ = ("_coder", "_error", "finished", "trailing")

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415 - loaded for the first body that needs it

        self._coder: Any = brotli.Decompressor()
        self._error: type[Exception] = brotli.error
        self.finished = False
        self.trailing = 0

    def decode(self, block: bytes) -> Iterator[bytes]:
        if self.finished:
            self.trailing += len(block)
            return
        try:
            piece = self._coder.process(block, output_buffer_limit=PIECE)
            while piece or not self._coder.can_accept_more_data():
                yield piece
                piece = self._coder.process(b"", output_buffer_limit=PIECE)
        except self._error as fault:
            raise Broken from fault
        self.finished = self._coder.is_finished()


class _Zstd:
    """zstd (RFC 8878), frames joined."""

    __slots__ = ("_coder", "_context", "_error", "finished", "trailing")

    def __init__(self) -> None:
        import zstandard  # noqa: PLC0415 - as above

        self._context = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._coder: Any = self._context.decompressobj()
        self._error: type[Exception] = zstandard.ZstdError
        self.finished = False
        self.trailing = 0

    def decode(self, block: bytes) -> Iterator[bytes]:
        try:
            for at in range(0, len(block), _ZSTD_STEP):
                data = block[at : at + _ZSTD_STEP]
                while data:
                    if self._coder.eof:
                        self._coder = self._context.decompressobj()
                    whole = self._coder.decompress(data)
                    self.finished = self._coder.eof
                    data = self._coder.unused_data if self.finished else b""
                    for start in range(0, len(whole), PIECE):
                        yield whole[start : start + PIECE]
        except self._error as fault:
            raise Broken from fault


def decoder(coding: str) -> ContentDecoder | None:
    """The decoder of a Content-Encoding in lower case, None where it is not known."""
    match coding.removeprefix("x-"):
        case "gzip":
            return _Zlib(31)
        case "deflate":
            return _Zlib(0)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
        case _:
            return None
