"""Value types that cross folders; no behaviour beyond properties.

Directions, crossings and transports are small integers because they live in numpy columns as well;
their names for people are in the tuples beside them.
"""

from typing import Any, Final

import msgspec

TO_SERVER: Final = 0
TO_CLIENT: Final = 1
DIRECTION_NAMES: Final = ("to_server", "to_client")

DOMESTIC: Final = 0
EXPORT: Final = 1
IMPORT: Final = 2
TRANSIT: Final = 3
CROSSING_NAMES: Final = ("domestic", "export", "import", "transit")

PROTO_ICMP: Final = 1
PROTO_TCP: Final = 6
PROTO_UDP: Final = 17
PROTO_ICMPV6: Final = 58
PROTO_SCTP: Final = 132


# ---------------------------------------------------------------- what protocol parsers return
class Message(msgspec.Struct, frozen=True, gc=False):
    """Protocol facts of one message or of one finished transaction (request with its reply).

    `kind` names the record in events.jsonl (`http`, `smtp`, …); `facts` holds its fields, named as
    DESIGN.md section 4 lists them, JSON-ready, *unmasked*: output masks them on the way out.
    """

    kind: str
    direction: int
    tx: int
    facts: dict[str, Any]


class PartOpen(msgspec.Struct, frozen=True, gc=False):
    """A named piece of content begins: a body, a file, or a field such as a URL or a header.

    `part` is unique within the flow. `path` says where it stood (`http:request.body`, `http:url`,
    `http:header.cookie`). `codings` are still on the bytes, outermost last as in Content-Encoding.
    `size` is the announced length of the coded bytes or -1. `span` = (first, last, total or -1) for a
    partial transfer (RFC 9110 section 14.4). `resource` names the whole for joining spans.
    """

    part: int
    direction: int
    tx: int
    path: str
    media_type: str = ""
    charset: str = ""
    name: str = ""
    codings: tuple[str, ...] = ()
    size: int = -1
    is_field: bool = False
    span: tuple[int, int, int] | None = None
    resource: str = ""
    boundary: str = ""


class PartData(msgspec.Struct, frozen=True, gc=False):
    """Bytes of a part. `data` may be a view into the capture arena: valid until the call returns."""

    part: int
    data: bytes | memoryview


class PartGap(msgspec.Struct, frozen=True, gc=False):
    """`size` bytes of the part are missing from the capture (-1: unknown)."""

    part: int
    size: int


class PartClose(msgspec.Struct, frozen=True, gc=False):
    """The part ends; `complete` is False when it was cut short or had gaps."""

    part: int
    complete: bool


class Expect(msgspec.Struct, frozen=True, gc=False):
    """A flow to `host`:`port` (None: any) will carry `protocol`; `note` travels to its parser."""

    host: str | None
    port: int
    protocol: str
    note: dict[str, Any] = {}


class Switch(msgspec.Struct, frozen=True, gc=False):
    """From here on the flow carries something else: a protocol name, `None` = probe again.

    `reason` is shown when the rest cannot be read (`encrypted`).
    """

    protocol: str | None
    reason: str = ""


class Anomaly(msgspec.Struct, frozen=True, gc=False):
    """Odd traffic, by its public name; never an exception. `detail` holds no content bytes."""

    name: str
    detail: str = ""


class GiveUp(msgspec.Struct, frozen=True, gc=False):
    """Not my protocol, or lost for good: the flow's bytes go on to the detectors as raw content."""

    reason: str


Event = Message | PartOpen | PartData | PartGap | PartClose | Expect | Switch | Anomaly | GiveUp


# ---------------------------------------------------------------- what compliance answers
class Verdict(msgspec.Struct, frozen=True):
    """One rule's answer, as it stands in alerts.jsonl: indicative, never "illegal".

    `status` is a code from V0 (nothing regulated seen) to V8 (not visible); `reason` and `reason_zh` say why.
    """

    rule: str
    jurisdiction: str
    article: str
    effective_from: str
    status: str
    reason: str
    reason_zh: str
    version: str
