"""The Limit type: every cap in the house has a name, a unit, a policy and an anomaly.

Shared caps stand beside the stage that owns them as a module-level tuple `LIMITS`; a parser's stand in its
PROTOCOL. `Limits` is the resolved mapping (defaults plus the operator's overrides) that is handed in.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Policy = Literal["truncate", "drop-oldest", "drop-newest", "stop-parsing", "skip", "refuse", "flush"]


class Limit(msgspec.Struct, frozen=True):
    """One cap: what bites at which value, what then happens, and which anomaly says so."""

    name: str
    default: int
    unit: Literal["bytes", "count", "seconds", "ratio"]
    policy: Policy
    anomaly: str
    doc: str


class Limits(Mapping[str, int]):
    """Resolved caps by name. Unknown names are a bug and raise KeyError."""

    __slots__ = ("_values",)

    def __init__(self, rows: Iterable[Limit], overrides: Mapping[str, int] | None = None) -> None:
        self._values = {row.name: row.default for row in rows}
        for name, value in (overrides or {}).items():
            if name not in self._values:
                raise KeyError(name)
            self._values[name] = value

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
