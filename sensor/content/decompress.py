"""Decompressors over a seekable file, bounded in memory whatever the data say: for archive members and single files.

`stream(method, chunks, state)` yields pieces of at most 64 KiB. Bad data never raise: the stream ends and
`state.damaged` is set. `state.consumed` says how many coded bytes the coder took, where it knows its own end.
"""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Final

import zstandard

PIECE: Final = 65536
MEMORY: Final = 128 << 20  # dictionary a single stream may ask for
_ZSTD_STEP: Final = 512
_ERRORS: Final = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError, MemoryError)


class State:
    """How a stream went."""

    __slots__ = ("consumed", "damaged", "finished")

    def __init__(self) -> None:
        self.damaged = False
        self.finished = False
        self.consumed = 0


def chunks(file: Any, start: int, size: int = -1) -> Iterator[bytes]:
    """Coded bytes of a file; seeks before each read, so several may run in turn."""
    while size:
        file.seek(start)
        chunk = file.read(PIECE if size < 0 else min(PIECE, size))
        if not chunk:
            return
        start += len(chunk)
        size -= len(chunk) if size > 0 else 0
        yield chunk


def stream(method: str, source: Iterator[bytes], state: State) -> Iterator[bytes]:
    """Decoded pieces. Methods: stored, deflate (raw), gzip, bzip2, lzma (ZIP), xz, zstd."""
    try:
        yield from _STREAMS[method](source, state)
    except _ERRORS:
        state.damaged = True
    if not state.finished:
        state.damaged = True


def _stored(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    for chunk in source:
        state.consumed += len(chunk)
        yield chunk
    state.finished = True


def _zlib(source: Iterator[bytes], state: State, *, window: int) -> Iterator[bytes]:
    coder = zlib.decompressobj(window)
    for chunk in source:
        state.consumed += len(chunk)
        while chunk:
            piece = coder.decompress(chunk, PIECE)
            if piece:
                yield piece
            if coder.eof:
                state.finished = True
                rest = coder.unused_data
                if window < 0 or not rest.lstrip(b"\0"):
                    state.consumed -= len(rest)
                    return
                coder = zlib.decompressobj(window)  # gzip: the next member follows (RFC 1952 section 2.2)
                state.finished = False
                chunk = rest  # noqa: PLW2901 - the loop works off what is left of a chunk
            else:
                chunk = coder.unconsumed_tail  # noqa: PLW2901
        if coder.eof:
            return


def _deflate(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    return _zlib(source, state, window=-15)


def _gzip(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    return _zlib(source, state, window=31)


def _standard(source: Iterator[bytes], state: State, make: Any, *, again: bool) -> Iterator[bytes]:
    """bz2 and lzma objects, which share their interface; `again`: streams may follow one another."""
    coder = make()
    for chunk in source:
        state.consumed += len(chunk)
        data = chunk
        while True:
            piece = coder.decompress(data, PIECE)
            data = b""
            if piece:
                yield piece
            if coder.eof:
                state.finished = True
                data = coder.unused_data
                if not again or not data.lstrip(b"\0"):
                    state.consumed -= len(data)
                    if not again:
                        return
                    break
                coder = make()
                state.finished = False
            elif coder.needs_input:
                break
        if coder.eof:
            coder = make()


def _bzip2(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    return _standard(source, state, bz2.BZ2Decompressor, again=True)


def _xz(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    return _standard(source, state, lambda: lzma.LZMADecompressor(memlimit=MEMORY), again=True)


def _lzma(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    """ZIP method 14: version, length of properties, properties, raw LZMA1 (APPNOTE 5.8.8)."""
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= 9:
            break
    if len(head) < 9 or int.from_bytes(head[2:4], "little") != 5:
        state.damaged = True
        return
    packed, dictionary = head[4], int.from_bytes(head[5:9], "little")
    if dictionary > MEMORY or packed >= 9 * 5 * 5:
        state.damaged = True
        return
    rows = [
        {
            "id": lzma.FILTER_LZMA1,
            "lc": packed % 9,
            "lp": packed // 9 % 5,
            "pb": packed // 45,
            "dict_size": dictionary,
        }
    ]

    def rest() -> Iterator[bytes]:
        yield head[9:]
        yield from source

    state.consumed = 9
    yield from _standard(rest(), state, lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=rows), again=False)
    # Without an end marker (flag bit 1 clear) raw LZMA1 does not know its end: that it took everything must do.
    state.finished = True


def _zstd(source: Iterator[bytes], state: State) -> Iterator[bytes]:
    """Frame after frame; fed in small steps, for a few bytes may stand for a block of 128 KiB."""
    context = zstandard.ZstdDecompressor(max_window_size=MEMORY)
    coder = context.decompressobj()
    for chunk in source:
        state.consumed += len(chunk)
        for at in range(0, len(chunk), _ZSTD_STEP):
            data = chunk[at : at + _ZSTD_STEP]
            while data:
                if coder.eof:
                    coder = context.decompressobj()
                piece = coder.decompress(data)
                data = coder.unused_data if coder.eof else b""
                state.finished = coder.eof
                for start in range(0, len(piece), PIECE):
                    yield piece[start : start + PIECE]


_STREAMS: Final = {
    "stored": _stored,
    "deflate": _deflate,
    "gzip": _gzip,
    "bzip2": _bzip2,
    "lzma": _lzma,
    "xz": _xz,
    "zstd": _zstd,
}
