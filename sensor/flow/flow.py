"""Flow: what the table knows of one two-way 5-tuple.

Two ways to name an end: the *side* (0 is the lower address and port; never changes) and the *direction*
(TO_SERVER, TO_CLIENT; changes when roles turn out to be otherwise). Stream positions are by side and unwrapped:
plain integers whose low 32 bits are the sequence number, so that comparing them needs no modulus.
"""

from typing import TYPE_CHECKING, Any, Final

from sensor.flow.community import community_id

if TYPE_CHECKING:
    from sensor.flow.reassembly import Repair

UNKNOWN: Final = -1
_PRIVILEGED: Final = 1024
# Services usually found at ports from 1024 up: a port among them is the server's when the other is not.
# fmt: off
_SERVICE_PORTS: Final = frozenset({
    1080, 1194, 1433, 1521, 1883, 2049, 2121, 2375, 3000, 3128, 3306, 3389, 4433, 5000, 5060, 5222, 5432, 5601, 5672,
    5900, 5984, 6379, 7001, 8000, 8008, 8080, 8081, 8088, 8090, 8443, 8888, 9000, 9042, 9090, 9092, 9200, 9443, 11211,
    15672, 25565, 27017,
})
# fmt: on


class Flow:
    """A two-way flow.

    Attributes:
        key: its exact key in the table.
        proto: PROTO_TCP or PROTO_UDP.
        client, server: 128-bit addresses as (high, low) halves.
        client_port, server_port: ports.
        vlan: of the first packet, as in Headers.
        capture: name of the capture of the first packet.
        frame: number of the first packet in that capture.
        first_ns, last_ns: times of the first packet and of the newest.
        packets, bytes: by direction; bytes of captured payload as seen on the wire, retransmissions included.
        gap_bytes: by direction, bytes declared missing.
        midstream: TCP without a SYN so far.
        roles_guessed: who is the client was decided by ports, not by a handshake.
        state: the dispatcher's.
        ended_by: "" while it lives, else `fin`, `rst`, `idle`, `reused`, `evicted` or `finish`.
        swapped: side 0 is the server.
        next: by side, next position of the stream, or UNKNOWN.
        isn: by side, position before the first byte (the SYN's), or UNKNOWN.
        closed: by side, the FIN was reached.
        reset_by: side that sent a believable RST, or UNKNOWN.
        settled: where the streams begin is known (see tcp.py); always true for UDP.
        repair: what reassembly holds, or None while everything is in order.
        noted: anomalies already reported for this flow.
    """

    __slots__ = (
        "_community_id",
        "bytes",
        "capture",
        "client",
        "client_port",
        "closed",
        "ended_by",
        "first_ns",
        "frame",
        "gap_bytes",
        "isn",
        "key",
        "last_ns",
        "midstream",
        "next",
        "noted",
        "packets",
        "proto",
        "repair",
        "reset_by",
        "roles_guessed",
        "server",
        "server_port",
        "settled",
        "state",
        "swapped",
        "vlan",
    )

    def __init__(
        self,
        key: bytes,
        proto: int,
        source: tuple[int, int],
        target: tuple[int, int],
        sport: int,
        dport: int,
        side: int,
        vlan: int,
        capture: str,
        frame: int,
        ts_ns: int,
    ) -> None:
        """A flow whose first packet, sent by `side`, went from `source`, its client so far, to `target`."""
        self.key = key
        self.proto = proto
        self.client = source
        self.server = target
        self.client_port = sport
        self.server_port = dport
        self.swapped = side
        self.vlan = vlan
        self.capture = capture
        self.frame = frame
        self.first_ns = self.last_ns = ts_ns
        self.packets = [0, 0]
        self.bytes = [0, 0]
        self.gap_bytes = [0, 0]
        self.midstream = False
        self.settled = True
        self.roles_guessed = False
        self.state: Any = None
        self.ended_by = ""
        self.next = [UNKNOWN, UNKNOWN]
        self.isn = [UNKNOWN, UNKNOWN]
        self.closed = [False, False]
        self.reset_by = UNKNOWN
        self.repair: Repair | None = None
        self.noted: frozenset[str] = frozenset()
        self._community_id = ""

    @property
    def community_id(self) -> str:
        """Community ID v1, seed 0."""
        if not self._community_id:
            self._community_id = community_id(self.proto, self.client, self.server, self.client_port, self.server_port)
        return self._community_id

    def flip(self) -> None:
        """Exchange client and server. Slices not yet handed on, and all later ones, get the new direction."""
        self.client, self.server = self.server, self.client
        self.client_port, self.server_port = self.server_port, self.client_port
        self.swapped ^= 1
        self.packets.reverse()
        self.bytes.reverse()
        self.gap_bytes.reverse()

    def guess_roles(self) -> None:
        """No handshake tells: the lower well-known, else the known service, else the lower port is the server.

        With equal standing the sender of the first packet stays the client.
        """
        self.roles_guessed = True
        if _rank(self.client_port) < _rank(self.server_port):
            self.flip()


def _rank(port: int) -> tuple[int, int]:
    """Orders ports by how likely they are the server's, likeliest first."""
    if port < _PRIVILEGED:
        return 0, port
    if port in _SERVICE_PORTS:
        return 1, 0
    return 2, port
