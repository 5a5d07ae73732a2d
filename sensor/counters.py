"""Plain-int counters: hot code adds to a dict, everything else reads it at the end or at scrape.

A counter is a tuple: its name (ends in `_total`) and then its label values, which come from closed sets
(zone, protocol, entity, reason), never from traffic.
"""

from collections import Counter

Key = tuple[str, ...]


class Counters(Counter[Key]):
    """`counters["frames_total",] += n`; `counters["packets_total", "export"] += n`. Adds up across workers."""

    def total(self, name: str) -> int:  # type: ignore[override]
        """Sum over all labels of one name."""
        return sum(value for key, value in self.items() if key[0] == name)

    def by_label(self, name: str) -> dict[str, int]:
        """First label → value of one name, zero rows left out, largest first."""
        rows: Counter[str] = Counter()
        for key, value in self.items():
            if key[0] == name and value:
                rows[key[1] if len(key) > 1 else ""] += value
        return dict(rows.most_common())
