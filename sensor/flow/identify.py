"""Naming the protocol of a flow: probes decide, ports are only hints.

In: the first bytes of either direction. Out: a protocol, "more" (hold the bytes and ask again) or None
(nobody claims them). Cost: one call per registered protocol and slice while undecided, on at most
`probe_depth` bytes. A probe's yes beats a port; two yeses are ordered by declared specificity.
"""

from collections.abc import Iterable
from typing import Literal

from sensor.interfaces import ProtocolSpec


class Identifier:
    """The registered protocols of each transport, most specific first."""

    __slots__ = ("_by_port", "_by_transport", "depth")

    def __init__(self, protocols: Iterable[ProtocolSpec]) -> None:
        rows = sorted(protocols, key=lambda spec: (-spec.specificity, spec.name))
        self._by_transport: dict[str, tuple[ProtocolSpec, ...]] = {
            transport: tuple(spec for spec in rows if spec.transport == transport) for transport in ("tcp", "udp")
        }
        self._by_port: dict[tuple[str, int], ProtocolSpec] = {}
        for spec in reversed(rows):
            for port in spec.ports:
                self._by_port[spec.transport, port] = spec
        self.depth = max((spec.probe_depth for spec in rows), default=0)

    def probe(self, transport: str, direction: int, head: bytes) -> ProtocolSpec | Literal["more"] | None:
        """Who claims these first bytes of one direction."""
        undecided = False
        for spec in self._by_transport[transport]:
            answer = spec.probe(head[: spec.probe_depth], direction)
            if answer == "yes":
                return spec
            undecided = undecided or (answer == "more" and len(head) < spec.probe_depth)
        return "more" if undecided else None

    def by_port(self, transport: str, port: int) -> ProtocolSpec | None:
        """The protocol usually found at a server port."""
        return self._by_port.get((transport, port))
