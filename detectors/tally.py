"""What one content has shown so far: distinct values, their columns and records, and in the end the findings.

In: judged matches in the order of the content. Out: a ScanResult. Values wait here that nothing speaks for yet: a
column may prove them at the end, or a firm identifier in the same record. Bounded by `limits` (distinct values per
entity, links); what is beyond is counted. Raw values live here until `close` and nowhere after it.
"""

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from detectors import column, mask
from detectors.model import Entity, Finding, ScanResult

LIMITS: Final[Mapping[str, int]] = MappingProxyType({"scan_values": 50_000, "scan_links": 200_000})
_FIRM_RATE: Final = 1e-3
_LEAST: Final = 0.3  # confidence a value must bring itself
_GROUP: Final = 32
_DIVERSE: Final = 3  # distinct heads a column of mobile numbers must show


class Value:
    """A distinct value of an entity."""

    __slots__ = (
        "accepted",
        "against",
        "canonical",
        "column",
        "confidence",
        "count",
        "encoding",
        "entity",
        "firm",
        "offset",
        "text",
        "why",
    )

    def __init__(self, entity: int, canonical: str, text: str) -> None:
        self.entity = entity
        self.canonical = canonical
        self.text = text
        self.confidence = 0.0
        self.count = 0
        self.offset = -1
        self.encoding = ""
        self.why: tuple[str, ...] = ()
        self.accepted = False
        self.firm = False
        self.against = False
        self.column: tuple[int, bytes] | None = None


class _Column:
    __slots__ = ("against", "cells", "heads", "key", "passed")

    def __init__(self, key: str) -> None:
        self.key = key
        self.cells = 0
        self.passed = 0
        self.against = False
        self.heads: set[str] = set()


class Tally:
    """Values of one content."""

    def __init__(
        self, entities: Sequence[Entity], packs: Sequence[str], profile: str, limits: Mapping[str, int]
    ) -> None:
        self._entities = entities
        self._packs = packs
        self._conservative = profile != "gbt45574"
        self._limits = limits
        self._values: dict[tuple[int, str], Value] = {}
        self._sizes: dict[int, int] = {}
        self._columns: dict[tuple[int, bytes], _Column] = {}
        self._group: list[Value] = []
        self._links: dict[tuple[int, int], tuple[Value, Value]] = {}
        self.tests: dict[str, int] = {}
        self.overflow = 0

    def known(self, entity: int, canonical: str) -> Value | None:
        """The value, where it was seen before."""
        return self._values.get((entity, canonical))

    def add(self, entity: int, canonical: str, text: str) -> Value | None:
        """A value seen for the first time; None beyond the limit."""
        size = self._sizes.get(entity, 0)
        if size >= self._limits["scan_values"]:
            self.overflow += 1
            return None
        self._sizes[entity] = size + 1
        value = Value(entity, canonical, text)
        self._values[entity, canonical] = value
        return value

    def put_in_column(self, value: Value, name: bytes, key: str, *, against: bool) -> None:
        """The value stands in a column for the first time."""
        place = (value.entity, name)
        found = self._columns.get(place)
        if found is None:
            if len(self._columns) >= 4096:
                return
            found = self._columns[place] = _Column(key)
        value.column = place
        found.passed += 1
        found.against |= against
        if len(found.heads) < _DIVERSE:
            found.heads.add(value.canonical[:3])

    def count_cells(self, entity: int, name: bytes, cells: int) -> None:
        """`cells` more cells of a column were seen, passing or not."""
        found = self._columns.get((entity, name))
        if found is not None:
            found.cells += cells

    def in_record(self, value: Value, *, begins: bool) -> None:
        """The value is the next one of the record; `begins`: of a new record."""
        if begins or len(self._group) >= _GROUP:
            self.end_record()
        self._group.append(value)

    def end_record(self) -> None:
        """Firm identifiers vouch for what stands beside them, and values of one record are linked."""
        group, self._group = self._group, []
        if len(group) < 2:
            return
        distinct = list({id(value): value for value in group}.values())
        if len(distinct) < 2:
            return
        firm = next((value for value in distinct if value.firm and value.accepted), None)
        if firm is not None:
            for value in distinct:
                self._vouch(firm, value)
        kinds: dict[int, int] = {}
        for value in distinct:
            kinds[value.entity] = kinds.get(value.entity, 0) + 1
        chain = [v for v in distinct if kinds[v.entity] == 1 and self._entities[v.entity].person in {"Y", "D"}]
        for left, right in itertools.pairwise(chain):
            if len(self._links) < self._limits["scan_links"]:
                self._links[id(left), id(right)] = (left, right)

    def _vouch(self, firm: Value, value: Value) -> None:
        if not value.accepted and not value.against and value.confidence >= _LEAST:
            value.accepted = True
            value.confidence = max(value.confidence, 0.6)
            value.why = (*value.why, f"record:{self._entities[firm.entity].id}")

    def close(self, key: bytes, where: str, inspected: int) -> ScanResult:
        """Judge the columns and say what was found.

        Args:
            key: for tokens.
            where: path of the content.
            inspected: bytes fed.
        """
        self.end_record()
        self._judge_columns()
        for left, right in self._links.values():  # what a column proved vouches for its neighbours too
            for firm, value in ((left, right), (right, left)):
                if firm.firm and firm.accepted:
                    self._vouch(firm, value)
        findings: list[Finding] = []
        tokens: dict[int, str] = {}
        for value in self._values.values():
            if not value.accepted:
                continue
            entity = self._entities[value.entity]
            token = mask.token(key, entity.id, value.canonical)
            tokens[id(value)] = token
            cls = (entity.cls_conservative or entity.cls) if self._conservative else entity.cls
            findings.append(
                Finding(
                    entity=entity.id,
                    cls=cls,
                    person=entity.person,
                    masked=mask.mask(entity.mask, value.text),
                    token=token,
                    confidence=round(min(value.confidence, 0.99), 2),
                    count=value.count,
                    offset=value.offset,
                    encoding=value.encoding,
                    where=where,
                    why=value.why,
                    pack=self._packs[value.entity],
                )
            )
        findings.sort(key=_by_offset)
        links = sorted(
            {
                (tokens[id(left)], tokens[id(right)])
                for left, right in self._links.values()
                if id(left) in tokens and id(right) in tokens
            }
        )
        self._values.clear()
        self._links.clear()
        return ScanResult(tuple(findings), tuple(links), inspected, dict(sorted(self.tests.items())), self.overflow)

    def _judge_columns(self) -> None:
        verdicts: dict[tuple[int, bytes], str] = {}
        for place, found in self._columns.items():
            entity = self._entities[place[0]]
            if found.against and entity.random_pass_rate > _FIRM_RATE:
                continue
            if entity.canonical == "mobile" and len(found.heads) < _DIVERSE:
                continue
            if column.accepts(found.cells, found.passed, entity.random_pass_rate):
                verdicts[place] = f"column:{found.key} {found.passed}/{max(found.cells, found.passed)}"
        if not verdicts:
            return
        for value in self._values.values():
            why = verdicts.get(value.column) if value.column is not None else None
            if why is not None and not value.accepted:
                value.accepted = True
                value.confidence = max(value.confidence, 0.85)
                value.why = (*value.why, why)


def _by_offset(finding: Finding) -> tuple[int, str, str]:
    return finding.offset, finding.entity, finding.token
