"""From command-line arguments to capture files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sensor.capture.damage import CaptureError

SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".dmp", ".ntar")
PACKED: Final = (".gz", ".zst", ".xz", "")


def find_captures(arguments: Sequence[str]) -> list[str]:
    """Files as given; in folders, recursively and sorted, what is named like a capture.

    Raises:
        CaptureError: a path is missing, or a folder holds no capture.
    """
    found: list[str] = []
    for argument in arguments:
        path = Path(argument)
        if argument == "-":
            found.append(argument)
        elif path.is_dir():
            inside = sorted(str(item) for item in path.rglob("*") if item.is_file() and _named(item.name))
            if not inside:
                raise CaptureError(argument, "is a folder without captures", f"looked for {', '.join(SUFFIXES)}")
            found += inside
        elif not path.exists():
            raise CaptureError(argument, "does not exist", "check the path")
        else:
            found.append(argument)
    return list(dict.fromkeys(found))


def _named(name: str) -> bool:
    return name.lower().endswith(tuple(suffix + packed for suffix in SUFFIXES for packed in PACKED))
