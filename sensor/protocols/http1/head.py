"""Start lines and headers (RFC 9112 sections 2-5): bytes → values. Pure; lenient where servers are.

Lines may end in LF alone, folded lines are joined, header names are compared in lower case. What leniency was used
for is returned as anomaly names.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from sensor.protocols.http1.tables import METHODS, TECHNICAL, TECHNICAL_PREFIXES

_METHOD: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}")
_TARGET_BEGINS: Final = (b"/", b"*", b"h", b"H")
LONG_TARGET: Final = 1900  # a line this long that began like a request is one
HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}"  # RFC 9110 section 5.6.2
REQUEST_LINE: Final = re.compile(rb"(" + _TOKEN + rb") +([^\r\n]*?) +HTTP/(1\.[01]) *\r?$")
STATUS_LINE: Final = re.compile(rb"HTTP/(1\.[01]) +([1-9]\d\d)(?: [^\r\n]*)?\r?$")
RESYNC: Final = (
    re.compile(rb"\n(" + _TOKEN + rb" [^\s]{1,8000} HTTP/1\.[01]\r?\n)"),
    re.compile(rb"\n(HTTP/1\.[01] [1-5]\d\d[ \r\n])"),
)
RESYNC_HOLD: Final = 8100  # longest start line the search must not cut in two
_PARAMETER: Final = re.compile(rb";\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\s]*))")
_CONTENT_RANGE: Final = re.compile(rb"bytes\s+(\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)", re.IGNORECASE)
_CHARSETS: Final = ("utf-8", "gb18030", "latin-1")


class Head(msgspec.Struct):
    """One parsed head; `names` in lower case, repeated headers joined with a comma (RFC 9110 section 5.3)."""

    first: bytes
    names: dict[bytes, bytes]
    lengths: list[bytes]
    anomalies: list[str]


def parse(data: bytes) -> Head:
    """Split a head (without the empty line that ends it) into start line and headers."""
    lines = data.split(b"\n")
    head = Head(lines[0].rstrip(b"\r"), {}, [], [])
    unfolded: list[bytes] = []
    for line in (item.rstrip(b"\r") for item in lines[1:]):
        if line[:1] in {b" ", b"\t"} and unfolded:
            unfolded[-1] += b" " + line.strip()
        else:
            unfolded.append(line)
    for line in unfolded:
        name, colon, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip()
        if not colon or not name:
            if line:
                head.anomalies.append("http1_bad_header")
            continue
        if name == b"content-length":
            head.lengths += [part.strip() for part in value.split(b",")]
        old = head.names.get(name)
        separator = b"; " if name == b"cookie" else b", "
        head.names[name] = value if old is None else old + separator + value
    return head


def text(value: bytes) -> str:
    """Header bytes for people: UTF-8, else GB18030, else Latin-1."""
    for charset in _CHARSETS[:-1]:
        try:
            return value.decode(charset)
        except UnicodeDecodeError:
            continue
    return value.decode(_CHARSETS[-1])


def parameters(value: bytes) -> tuple[str, dict[str, bytes]]:
    """`text/html; charset=utf-8` → type in lower case and its parameters."""
    kind = value.split(b";", 1)[0].strip().lower()
    found = {}
    for name, quoted, plain in _PARAMETER.findall(value):
        found[name.decode("latin-1").lower()] = re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain
    return kind.decode("latin-1"), found


def file_name(disposition: bytes | None, target: bytes) -> str:
    """File name of a body: Content-Disposition (RFC 6266), else the last part of the path if it looks like a file."""
    if disposition:
        _, found = parameters(disposition)
        extended = found.get("filename*")
        if extended and extended.count(b"'") >= 2:
            charset, _, value = extended.split(b"'", 2)
            raw = unquote_to_bytes(value)
            try:
                return raw.decode(charset.decode("latin-1") or "utf-8")
            except (LookupError, UnicodeDecodeError):
                return text(raw)
        if found.get("filename"):
            return text(found["filename"])
    last = target.split(b"?", 1)[0].split(b"#", 1)[0].rsplit(b"/", 1)[-1]
    return text(unquote_to_bytes(last)) if b"." in last else ""


def content_range(value: bytes | None) -> tuple[int, int, int] | None:
    """`bytes 0-99/300` → (0, 99, 300); an unknown total is -1 (RFC 9110 section 14.4)."""
    found = _CONTENT_RANGE.match(value or b"")
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    return (first, last, int(found[3]) if found[3] else -1) if first <= last else None


def host_of(target: bytes, host: bytes) -> str:
    """Host: header, or authority of an absolute-form target."""
    if target[:7].lower() == b"http://" or target[:8].lower() == b"https://":
        try:
            return urlsplit(text(target)).netloc.rpartition("@")[2]
        except ValueError:
            return text(host)
    return text(host)


def field_lines(head: Head) -> bytes:
    """The headers that may carry content, one a line."""
    return b"\n".join(
        name + b": " + value
        for name, value in head.names.items()
        if name not in TECHNICAL and not name.startswith(TECHNICAL_PREFIXES)
    )


def begins_request(data: bytes) -> bool | None:
    """Whether first bytes are a request line; None when more are needed."""
    data = data.lstrip(b"\r\n")
    line, newline, _ = data.partition(b"\n")
    if newline:
        return REQUEST_LINE.match(line) is not None
    method, space, target = line.partition(b" ")
    if not _METHOD.fullmatch(method) and (space or method):
        return False
    if space and target and target[:1] not in _TARGET_BEGINS and method not in METHODS:
        return False
    if len(data) >= LONG_TARGET and method in METHODS and target[:1] in _TARGET_BEGINS:
        return True
    return None


def begins_response(data: bytes) -> bool | None:
    """Whether first bytes are a status line; None when more are needed."""
    if len(data) >= 9:
        return data[:7] == b"HTTP/1." and data[7:8].isdigit() and data[8:9] == b" "
    return None if b"HTTP/1.".startswith(data[:7]) else False
