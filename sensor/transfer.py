"""Transfer: what left (or came) in one direction of one flow, gathered content by content.

In: finished contents with their scan results. Out: one Transfer with merged findings, bounded lists and a person
interval. Cost: O(findings). It holds masks and tokens only, never a value.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from detectors.model import Finding
from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

LIMITS: Final = (
    Limit(
        "transfer_contents",
        64,
        "count",
        "truncate",
        "transfer_contents_truncated",
        "Contents listed in one alert, those with findings first; the rest is counted.",
    ),
    Limit(
        "transfer_values",
        200_000,
        "count",
        "truncate",
        "transfer_values_truncated",
        "Distinct values kept per transfer; further ones are counted, not listed.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "transfer_contents_truncated",
        "info",
        "More contents crossed in one flow than an alert lists.",
        "Raise the limit transfer_contents if every content must be listed.",
    ),
    AnomalyKind(
        "transfer_values_truncated",
        "low",
        "More distinct values crossed in one flow than are kept; counts go on, the person interval is a lower bound.",
        "Raise the limit transfer_values if memory allows.",
    ),
)


class Person(msgspec.Struct, frozen=True):
    """Interval of distinct people: at least the largest single kind, at most every unlinked identifier its own."""

    min: int
    max: int


class Value(msgspec.Struct):
    """One distinct value of a transfer: the first finding of it, and how often it was seen in all contents."""

    finding: Finding
    path: str
    count: int


class Transfer:
    """Findings and contents of one direction of one flow."""

    __slots__ = (
        "_max_contents",
        "_max_values",
        "contents",
        "contents_total",
        "direction",
        "gap_bytes",
        "incomplete",
        "inspected_bytes",
        "links",
        "overflow",
        "skipped",
        "test_values",
        "values",
    )

    def __init__(self, direction: int, limits: Mapping[str, int]) -> None:
        self.direction = direction
        self.contents: list[Any] = []
        self.contents_total = 0
        self.incomplete = 0
        self.inspected_bytes = 0
        self.gap_bytes = 0
        self.skipped: dict[str, int] = {}
        self.values: dict[tuple[str, str], Value] = {}
        self.links: list[tuple[str, str]] = []
        self.test_values: dict[str, int] = {}
        self.overflow = 0
        self._max_contents = limits["transfer_contents"]
        self._max_values = limits["transfer_values"]

    def add(self, result: Any) -> None:
        """Merge one ContentResult."""
        scan = result.scan
        self.gap_bytes += result.gap_bytes
        for reason, size in result.skipped:
            self.skipped[reason] = self.skipped.get(reason, 0) + size
        if not result.is_field or (scan is not None and scan.findings):
            self.contents_total += 1
            self.incomplete += not result.complete
            self._list(result)
        if scan is None:
            return
        self.inspected_bytes += scan.inspected_bytes
        self.overflow += scan.overflow
        for entity, count in scan.test_values.items():
            self.test_values[entity] = self.test_values.get(entity, 0) + count
        for finding in scan.findings:
            self._value(finding, result.path)
        if len(self.links) < self._max_values:
            self.links.extend(scan.links)

    def _list(self, result: Any) -> None:
        if len(self.contents) < self._max_contents:
            self.contents.append(result)
        elif result.scan is not None and result.scan.findings:
            for place, old in enumerate(self.contents):
                if old.scan is None or not old.scan.findings:
                    self.contents[place] = result
                    return

    def _value(self, finding: Finding, path: str) -> None:
        key = (finding.entity, finding.token)
        known = self.values.get(key)
        if known is not None:
            known.count += finding.count
            if finding.confidence > known.finding.confidence:
                known.finding, known.path = finding, path
        elif len(self.values) < self._max_values:
            self.values[key] = Value(finding, path, finding.count)
        else:
            self.overflow += 1

    def persons(self) -> Person:
        """The person interval of this transfer."""
        kept = (value.finding for value in self.values.values())
        return count_persons(((f.entity, f.person, f.token) for f in kept), self.links)


def count_persons(values: Iterable[tuple[str, str, str]], links: Iterable[tuple[str, str]]) -> Person:
    """People behind identifiers, joined where one record held two of them (union-find).

    Args:
        values: (entity, person role, token) of each distinct value; roles as in detectors.model.PersonRole.
        links: pairs of tokens seen in one record.

    Returns:
        `max` counts the joined groups; `min` the groups of the kind that needs most of them, since two
        unlinked identifiers of different kinds may name the same person. Devices alone give 0..n people.
    """
    entity_of: dict[str, str] = {}
    devices = 0
    for entity, person, token in values:
        if person == "Y":
            entity_of[token] = entity
        devices += person == "D"
    parent = {token: token for token in entity_of}

    def root(token: str) -> str:
        while parent[token] != token:
            parent[token] = parent[parent[token]]
            token = parent[token]
        return token

    for left, right in links:
        if left in parent and right in parent:
            parent[root(left)] = root(right)
    groups: dict[str, set[str]] = {}
    for token, entity in entity_of.items():
        groups.setdefault(entity, set()).add(root(token))
    if not groups:
        return Person(0, devices)
    return Person(max(map(len, groups.values())), len(set().union(*groups.values())))
