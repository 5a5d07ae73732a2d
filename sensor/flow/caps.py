"""Caps and anomalies of flows and reassembly; handed in through limits, gathered by `table.py`."""

from typing import Final

from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    Limit(
        "flows",
        200_000,
        "count",
        "drop-oldest",
        "flow_table_full",
        "Flows followed at once; at the cap those idle longest are ended. About 2 KB each.",
    ),
    Limit("flow_idle_tcp_s", 600, "seconds", "flush", "", "A TCP flow without packets for so long has ended."),
    Limit("flow_idle_udp_s", 120, "seconds", "flush", "", "A UDP flow without packets for so long has ended."),
    Limit(
        "flow_linger_s",
        30,
        "seconds",
        "flush",
        "",
        "An ended flow is remembered for so long, so that late retransmissions do not look like a new one.",
    ),
    Limit(
        "reassembly_flow_bytes",
        4 << 20,
        "bytes",
        "flush",
        "tcp_flow_cap",
        "Out-of-order bytes held per flow: more than a fast long-distance path has under way.",
    ),
    Limit(
        "reassembly_total_bytes",
        64 << 20,
        "bytes",
        "flush",
        "tcp_total_cap",
        "Out-of-order bytes held in all flows; at the cap the flow that waited longest gives up its gap.",
    ),
    Limit(
        "reassembly_reorder_packets",
        64,
        "count",
        "flush",
        "tcp_gap",
        "Further packets of the flow awaited for bytes the receiver has acknowledged but the capture has not shown.",
    ),
    Limit(
        "reassembly_hold_s",
        2,
        "seconds",
        "flush",
        "tcp_gap",
        "Time awaited for bytes that were acknowledged, or when the receiver is not in the capture.",
    ),
    Limit(
        "reassembly_retransmit_s",
        60,
        "seconds",
        "flush",
        "tcp_gap",
        "Time awaited for bytes the receiver has not acknowledged either: a retransmission should come.",
    ),
    Limit(
        "reassembly_window_bytes",
        16 << 20,
        "bytes",
        "skip",
        "tcp_out_of_window",
        "Segments further away than this from the expected place are not of this stream, until three agree.",
    ),
)

ANOMALIES: Final = (
    AnomalyKind(
        "flow_table_full",
        "medium",
        "More flows at once than the table holds; those idle longest were ended early.",
        "Raise the limit flows if memory allows, or look for a scan.",
    ),
    AnomalyKind(
        "tcp_flow_cap",
        "low",
        "A flow had more out-of-order bytes than are held; the missing bytes were taken as lost.",
        "Check the mirror for loss; raise reassembly_flow_bytes for very fast long-distance paths.",
    ),
    AnomalyKind(
        "tcp_total_cap",
        "medium",
        "All flows together had more out-of-order bytes than are held; the oldest gaps were taken as lost.",
        "Check the mirror for loss; raise reassembly_total_bytes if memory allows.",
    ),
    AnomalyKind(
        "tcp_gap",
        "low",
        "Bytes of a stream are not in the capture (loss on the mirror, or a short snap length).",
        "Check drops of the mirror port and the snap length; what was missed is counted as gap bytes.",
    ),
    AnomalyKind(
        "tcp_overlap_differs",
        "medium",
        "Two segments carry different bytes for the same place: a broken stack, or someone hiding content.",
        "Look at the flow; set flow.overlap to the policy of the receiving system.",
    ),
    AnomalyKind(
        "tcp_out_of_window",
        "low",
        "A segment whose sequence number does not belong to the stream; it was not followed.",
        "None if rare; otherwise two flows share addresses and ports (set flow.vlan_in_key), or packets are forged.",
    ),
    AnomalyKind(
        "tcp_rst_ignored",
        "low",
        "A reset that the receiver would not believe, or that the sender itself contradicted; the flow went on.",
        "None if rare; forged resets are a known way to blind sensors and to block connections.",
    ),
    AnomalyKind(
        "tcp_data_after_fin",
        "low",
        "A side sent data after it had closed its direction; receivers ignore it, and so was it here.",
        "None if rare.",
    ),
)
