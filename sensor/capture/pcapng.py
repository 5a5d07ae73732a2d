"""pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, several interfaces, their clocks and link types.

Enhanced, simple and the obsolete packet blocks are read; every other block is skipped by its length. The loop looks at
type and length of each block; the packet fields are gathered in columns per batch.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from sensor.batch import I64, U8, PacketBatch
from sensor.capture._columns import BATCH_BYTES, BATCH_FRAMES, u32_at
from sensor.capture.damage import CaptureError, Damage, capture_name
from sensor.capture.linktypes import READ, link_name
from sensor.capture.window import Window
from sensor.interfaces import SourceSpec

SHB: Final = 0x0A0D0D0A
IDB, PB, SPB, EPB = 1, 2, 3, 6
PACKETS: Final = frozenset({PB, SPB, EPB})
MIN_BLOCK: Final = 12
SPB_DATA, EPB_DATA = 12, 28  # where the packet begins in its block
_BYTE_ORDER: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_OPT_TSRESOL, _OPT_TSOFFSET = 9, 14
NANOS: Final = 1_000_000_000


class Interface(NamedTuple):
    """What an interface description block says; `ticks` per second."""

    link: int
    snaplen: int
    ticks: int
    offset_s: int


class PcapngSource:
    """Blocks of one file."""

    def __init__(self, window: Window, path: str, damage: list[Damage], limit: int) -> None:
        self._window, self._path, self._damage, self._limit = window, path, damage, limit
        self._name = capture_name(path)
        self._interfaces: list[Interface] = []
        self._order = "<"
        self._refused: set[int] = set()
        self._peek = False

    def batches(self, *, peek: bool = False) -> Iterator[PacketBatch]:
        """Batches of frames; with `peek` only the first frame, leaving no trace."""
        self._interfaces, self._order, self._refused, self._peek = [], "<", set(), peek
        window, position, delivered = self._window, 0, False
        while True:
            base, view = window.base, window.view
            found, at, need, broken = self._walk(view, position - base, 1 if peek else BATCH_FRAMES)
            position = base + at
            if found:
                batch, bad = self._batch(view, base, found)
                if batch is not None:
                    delivered = True
                    yield batch
                    if peek:
                        return
                if not bad:
                    window.release(position)
                    continue
                position = base + bad
                self._note("capture_bad_block", position, "packet block")
                break
            if broken:
                self._note("capture_bad_block", position, "inconsistent length")
                break
            if not window.fill(position, need):
                if window.base + len(window.view) > position:
                    self._note("capture_truncated", position)
                break
        if self._refused and not delivered and not peek:
            links = ", ".join(link_name(link) for link in sorted(self._refused))
            raise CaptureError(self._path, f"has link type {links}, which is not read", "capture on the wired side")

    def _walk(self, view: memoryview, at: int, most: int) -> tuple[list[int], int, int, bool]:
        """Positions of packet blocks, where the walk stopped, the bytes needed there, whether the block is bad."""
        found: list[int] = []
        append, limit, end, stop = found.append, self._limit, len(view), at + BATCH_BYTES
        unpack = struct.Struct(self._order + "II").unpack_from
        while at + MIN_BLOCK <= end:
            kind, size = unpack(view, at)
            if kind == SHB:
                if found:
                    return found, at, 0, False  # flush first: the byte order may change
                order = _BYTE_ORDER.get(bytes(view[at + 8 : at + 12]))
                if order is None:
                    return found, at, 0, True
                self._order, self._interfaces = order, []
                unpack = struct.Struct(order + "II").unpack_from
                size = unpack(view, at)[1]
            if size < MIN_BLOCK or size & 3 or size > limit:
                return found, at, 0, True
            if at + size > end:
                return found, at, size, False
            if kind in PACKETS:
                append(at)
                at += size
                if len(found) == most or at > stop:
                    break
                continue
            if kind == IDB:
                if found:
                    return found, at, 0, False
                if size < MIN_BLOCK + 8:
                    return found, at, 0, True
                self._interfaces.append(self._interface(view[at + 8 : at + size - 4]))
            if unpack(view, at + size - 8)[1] != size:
                return found, at, 0, True
            at += size
        return found, at, MIN_BLOCK, False

    def _note(self, anomaly: str, position: int, detail: str = "") -> None:
        if not self._peek:
            self._damage.append(Damage(anomaly, self._name, position, detail))

    def _interface(self, body: memoryview) -> Interface:
        link, _, snaplen = struct.unpack_from(self._order + "HHI", body)
        ticks, offset_s = 1_000_000, 0
        at = 8
        while at + 4 <= len(body):
            code, size = struct.unpack_from(self._order + "HH", body, at)
            value = bytes(body[at + 4 : at + 4 + size])
            if code == 0 or len(value) < size:
                break
            if code == _OPT_TSRESOL and size == 1:
                ticks = 2 ** min(value[0] & 0x7F, 40) if value[0] & 0x80 else 10 ** min(value[0], 18)
            elif code == _OPT_TSOFFSET and size == 8:
                offset_s = struct.unpack(self._order + "q", value)[0]
            at += 4 + size + (-size & 3)
        return Interface(link, snaplen, ticks, offset_s)

    def _batch(self, view: memoryview, base: int, found: list[int]) -> tuple[PacketBatch | None, int]:
        """Columns of the packet blocks; the position of the first inconsistent one (0: none)."""
        arena = np.frombuffer(view, np.uint8)
        at = np.array(found, np.int64)
        swapped = self._order == ">"
        kind, size = u32_at(arena, at, swapped=swapped), u32_at(arena, at + 4, swapped=swapped)
        bad = u32_at(arena, at + size - 4, swapped=swapped) != size
        simple = kind == SPB
        bad |= size < np.where(simple, SPB_DATA + 4, EPB_DATA + 4)
        first_bad = int(np.argmax(bad)) if bad.any() else len(at)
        at, kind, size, simple = at[:first_bad], kind[:first_bad], size[:first_bad], simple[:first_bad]
        stop = 0 if first_bad == len(found) else found[first_bad]
        if not len(at):
            return None, stop
        number, high, low, caplen, wirelen = self._fields(arena, at, kind, size, swapped=swapped)
        wrong = (number >= len(self._interfaces)) | (caplen > size - np.where(simple, SPB_DATA, EPB_DATA) - 4)
        if wrong.any():
            stop = int(at[np.argmax(wrong)])
        keep = np.cumsum(wrong) == 0
        links = np.array([item.link for item in self._interfaces] or [0], np.int64)
        link = links[np.minimum(number, len(links) - 1)]
        self._refuse(np.unique(link[keep]), base + int(at[0]))
        keep &= np.isin(link, list(READ))
        if not keep.any():
            return None, stop
        data = at + np.where(simple, SPB_DATA, EPB_DATA)
        ts_ns = self._times(high, low, number, simple)
        columns = (
            data[keep],
            caplen[keep],
            np.maximum(wirelen, caplen)[keep],
            ts_ns[keep],
            link[keep].astype(np.uint16),
        )
        return PacketBatch(arena, *columns, 0, self._name), stop

    def _fields(self, arena: U8, at: I64, kind: I64, size: I64, *, swapped: bool) -> tuple[I64, I64, I64, I64, I64]:
        """Interface, timestamp halves, captured and wire length of each block."""
        simple = kind == SPB
        safe = np.where(simple, at[0], at)  # a simple block may be too short for these fields: read another, drop it
        first, high, low, caplen, wirelen = (u32_at(arena, safe + 8 + 4 * n, swapped=swapped) for n in range(5))
        number = np.where(kind == PB, first >> 16 if swapped else first & 0xFFFF, first)
        if simple.any():
            original = u32_at(arena, at + 8, swapped=swapped)
            snaplen = self._interfaces[0].snaplen if self._interfaces else 0
            cut = np.minimum(original, snaplen or 1 << 31)
            number, high, low = np.where(simple, 0, number), np.where(simple, 0, high), np.where(simple, 0, low)
            caplen = np.where(simple, np.minimum(cut, size - SPB_DATA - 4), caplen)
            wirelen = np.where(simple, original, wirelen)
        return number, high, low, caplen, wirelen

    def _times(self, high: I64, low: I64, number: I64, simple: np.ndarray) -> I64:
        ticks = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
        out = np.zeros(len(high), np.int64)
        for index, item in enumerate(self._interfaces):
            mine = (number == index) & ~simple
            if not mine.any():
                continue
            rate = np.uint64(item.ticks)
            seconds, rest = ticks[mine] // rate, ticks[mine] % rate
            if NANOS % item.ticks == 0:
                nanos = rest * np.uint64(NANOS // item.ticks)
            else:  # powers of two, or finer than nanoseconds
                nanos = (rest.astype(np.float64) * (NANOS / item.ticks)).astype(np.uint64)
            out[mine] = (seconds.astype(np.int64) + item.offset_s) * NANOS + nanos.astype(np.int64)
        return out

    def _refuse(self, links: I64, position: int) -> None:
        for link in links.tolist():
            if link not in READ and link not in self._refused:
                self._refused.add(link)
                self._note("capture_link_type_unsupported", position, link_name(link))


SOURCE = SourceSpec("pcapng", lambda head: head[:4] == b"\x0a\x0d\x0d\x0a", PcapngSource)
