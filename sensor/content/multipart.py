"""Splitter: a multipart body cut into its parts while it streams (RFC 2046 section 5.1, RFC 7578).

In: the body's bytes in any pieces. Out: calls: the header block of a part that begins, its data, its end; what stands
before the first and after the last delimiter goes to `outside`. At most one delimiter line and one header block are
held. Lenient: bare LF, blanks after the boundary, a missing close delimiter. Cost: one copy and one `bytes.find` per
piece.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

_HEAD_END: Final = re.compile(rb"(?:\A|\n)\r?\n")
_PADDING: Final = 256  # blanks allowed between a boundary and its line end
_State = Literal["preamble", "head", "body", "epilogue"]


class Splitter:
    """Calls `begin(header block)`, `data(bytes)`, `end(complete)` in turn for each part.

    Args:
        boundary: the boundary parameter.
        head_bytes: longest header block; a longer one is taken for data of a part without headers.
        begin, data, end: what to do.
        outside: bytes that belong to no part (preamble, epilogue).
        too_long: called once per header block that was too long.
    """

    __slots__ = (
        "_begin",
        "_data",
        "_end",
        "_head_bytes",
        "_held",
        "_marker",
        "_outside",
        "_skip",
        "_state",
        "_too_long",
    )

    def __init__(
        self,
        boundary: bytes,
        head_bytes: int,
        begin: Callable[[bytes], None],
        data: Callable[[bytes], None],
        end: Callable[[bool], None],
        outside: Callable[[bytes], None],
        too_long: Callable[[], None],
    ) -> None:
        self._marker = b"\n--" + boundary
        self._head_bytes = head_bytes
        self._begin, self._data, self._end = begin, data, end
        self._outside, self._too_long = outside, too_long
        self._state: _State = "preamble"
        self._held = b"\n"  # as if a line had ended: the first delimiter may stand at the very start
        self._skip = 1  # bytes at the start of what is held that belong to nobody

    def feed(self, data: bytes | memoryview) -> None:
        """Next bytes of the body."""
        self._held = self._consume(self._held + data)

    def gap(self) -> None:
        """Bytes are missing: what is held cannot become a delimiter any more; the part goes on."""
        if self._state == "head":
            self._open(b"")
        self._emit(self._held)
        self._held = b""

    def close(self) -> bool:
        """The body is over; True when it ended with its close delimiter."""
        done = self._state == "epilogue"
        if self._state == "head":
            self._open(b"")
        cut = self._held.find(self._marker)
        self._emit(self._held if cut < 0 else self._held[:cut].removesuffix(b"\r"))
        if self._state == "body":
            self._end(False)
        self._held = b""
        self._state = "epilogue"
        return done

    def _consume(self, buffer: bytes) -> bytes:
        """Work through `buffer`; returns what must wait for more."""
        pos = search = 0
        while self._state != "epilogue":
            if self._state == "head":
                window = buffer[pos : pos + self._head_bytes]
                match = _HEAD_END.search(window)
                if match is not None:
                    self._open(window[: match.start()])
                    # Go back to the last line end: a delimiter may follow the header block at once.
                    pos = search = pos + match.end() - 1
                    self._skip = 1
                elif len(window) < self._head_bytes:
                    return window
                else:
                    self._too_long()
                    self._open(b"")
                continue
            place = buffer.find(self._marker, search)
            if place < 0:
                keep = max(pos, len(buffer) - len(self._marker))
                self._emit(buffer[pos:keep])
                return buffer[keep:]
            follows, after = self._delimiter(buffer, place + len(self._marker))
            if follows == "more":
                keep = max(pos, place - 1)
                self._emit(buffer[pos:keep])
                return buffer[keep:]
            if follows == "data":
                search = place + 1
                continue
            self._emit(buffer[pos:place].removesuffix(b"\r"))
            if self._state == "body":
                self._end(True)
            self._skip = 0
            self._state = "head" if follows == "part" else "epilogue"
            pos = search = after
        self._emit(buffer[pos:])
        return b""

    def _delimiter(self, buffer: bytes, after: int) -> tuple[Literal["part", "close", "data", "more"], int]:
        """What the bytes from `after` on make of a marker, and where its line ends."""
        tail = buffer[after : after + 2]
        if tail == b"--":
            return "close", after + 2
        if not tail or tail == b"-":
            return "more", after
        line = buffer[after : after + _PADDING]
        blanks = len(line) - len(line.lstrip(b" \t\r"))
        if line[blanks : blanks + 1] == b"\n":
            return "part", after + blanks + 1
        return ("more" if blanks == len(line) < _PADDING else "data"), after

    def _open(self, block: bytes) -> None:
        self._begin(block)
        self._state = "body"

    def _emit(self, data: bytes) -> None:
        if self._skip and data:
            data, self._skip = data[1:], 0
        if data:
            (self._data if self._state == "body" else self._outside)(data)
