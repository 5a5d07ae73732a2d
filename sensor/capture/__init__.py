"""Capture files → PacketBatch: pcap and pcapng, plain or compressed, folders, standard input.

In: a path. Out: batches of frames in columns over one arena (a memory map, or a read buffer where the file is
compressed or a pipe). Cost: one small loop over the record headers, no Python object per packet, no copy of a plain
file; pages of a map are given back when the batch is released, so a file of any size stays within a few tens of MB.
What cannot be read is a `Damage` with its offset; everything before it was delivered. A file that is no capture at all
is the operator's mistake: `CaptureError`.
"""

from sensor.capture.damage import ANOMALIES, LIMITS, CaptureError, Damage
from sensor.capture.find import find_captures
from sensor.capture.reader import Capture, open_capture

__all__ = ["ANOMALIES", "LIMITS", "Capture", "CaptureError", "Damage", "find_captures", "open_capture"]
