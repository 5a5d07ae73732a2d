"""Encrypted streams by their first bytes: what cannot be read is named and counted, not scanned as noise.

Each row: name, reason, test on the first bytes of one direction. Sources: RFC 8446 section 5.1 and RFC 6101
(TLS/SSL record header), RFC 4253 section 4.2 (SSH identification string), RFC 9000 section 17.2 (QUIC long header).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

TLS_HEADER: Final = 5
QUIC_VERSIONS: Final = (b"\x00\x00\x00\x01", b"\x6b\x33\x43\xcf")  # RFC 9000, RFC 9369


class Opaque(NamedTuple):
    """A kind of stream whose content is encrypted."""

    name: str
    reason: str
    transport: str
    test: Callable[[bytes], bool]


def _tls(head: bytes) -> bool:
    """A handshake record (type 22), version 3.0-3.4, sane length, then ClientHello or ServerHello."""
    return (
        len(head) > TLS_HEADER
        and head[0] == 22
        and head[1] == 3
        and head[2] <= 4
        and 0 < int.from_bytes(head[3:5]) <= 16640
        and head[5] in (1, 2)
    )


def _ssh(head: bytes) -> bool:
    return head.startswith((b"SSH-2.0-", b"SSH-1.99-"))


def _quic(head: bytes) -> bool:
    return len(head) > 5 and head[0] & 0xC0 == 0xC0 and head[1:5] in QUIC_VERSIONS


KINDS: Final = (
    Opaque("tls", "encrypted", "tcp", _tls),
    Opaque("ssh", "encrypted", "tcp", _ssh),
    Opaque("quic", "encrypted", "udp", _quic),
)


def recognise(transport: str, head: bytes) -> Opaque | None:
    """The encrypted kind these first bytes begin, if any."""
    for kind in KINDS:
        if kind.transport == transport and kind.test(head):
            return kind
    return None
