"""Compiled databases kept on disk: a start should not compile what the last one compiled.

In: compile plans (name -> rows of pattern and flags), the functions that compile, dump and load, a stamp of library and
processor. Out: name -> database. One file per set of plans, named by the hash of plans and stamp; its content is
checked against a digest before it is handed to the native loader. Any trouble with the file means compiling afresh;
the folder is the operator's own cache and must not be writable by others.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

Plan = Sequence[tuple[bytes, int]]


def stored(
    plans: Mapping[str, Plan],
    compile_rows: Callable[[Plan], Any],
    dump: Callable[[Any], bytes],
    load: Callable[[bytes], Any],
    stamp: str,
    folder: Path | None,
) -> dict[str, Any]:
    """Databases of `plans`, from `folder` where they lie there and fit, else compiled and left there.

    Returns:
        name -> database; None for a plan without rows.
    """
    if folder is None:
        return {name: compile_rows(rows) for name, rows in plans.items()}
    key = hashlib.sha256(msgspec.msgpack.encode((stamp, dict(plans)))).hexdigest()
    path = folder / f"hyperscan-{key[:32]}.db"
    known = _read(path, load)
    if known is not None and known.keys() == plans.keys():
        return known
    made = {name: compile_rows(rows) for name, rows in plans.items()}
    _write(path, {name: b"" if database is None else dump(database) for name, database in made.items()})
    return made


def _read(path: Path, load: Callable[[bytes], Any]) -> dict[str, Any] | None:
    try:
        data = path.read_bytes()
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return None
        blocks = msgspec.msgpack.decode(data[32:], type=dict[str, bytes])
        return {name: load(block) if block else None for name, block in blocks.items()}
    except Exception:  # noqa: BLE001 - a damaged or foreign cache is compiled anew, whatever the loader says
        return None


def _write(path: Path, blocks: dict[str, bytes]) -> None:
    body = msgspec.msgpack.encode(blocks)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".hyperscan-")
        with os.fdopen(handle, "wb") as out:
            out.write(hashlib.sha256(body).digest() + body)
        Path(name).replace(path)
    except OSError:
        return  # a cache that cannot be written costs the next start some time, nothing else
