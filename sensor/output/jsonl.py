"""JSON-lines files in a stable order, whatever the order of arrival and however many workers wrote.

A `RecordFile` writes lines to a part file as they come and keeps 24 bytes a line in memory (time, hash of the line,
length). `merge` writes the lines of all parts sorted by time, then hash: the same records give the same file.
"""

import contextlib
import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

_BUFFER: Final = 1 << 18


class RecordFile:
    """One part file; one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._out = path.open("wb", buffering=_BUFFER)
        self._encode = msgspec.json.Encoder().encode
        self._ts = array("q")
        self._hash = array("Q")
        self._size = array("q")

    def write(self, ts_ns: int, record: Any) -> None:
        """Append one record.

        Raises:
            OSError: the disk is full or the folder is gone.
        """
        line = self._encode(record) + b"\n"
        self._out.write(line)
        self._ts.append(ts_ns)
        self._hash.append(int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little"))
        self._size.append(len(line))

    def close(self) -> "Part":
        """Flush; returns what `merge` needs."""
        self._out.close()
        return Part(str(self.path), self._ts.tobytes(), self._hash.tobytes(), self._size.tobytes())


class Part(msgspec.Struct, frozen=True):
    """A finished part file with its sort keys (int64, uint64, int64 columns)."""

    path: str
    ts: bytes
    digest: bytes
    size: bytes


def merge(parts: Sequence[Part], target: Path) -> int:
    """Write the lines of all parts to `target`, sorted; removes the parts. Returns the number of lines."""
    ts = np.concatenate([np.frombuffer(part.ts, np.int64) for part in parts])
    digest = np.concatenate([np.frombuffer(part.digest, np.uint64) for part in parts])
    sizes = [np.frombuffer(part.size, np.int64) for part in parts]
    size = np.concatenate(sizes)
    start = np.concatenate([np.cumsum(column) - column for column in sizes])
    source = np.repeat(np.arange(len(parts)), [len(column) for column in sizes])
    order = np.lexsort((digest, ts))
    draft = target.with_name(f".{target.name}.draft")
    with contextlib.ExitStack() as stack, draft.open("wb", buffering=_BUFFER) as out:
        files = [stack.enter_context(Path(part.path).open("rb")) for part in parts]
        for place in order.tolist():
            handle = files[source[place]]
            handle.seek(start[place])
            out.write(handle.read(size[place]))
    draft.replace(target)
    for part in parts:
        Path(part.path).unlink()
    return len(order)
