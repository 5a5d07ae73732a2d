"""Every extension point on one page: one new file that declares one of these adds a thing.

A module in `protocols/` declares `PROTOCOL`, in `content/formats/` `FORMAT`, in `capture/` `SOURCE`,
in `output/` `SINK`. Discovery is by folder scan; duplicates are refused at start.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Literal
from typing import Protocol as Interface

import msgspec

from sensor.limits import Limit
from sensor.model import Event

ProbeAnswer = Literal["yes", "no", "more"]
Severity = Literal["info", "low", "medium", "high"]


class AnomalyKind(msgspec.Struct, frozen=True):
    """A row of the anomaly catalogue; stands beside the code that raises it."""

    name: str
    severity: Severity
    meaning: str
    remedy: str


class Parser(Interface):
    """A sans-I/O protocol parser of one flow. Traffic never makes it raise."""

    def feed(self, direction: int, data: bytes | memoryview, ts_ns: int) -> list[Event]:
        """Next bytes of one direction, in order. `data` is valid only during the call."""

    def gap(self, direction: int, size: int, ts_ns: int) -> list[Event]:
        """`size` bytes of one direction are missing (0 or negative: unknown many)."""

    def close(self, ts_ns: int) -> list[Event]:
        """The flow ended: flush whatever is held."""


class ProtocolSpec(msgspec.Struct, frozen=True):
    """A protocol: how to recognise it and how to build its parser.

    `probe(data, direction)` sees the first bytes of one direction and looks at no more than `probe_depth`.
    `specificity` orders two yeses (higher wins). `parser(limits)` builds one parser for one flow.
    """

    name: str
    transport: Literal["tcp", "udp"]
    ports: tuple[int, ...]
    probe: Callable[[bytes, int], ProbeAnswer]
    probe_depth: int
    specificity: int
    parser: Callable[[Mapping[str, int]], Parser]
    accepts_gaps: bool
    limits: tuple[Limit, ...]
    anomalies: tuple[AnomalyKind, ...]
    restores: str
    does_not: str


class SourceSpec(msgspec.Struct, frozen=True):
    """A capture file format.

    `magic(head)` sees the first 24 (decompressed) bytes. `open(window, name, damage, record_limit)` returns an object
    with `batches(peek=False) -> Iterator[PacketBatch]` (see sensor/capture/pcap.py).
    """

    name: str
    magic: Callable[[bytes], bool]
    open: Callable[..., Any]


class Member(msgspec.Struct):
    """One thing found inside a container: its path there and its bytes (an iterator of pieces, bounded each).

    `is_text`: text drawn out of the container (a sheet, a page), not a file stored in it: neither sniffed nor hashed.
    """

    path: str
    pieces: Iterator[bytes]
    media_type: str = ""
    charset: str = ""
    is_text: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """A member or container that stays closed, by anomaly name (`zip_encrypted`) and path.

    `size` counts stored bytes that are thereby not inspected. A Refusal with the path of the Member just before it
    says that this member was cut short. `detail` holds no content bytes.
    """

    anomaly: str
    path: str
    detail: str = ""
    size: int = 0


class FormatSpec(msgspec.Struct, frozen=True):
    """A container format: how to recognise it and how to open it.

    `magic(head, media_type, name)` sees the first 4 KiB. `unpack(file, limits)` gets a seekable binary file and
    yields Members and Refusals; it must be total: bad bytes give a Refusal, never an exception.
    """

    name: str
    magic: Callable[[bytes, str, str], bool]
    unpack: Callable[[Any, Mapping[str, int]], Iterator[Member | Refusal]]
    specificity: int
    limits: tuple[Limit, ...]
    anomalies: tuple[AnomalyKind, ...]
    doc: str


def discover(package: ModuleType, attribute: str) -> dict[str, Any]:
    """All declarations named `attribute` in the modules of `package`, by their `.name`, sorted.

    Modules and packages whose name begins with an underscore are not looked at.

    Raises:
        ValueError: two modules declare the same name.
    """
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        spec = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), attribute, None)
        if spec is None:
            continue
        if spec.name in found:
            raise ValueError(f"{package.__name__}: {spec.name!r} is declared twice, the second time in {info.name}.py")
        found[spec.name] = spec
    return dict(sorted(found.items()))
