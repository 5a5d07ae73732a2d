"""Streaming decoders of MIME transfer encodings (RFC 2045 section 6): base64 and quoted-printable.

`feed(data)` returns decoded bytes, `finish()` the rest. Lenient: characters outside the alphabet are ignored, a
damaged escape is passed on as it stands. Held: at most three base64 characters or one soft line end.
"""

import binascii
import re
from typing import Final, Protocol

_NOT_BASE64: Final = bytes(
    byte for byte in range(256) if not (chr(byte).isascii() and (chr(byte).isalnum() or byte in b"+/"))
)
_ESCAPE: Final = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")
_TAIL: Final = re.compile(rb"=(?:[0-9A-Fa-f]?|[ \t]{0,80}\r?)\Z")


class Decoder(Protocol):
    """What both decoders offer."""

    def feed(self, data: bytes | memoryview) -> bytes:
        """Decoded bytes so far."""

    def finish(self) -> bytes:
        """What was held."""


class Base64:
    """Base64 with anything between the characters; padding is only expected at the end."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes | memoryview) -> bytes:
        """Decoded bytes so far."""
        clean = self._held + bytes(data).translate(None, _NOT_BASE64)
        whole = len(clean) & ~3
        self._held = clean[whole:]
        return binascii.a2b_base64(clean[:whole])

    def finish(self) -> bytes:
        """The last group."""
        held, self._held = self._held, b""
        return binascii.a2b_base64(held + b"=" * (-len(held) % 4)) if len(held) > 1 else b""


class QuotedPrintable:
    """Quoted-printable: `=XX` and soft line ends."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes | memoryview) -> bytes:
        """Decoded bytes so far."""
        buffer = self._held + data
        tail = _TAIL.search(buffer, max(0, len(buffer) - 90))
        keep = tail.start() if tail else len(buffer)
        self._held = buffer[keep:]
        return _ESCAPE.sub(_unescape, buffer[:keep])

    def finish(self) -> bytes:
        """An escape that was cut off, as it stands."""
        held, self._held = self._held, b""
        return held


def _unescape(match: "re.Match[bytes]") -> bytes:
    return bytes((int(match[1], 16),)) if match[1] else b""


def decoder(name: str) -> Decoder | None:
    """The decoder of a Content-Transfer-Encoding, None where bytes stand as they are."""
    if name == "base64":
        return Base64()
    if name == "quoted-printable":
        return QuotedPrintable()
    return None
