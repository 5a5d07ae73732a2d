"""The HTTP/1.x parser of one flow: bytes in, events out (RFC 9112).

Each direction is a `Half` in one of the states below; a state is a method `(half, data, out) -> rest`. Bodies pass as
the slices they came in, only heads are copied. After a gap or nonsense a half looks for the next start line and hands
on what lies before it as content, so nothing is lost to framing. It is long because the states share one class.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sensor.model import (
    TO_CLIENT,
    TO_SERVER,
    Anomaly,
    Event,
    Message,
    PartClose,
    PartData,
    PartGap,
    PartOpen,
    Switch,
)
from sensor.protocols.http1 import head as heads
from sensor.protocols.http1.head import Head
from sensor.protocols.http1.tables import NO_BODY_STATUS

FOREVER: Final = -1  # a body that ends with the flow
_SIDE: Final = ("request", "response")
_WORTH_A_LOOK: Final = re.compile(rb"[?%@=]|\d{6}")  # a target without any of these cannot hold an identifier
_CHUNK_SIZE: Final = re.compile(rb"\s*([0-9A-Fa-f]{1,16})\s*(?:;.*)?\r?$", re.DOTALL)


class Exchange(msgspec.Struct, eq=False):
    """A request with its response, as far as both were seen."""

    tx: int
    facts: dict[str, object]
    method: bytes = b""
    target: bytes = b""
    host: str = ""
    request_bytes: int = 0
    response_bytes: int = 0


class Half:
    """One direction: what comes next, and what of it was held."""

    __slots__ = ("buffer", "direction", "exchange", "gapped", "left", "part", "searched", "size_bytes", "state")

    def __init__(self, direction: int) -> None:
        self.direction = direction
        self.state = "head"
        self.buffer = bytearray()
        self.searched = 0
        self.left = 0
        self.part = -1
        self.gapped = False
        self.size_bytes = 0
        self.exchange: Exchange | None = None


class Http1:
    """Parser of one flow.

    Attributes:
        leftover: after a Switch, the bytes not consumed, as (direction, bytes).
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.leftover: list[tuple[int, bytes]] = []
        self._head_limit = limits["http1_head_bytes"]
        self._line_limit = limits["http1_line_bytes"]
        self._pending_limit = limits["http1_pending_requests"]
        self._halves = (Half(TO_SERVER), Half(TO_CLIENT))
        self._pending: deque[Exchange] = deque()
        self._tx = 0
        self._parts = 0
        self._switched = False
        self._states: dict[str, Callable[[Half, memoryview, list[Event]], memoryview]] = {
            "head": self._head,
            "body": self._body,
            "chunk": self._chunk,
            "chunk data": self._body,
            "chunk end": self._chunk_end,
            "trailer": self._trailer,
            "forever": self._forever,
            "lost": self._lost,
        }

    # ------------------------------------------------------------ the three calls of a parser
    def feed(self, direction: int, data: bytes | memoryview, ts_ns: int) -> list[Event]:
        """Next bytes of one direction."""
        del ts_ns
        out: list[Event] = []
        half = self._halves[direction]
        rest = memoryview(data)
        while rest and not self._switched:
            rest = self._states[half.state](half, rest, out)
        if self._switched and len(rest):
            self.leftover.append((direction, bytes(rest)))
        return out

    def gap(self, direction: int, size: int, ts_ns: int) -> list[Event]:
        """Bytes are missing: inside a counted body that is all, anywhere else the next start line is looked for."""
        del ts_ns
        out: list[Event] = []
        half = self._halves[direction]
        if half.state in {"body", "chunk data"} and 0 < size <= half.left:
            out.append(PartGap(half.part, size))
            half.gapped = True
            half.left -= size
            self._counted(half, size)
            if not half.left:
                self._part_done(half, out)
            return out
        if half.part >= 0:
            missing = half.left if half.state in {"body", "chunk data"} and size > 0 else size
            out.append(PartGap(half.part, missing if missing > 0 else -1))
            half.gapped = True
        if half.state == "forever":
            return out
        if half.state == "body":
            self._message_done(half, out)
        self._lose(half, out)
        return out

    def close(self, ts_ns: int) -> list[Event]:
        """The flow ended."""
        del ts_ns
        out: list[Event] = []
        for half in self._halves:
            if half.buffer:
                if half.state != "lost":
                    self._lose(half, out)
                self._raw(half, memoryview(bytes(half.buffer[half.left :])), out)
                half.buffer.clear()
            if half.state == "forever":
                self._message_done(half, out)
            elif half.part >= 0:
                out.append(PartClose(half.part, complete=False))
                half.part = -1
        for half in reversed(self._halves):
            exchange = half.exchange
            if exchange is not None and exchange not in self._pending:  # a response without a request
                out.append(self._message(exchange))
            half.exchange = None
        out += [self._message(exchange) for exchange in self._pending]
        self._pending.clear()
        return out

    # ------------------------------------------------------------ heads
    def _head(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        """Collect a head up to its empty line; leading empty lines are passed over (RFC 9112 section 2.2)."""
        buffer = half.buffer
        if not buffer:
            blank = 0
            while blank < len(data) and data[blank] in b"\r\n":
                blank += 1
            data = data[blank:]
            if not len(data):
                return data
        before = len(buffer)
        buffer += data[: self._head_limit + 4 - before]
        found = heads.HEAD_END.search(buffer, max(half.searched - 3, 0))
        if found is None and len(buffer) <= self._head_limit and not self._hopeless(half):
            half.searched = len(buffer)
            return data[len(buffer) - before :]
        if found is None or found.end() > self._head_limit:
            out.append(Anomaly("http1_bad_start_line" if self._hopeless(half) else "http1_head_too_long"))
            return self._give_back(half, data, before)
        raw = bytes(buffer[: found.start()])
        rest = data[found.end() - before :]
        head = heads.parse(raw)
        if not self._start(half, head, out):
            out.append(Anomaly("http1_bad_start_line"))
            return self._give_back(half, data, before)
        buffer.clear()
        half.searched = 0
        if self._switched:
            other = self._halves[1 - half.direction]
            if other.buffer:
                self.leftover.append((other.direction, bytes(other.buffer)))
                other.buffer.clear()
        return rest

    def _hopeless(self, half: Half) -> bool:
        """The first line is complete and no start line, or begins like none."""
        line, newline, _ = bytes(half.buffer[:8192]).partition(b"\n")
        if newline:
            shape = heads.REQUEST_LINE if half.direction == TO_SERVER else heads.STATUS_LINE
            return shape.match(line) is None
        if half.direction == TO_SERVER:
            return heads.begins_request(line) is False
        return heads.begins_response(line) is False

    @staticmethod
    def _give_back(half: Half, data: memoryview, before: int) -> memoryview:
        """This is no message: look for the next one in what was held and in the rest.

        The search wants a line end first, so it cannot find the line that was just refused.
        """
        held = bytes(half.buffer[:before])
        half.buffer.clear()
        half.searched = half.left = 0
        half.state = "lost"
        return memoryview(held + bytes(data))

    def _start(self, half: Half, head: Head, out: list[Event]) -> bool:
        if half.direction == TO_SERVER:
            line = heads.REQUEST_LINE.match(head.first)
            if line is None:
                return False
            self._request(half, head, line[1], line[2], "1." + line[3].decode()[-1], out)
        else:
            line = heads.STATUS_LINE.match(head.first)
            if line is None:
                return False
            self._response(half, head, int(line[2]), line[1].decode(), out)
        out += [Anomaly(name) for name in head.anomalies]
        return True

    def _request(self, half: Half, head: Head, method: bytes, target: bytes, version: str, out: list[Event]) -> None:
        names = head.names
        host = heads.host_of(target, names.get(b"host", b""))
        facts: dict[str, object] = {
            "method": method.decode("latin-1"),
            "host": host,
            "uri": heads.text(target),
            "version": version,
        }
        for field, name in (("user_agent", b"user-agent"), ("referrer", b"referer")):
            if name in names:
                facts[field] = heads.text(names[name])
        exchange = Exchange(self._tx, facts, method, target, host)
        self._tx += 1
        half.exchange = exchange
        self._pending.append(exchange)
        if len(self._pending) > self._pending_limit:
            out.append(Anomaly("http1_too_many_requests"))
            out.append(self._message(self._pending.popleft()))
        if _WORTH_A_LOOK.search(target):
            self._field(half, "http:url", target, out)
        self._field(half, "http:request.headers", heads.field_lines(head), out)
        self._frame(half, head, out, default=0)

    def _response(self, half: Half, head: Head, status: int, version: str, out: list[Event]) -> None:
        if self._pending:
            exchange = self._pending[0]
        else:
            exchange = Exchange(self._tx, {"version": version})
            self._tx += 1
        half.exchange = exchange
        exchange.facts["status"] = status
        self._field(half, "http:response.headers", heads.field_lines(head), out)
        if status < 200 and status != 101:
            half.exchange = None
            half.state = "head"
            return
        if status == 101 or (exchange.method == b"CONNECT" and status < 300):
            self._response_done(half, out)
            self._switched = True
            out.append(Switch(None))
            return
        if exchange.method == b"HEAD" or status in NO_BODY_STATUS:
            self._response_done(half, out)
            return
        self._frame(half, head, out, default=FOREVER)

    # ------------------------------------------------------------ framing (RFC 9112 section 6.3)
    def _frame(self, half: Half, head: Head, out: list[Event], *, default: int) -> None:
        codings = [
            item.strip().lower() for item in head.names.get(b"transfer-encoding", b"").split(b",") if item.strip()
        ]
        chunked = bool(codings) and codings[-1] == b"chunked"
        size = default
        if head.lengths:
            if len(set(head.lengths)) > 1 or codings:
                out.append(Anomaly("http1_length_conflict"))
            if head.lengths[0].isdigit() and len(head.lengths[0]) <= 18:
                size = int(head.lengths[0])
            else:
                out.append(Anomaly("http1_bad_length"))
                size = FOREVER
        if codings:
            size = FOREVER
        if size == 0 and not chunked:
            self._message_done(half, out)
            return
        self._open(half, head, [item for item in codings if item not in {b"chunked", b"identity"}], size, out)
        if chunked:
            half.state = "chunk"
        elif size == FOREVER:
            half.state = "forever"
        else:
            half.state, half.left = "body", size

    def _open(self, half: Half, head: Head, transfer: list[bytes], size: int, out: list[Event]) -> None:
        names, exchange = head.names, half.exchange
        assert exchange is not None, "a body belongs to a message"
        media_type, parameters = heads.parameters(names.get(b"content-type", b""))
        side = _SIDE[half.direction]
        exchange.facts[f"{side}_media_type"] = media_type
        coded = [item.strip().lower() for item in names.get(b"content-encoding", b"").split(b",")]
        codings = [item.decode("latin-1") for item in (*coded, *transfer) if item and item != b"identity"]
        span, resource = None, ""
        if half.direction == TO_SERVER or exchange.facts.get("status") == 206:
            span = heads.content_range(names.get(b"content-range"))
        if span is not None:
            resource = f"{exchange.host}{heads.text(exchange.target)} {heads.text(names.get(b'etag', b''))}"
        boundary = parameters.get("boundary", b"") if media_type.startswith("multipart/") else b""
        half.part = self._number()
        out.append(
            PartOpen(
                half.part,
                half.direction,
                exchange.tx,
                f"http:{side}.body",
                media_type=media_type,
                charset=heads.text(parameters.get("charset", b"")),
                name=heads.file_name(names.get(b"content-disposition"), exchange.target),
                codings=tuple(codings),
                size=size,
                span=span,
                resource=resource,
                boundary=boundary.decode("latin-1"),
            )
        )

    def _body(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        piece = data[: half.left]
        out.append(PartData(half.part, piece))
        half.left -= len(piece)
        self._counted(half, len(piece))
        if not half.left:
            self._part_done(half, out)
        return data[len(piece) :]

    def _part_done(self, half: Half, out: list[Event]) -> None:
        """The counted bytes are all there: of the body, or of one chunk."""
        if half.state == "chunk data":
            half.state = "chunk end"
        else:
            self._message_done(half, out)

    def _line(self, half: Half, data: memoryview) -> tuple[bytes | None, memoryview]:
        """One line, or None when it goes on in the next slice. A line beyond the limit is returned as it is."""
        raw = bytes(data[: self._line_limit + 1])
        end = raw.find(b"\n")
        take = end + 1 if end >= 0 else len(raw)
        half.buffer += raw[:take]
        if end < 0 and len(half.buffer) <= self._line_limit:
            return None, data[take:]
        line = bytes(half.buffer)
        half.buffer.clear()
        return line, data[take:]

    def _chunk(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        line, rest = self._line(half, data)
        if line is None:
            return rest
        found = _CHUNK_SIZE.match(line[:-1]) if line.endswith(b"\n") and len(line) <= self._line_limit else None
        if found is None:
            out.append(Anomaly("http1_bad_chunk"))
            self._lose(half, out)
            return memoryview(line + bytes(rest))
        half.left = int(found[1], 16)
        half.state = "chunk data" if half.left else "trailer"
        return rest

    def _chunk_end(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        """The line end behind a chunk's data."""
        if data[0] == 0x0D and not half.buffer:
            half.buffer += b"\r"
            return data[1:]
        held = bytes(half.buffer)
        half.buffer.clear()
        if data[0] == 0x0A:
            half.state = "chunk"
            return data[1:]
        out.append(Anomaly("http1_bad_chunk"))
        self._lose(half, out)
        return memoryview(held + bytes(data))

    def _trailer(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        """Trailer fields up to an empty line (RFC 9112 section 7.1.2); inspected like headers."""
        line, rest = self._line(half, data)
        if line is None:
            return rest
        if not line.rstrip(b"\r\n"):
            self._message_done(half, out)
        elif len(line) > self._line_limit:
            out.append(Anomaly("http1_bad_chunk"))
            self._lose(half, out)
            return memoryview(line + bytes(rest))
        else:
            self._field(half, f"http:{_SIDE[half.direction]}.trailers", line.rstrip(b"\r\n"), out)
        return rest

    def _forever(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        out.append(PartData(half.part, data))
        self._counted(half, len(data))
        return data[:0]

    # ------------------------------------------------------------ lost and found
    def _lose(self, half: Half, out: list[Event]) -> None:
        """Framing is lost: from here on look for a start line. A line ahead may be one."""
        if half.buffer:
            held = memoryview(bytes(half.buffer))
            half.buffer.clear()
            self._raw(half, held, out)
        half.searched = 0
        half.state = "lost"
        half.buffer += b"\n"  # stands for the unknown byte before: a start line may follow at once
        half.left = 1  # bytes of the buffer that are not from the stream

    def _lost(self, half: Half, data: memoryview, out: list[Event]) -> memoryview:
        before = len(half.buffer)
        half.buffer += data
        invented = half.left
        found = heads.RESYNC[half.direction].search(half.buffer)
        if found is None:
            keep = min(heads.RESYNC_HOLD, len(half.buffer))
            ready = bytes(half.buffer[invented : len(half.buffer) - keep])
            if ready:
                del half.buffer[: len(half.buffer) - keep]
                half.left = 0
                self._raw(half, memoryview(ready), out)
            return data[:0]
        start = found.start(1)
        ready = bytes(half.buffer[invented:start])
        rest = bytes(half.buffer[start:before]) + bytes(data[max(start - before, 0) :])
        half.buffer.clear()
        half.left = half.searched = 0
        self._raw(half, memoryview(ready), out)
        if half.part >= 0:
            out.append(PartClose(half.part, complete=False))
            half.part = -1
        self._abandon(half, out)
        half.state = "head"
        return memoryview(rest)

    def _abandon(self, half: Half, out: list[Event]) -> None:
        """The message before the next start line is over, however much of it was seen."""
        exchange, half.exchange = half.exchange, None
        if half.direction == TO_CLIENT and exchange is not None:
            if self._pending and self._pending[0] is exchange:
                self._pending.popleft()
            out.append(self._message(exchange))
        if half.direction == TO_CLIENT:
            while len(self._pending) > 1:  # responses were lost: the next one answers the latest request
                out.append(self._message(self._pending.popleft()))

    def _raw(self, half: Half, data: memoryview, out: list[Event]) -> None:
        """Bytes without framing: the rest of the open body, or content of its own."""
        if not len(data):
            return
        if half.part < 0:
            half.part = self._number()
            out.append(PartOpen(half.part, half.direction, self._tx, "http:unframed"))
        out.append(PartData(half.part, data))
        self._counted(half, len(data))

    # ------------------------------------------------------------ ends
    def _message_done(self, half: Half, out: list[Event]) -> None:
        if half.part >= 0:
            out.append(PartClose(half.part, complete=not half.gapped))
            half.part = -1
        half.gapped = False
        if half.direction == TO_CLIENT:
            self._response_done(half, out)
        else:
            half.exchange = None
            half.state = "head"

    def _response_done(self, half: Half, out: list[Event]) -> None:
        exchange, half.exchange = half.exchange, None
        half.state = "head"
        assert exchange is not None
        if self._pending and self._pending[0] is exchange:
            self._pending.popleft()
        out.append(self._message(exchange))

    def _message(self, exchange: Exchange) -> Message:
        facts = exchange.facts
        if exchange.method:
            facts["request_body_bytes"] = exchange.request_bytes
        if "status" in facts:
            facts["response_body_bytes"] = exchange.response_bytes
        return Message("http", TO_SERVER, exchange.tx, facts)

    def _counted(self, half: Half, size: int) -> None:
        exchange = half.exchange
        if exchange is not None:
            if half.direction == TO_SERVER:
                exchange.request_bytes += size
            else:
                exchange.response_bytes += size

    def _field(self, half: Half, path: str, value: bytes, out: list[Event]) -> None:
        """A short content of its own."""
        if not value:
            return
        part = self._number()
        tx = half.exchange.tx if half.exchange is not None else self._tx
        out.append(PartOpen(part, half.direction, tx, path, size=len(value), is_field=True))
        out.append(PartData(part, value))
        out.append(PartClose(part, complete=True))

    def _number(self) -> int:
        self._parts += 1
        return self._parts - 1
