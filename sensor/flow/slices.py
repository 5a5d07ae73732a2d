"""What the flow table hands on: in-order bytes of one direction, or a gap, and the end of a flow."""

from typing import Any

import msgspec


class StreamSlice(msgspec.Struct, gc=False):
    """Next bytes of one direction of a flow, or a gap in them; never both.

    Attributes:
        flow: the Flow.
        side: which endpoint sent it (0: the lower address and port); does not change when the flow flips.
        data: the bytes, valid until the next batch is fed; empty when this is a gap. For UDP one datagram.
        gap: bytes missing here, > 0, or 0 when there is data.
        ts_ns: time of the packet that carried the first byte; of a gap, when it was declared.
        frame: number of that packet within its capture (0-based).
    """

    flow: Any
    side: int
    data: bytes | memoryview
    gap: int
    ts_ns: int
    frame: int

    @property
    def direction(self) -> int:
        """TO_SERVER or TO_CLIENT, by the roles the flow has now (see Flow.flip)."""
        return self.side ^ int(self.flow.swapped)


class FlowEnd(msgspec.Struct, gc=False):
    """The flow is over; nothing follows for it. `ts_ns` is the time of its last packet."""

    flow: Any
    ts_ns: int
