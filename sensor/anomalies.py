"""The anomaly catalogue and its recorder: count always, keep a bounded sample for events.jsonl.

Rows stand beside the code that raises them (a parser's in its PROTOCOL, a stage's in its `ANOMALIES`);
`Catalogue` gathers them. An unknown name is our bug and raises when `strict`.
"""

from collections.abc import Iterable

from sensor.counters import Counters
from sensor.interfaces import AnomalyKind

SAMPLE_PER_NAME = 1000  # anomaly events kept per name and run; the counter goes on
SAMPLE_PER_FLOW = 5  # … of which per flow


class Catalogue(dict[str, AnomalyKind]):
    """Anomaly name → its row."""

    def __init__(self, rows: Iterable[AnomalyKind]) -> None:
        super().__init__()
        for row in rows:
            if self.get(row.name, row) != row:
                raise ValueError(f"anomaly {row.name!r} is declared twice with different texts")
            self[row.name] = row


class AnomalyRecorder:
    """Counts `anomalies_total{name}`; says whether this occurrence belongs to the sample."""

    def __init__(self, catalogue: Catalogue, counters: Counters, *, strict: bool = False) -> None:
        self.catalogue = catalogue
        self.counters = counters
        self.strict = strict
        self._kept: dict[str, int] = {}

    def record(self, name: str, seen_on_flow: int = 0) -> bool:
        """Count one occurrence; True when it should also be written as an event."""
        if name not in self.catalogue:
            if self.strict:
                raise KeyError(name)
            name = "undeclared_anomaly"
        self.counters["anomalies_total", name] += 1
        kept = self._kept.get(name, 0)
        if kept >= SAMPLE_PER_NAME or seen_on_flow >= SAMPLE_PER_FLOW:
            return False
        self._kept[name] = kept + 1
        return True


ANOMALIES = (
    AnomalyKind(
        "undeclared_anomaly",
        "low",
        "A part of the sensor reported an anomaly that is in no table.",
        "Report it as a bug; the analysis is not affected.",
    ),
    AnomalyKind(
        "parser_fault",
        "medium",
        "A parser failed on this flow; it was detached and the bytes went on to the detectors as raw content.",
        "Report it as a bug, with the capture if it may be shared.",
    ),
    AnomalyKind(
        "content_fault",
        "medium",
        "Content or detection failed on a part of this flow; the part may be inspected incompletely.",
        "Report it as a bug, with the capture if it may be shared.",
    ),
)
