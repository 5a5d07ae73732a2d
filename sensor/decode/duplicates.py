"""Mirror duplicates: the same packet delivered twice, because the mirror covers both ports or both VLANs it passes.

A copy may differ in MAC addresses, VLAN tags, TTL and IP checksum, never in addresses, ports, IP id, TCP numbers or
payload. Recognised by a 64-bit hash of those, within a window of packets and time. Only packets with payload are
compared: an empty ACK that is dropped or kept makes no difference. Cost: one sort of 64-bit keys per batch.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from sensor.batch import I64, U64
from sensor.decode.table import Mask, Table

WINDOW_PACKETS: Final = 4096  # copies arrive a few packets apart; bursts of a slow mirror a few hundred
WINDOW_NS: Final = 50_000_000  # far above any switch's latency, below TCP's least retransmission time (RFC 6298: 1 s)
_MUL: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_ONES: Final = 0xFFFF_FFFF_FFFF_FFFF
_MASKS: Final = np.array([0, *(_ONES << 8 * (8 - size) & _ONES for size in range(1, 9))], np.uint64)


class Duplicates:
    """Remembers the last packets with payload."""

    def __init__(self) -> None:
        self._hash: U64 = np.zeros(0, np.uint64)
        self._ts: I64 = np.zeros(0, np.int64)

    def find(self, table: Table, rows: I64, ts_ns: I64) -> Mask:
        """Which of `rows` (all with payload, in capture order) repeat an earlier packet."""
        keys = np.concatenate((self._hash, _hashes(table, rows)))
        times = np.concatenate((self._ts, ts_ns))
        carried = len(self._hash)
        self._hash, self._ts = keys[-WINDOW_PACKETS:], times[-WINDOW_PACKETS:]
        repeated = np.zeros(len(keys), bool)
        ordered = np.sort(keys)
        if (ordered[1:] == ordered[:-1]).any():
            order = np.argsort(keys, kind="stable")
            same = keys[order[1:]] == keys[order[:-1]]
            near = (order[1:] - order[:-1] <= WINDOW_PACKETS) & (
                np.abs(times[order[1:]] - times[order[:-1]]) <= WINDOW_NS
            )
            repeated[order[1:][same & near]] = True
        return repeated[carried:]


def _hashes(table: Table, rows: I64) -> U64:
    payload, length = table.payload[rows], table.length[rows]
    key = table.src_hi[rows] * _MUL + table.src_lo[rows]
    numbers = _wide(table.seq[rows], 32) | table.ack[rows]
    ports = _wide(table.sport[rows], 48) | _wide(table.dport[rows], 32)
    ports |= _wide(table.ip_id[rows], 16) | _wide(table.flags[rows], 8) | table.proto[rows]
    for column in (table.dst_hi[rows], table.dst_lo[rows], numbers, ports, length.astype(np.uint64)):
        key = _mix(key, column)
    for offset in (0, 8, 16, 24):
        key = _mix(key, _word(table, payload + offset, np.clip(length - offset, 0, 8)))
    last = np.minimum(length, 8)
    return _mix(key, _word(table, payload + length - last, last))


def _wide(column: npt.NDArray[np.unsignedinteger], shift: int) -> U64:
    return column.astype(np.uint64) << np.uint64(shift)


def _mix(key: U64, column: U64) -> U64:
    return (key ^ (key >> np.uint64(29))) * _MUL + column


def _word(table: Table, at: I64, size: I64) -> U64:
    """The first `size` (0-8) bytes at each place, the rest zero; near the end of the arena read byte by byte."""
    safe = len(table.arena) - 8
    over = (at > safe) & (size > 0)
    word = table.u64(np.clip(at, 0, max(safe, 0))) if safe >= 0 else np.zeros(len(at), np.uint64)
    word = np.where(over, np.uint64(0), word & _MASKS[size])
    for place in np.flatnonzero(over).tolist():
        data = table.arena[at[place] : at[place] + size[place]].tobytes()
        word[place] = int.from_bytes(data.ljust(8, b"\0"))
    return word
