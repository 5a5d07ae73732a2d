"""The fast engine: Hyperscan finds triggers and gate words, numpy finds digit runs, `re` says what a match is.

In: a text block and the gates already open in its content. Out: gates open now, and every match of every open shape.
Triggers are grouped as measured on office traffic: those with a rare literal share a database with the gate words
(their literal matcher is the same work), windows of digit groups have databases of their own because short digit
factors spoil the company, and each gated entity has its own, scanned only once its gate is open.
"""

import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import hyperscan

from detectors.base64runs import TELLS
from detectors.byteregex import class_text
from detectors.cache import stored
from detectors.normalise import FOLD_MARKS
from detectors.runs import RunTable
from detectors.shapes import Gate, Shape, Shapes, Trigger

Match = tuple[int, int, int, int, int]  # start, end, value start, value end, shape index

_GATE_TAIL: Final = "(?:[^a-z]|no|num|id)"


def _gate_expression(gate: Gate) -> bytes:
    body = "".join(class_text(1 << byte) for byte in gate.word)
    return (f"[^a-z]{body}{_GATE_TAIL}" if gate.alone else body).encode("ascii")


class HyperscanFinder:
    """All databases of an engine; immutable, shared by the scans of a process (one thread)."""

    name = "hyperscan"

    def __init__(self, shapes: Shapes, cache_dir: Path | None) -> None:
        """Compile or load the databases.

        Raises:
            hyperscan.error: a pattern Hyperscan refuses (packs are tested against it).
        """
        self._shapes = shapes.all
        validators = {shape.index: shapes.entities[shape.entity].validator for shape in shapes.all}
        self._runs = RunTable([r for r in shapes.runs if not shapes.all[r.shape].gated], validators)
        self._gated_runs = {
            number: RunTable(
                [r for r in shapes.runs if shapes.all[r.shape].gated and shapes.all[r.shape].entity == number],
                validators,
            )
            for number in {shapes.all[r.shape].entity for r in shapes.runs if shapes.all[r.shape].gated}
        }
        gate_rows: dict[bytes, int] = {}
        for gate in shapes.gates:
            expression = _gate_expression(gate)
            gate_rows[expression] = gate_rows.get(expression, 0) | 1 << gate.entity
        self._gate_bits = list(gate_rows.values())
        groups: dict[int, list[Trigger]] = {0: []}
        for trigger in shapes.triggers:
            groups.setdefault(trigger.group, []).append(trigger)
        self._triggers: list[Trigger] = groups.pop(0)
        once = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS
        rows = [(trigger.pattern, _flags(trigger)) for trigger in self._triggers] + [(row, once) for row in gate_rows]
        plans: dict[str, list[tuple[bytes, int]]] = {"main": rows}
        for group, triggers in groups.items():
            plans[f"group:{group}"] = [(trigger.pattern, _flags(trigger)) for trigger in triggers]
        for number, gated in shapes.gated_triggers.items():
            plans[f"gated:{number}"] = [(trigger.pattern, _flags(trigger)) for trigger in gated]
        plans["folds"] = [(mark, int(hyperscan.HS_FLAG_SINGLEMATCH)) for mark in FOLD_MARKS]
        plans["tells"] = [(tell, 0) for tell in TELLS]
        databases = stored(plans, _compile, hyperscan.dumpb, _load, _stamp(), cache_dir)
        self._main = databases["main"]
        self._groups = [(databases[f"group:{group}"], triggers) for group, triggers in groups.items()]
        self._fold_db, self._tell_db = databases["folds"], databases["tells"]
        self._gated = {number: databases[f"gated:{number}"] for number in shapes.gated_triggers}
        self._gated_triggers = shapes.gated_triggers
        self._gated_entities = sorted({shape.entity for shape in shapes.all if shape.gated})

    def find(self, text: bytes, gates: int) -> tuple[int, list[Match]]:
        """Matches of every open shape in `text`.

        Args:
            text: block, beginning and ending with a line feed.
            gates: bit n set: the gate of entity n is open already.

        Returns:
            gates with those this text opens, and the matches in no order, overlapping ones included.
        """
        hits: list[tuple[int, int]] = []
        push = hits.append

        def on_match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            push((number, end))

        matches: list[Match] = []
        if self._main is not None:
            self._main.scan(text, match_event_handler=on_match)
        count = len(self._triggers)
        found: list[tuple[int, Trigger]] = []
        for number, end in hits:
            if number < count:
                found.append((end, self._triggers[number]))
            else:
                gates |= self._gate_bits[number - count]
        for database, triggers in self._groups:
            hits.clear()
            database.scan(text, match_event_handler=on_match)
            found += [(end, triggers[number]) for number, end in hits]
        starts = self._runs.find(text)
        if gates:
            for entity in self._gated_entities:
                if not gates >> entity & 1:
                    continue
                if entity in self._gated_runs:
                    starts += self._gated_runs[entity].find(text)
                database = self._gated.get(entity)
                if database is not None:
                    hits.clear()
                    database.scan(text, match_event_handler=on_match)
                    gated = self._gated_triggers[entity]
                    found += [(end, gated[number]) for number, end in hits]
        for start, index in starts:
            match = self._shapes[index].rx.match(text, start) if start >= 0 else None
            if match is not None:
                matches.append(_row(match, index))
        if found:
            matches += self._around(text, found)
        return gates, matches

    def folds(self, text: bytes) -> bool:
        """True where one of normalise.FOLD_MARKS stands in the text."""
        hits: list[int] = []

        def on_match(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            hits.append(end)

        self._fold_db.scan(text, match_event_handler=on_match)
        return bool(hits)

    def tells(self, text: bytes) -> list[tuple[int, int]]:
        """(end, index) of every base64 tell-tale, ascending."""
        hits: list[tuple[int, int]] = []

        def on_match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            hits.append((end, number))

        self._tell_db.scan(text, match_event_handler=on_match)
        return sorted(hits)

    def _around(self, text: bytes, found: list[tuple[int, Trigger]]) -> list[Match]:
        """Every match of a trigger's shapes that may hold one of the trigger's ends."""
        matches: list[Match] = []
        tried: dict[int, int] = {}
        size = len(text)
        for end, trigger in sorted(found, key=_by_end):
            for index in trigger.shapes:
                shape: Shape = self._shapes[index]
                at = max(end - shape.most, tried.get(index, 0), 0)
                stop = min(size, end + shape.most + 8)
                search = shape.rx.search
                while at < end:
                    match = search(text, at, stop)
                    if match is None or match.start() >= end:
                        break
                    matches.append(_row(match, index))
                    at = match.start() + 1
                tried[index] = max(end, tried.get(index, 0))
        return matches


def _by_end(hit: tuple[int, Trigger]) -> int:
    return hit[0]


def _row(match: re.Match[bytes], index: int) -> Match:
    start, end = match.span()
    if match.re.groups:
        inner, outer = match.span(1)
        if inner >= 0:
            return start, end, inner, outer, index
    return start, end, start, end, index


def _flags(trigger: Trigger) -> int:
    return int(hyperscan.HS_FLAG_CASELESS) if trigger.caseless else 0


def _compile(rows: Sequence[tuple[bytes, int]]) -> Any:
    if not rows:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern for pattern, _ in rows],
        ids=list(range(len(rows))),
        elements=len(rows),
        flags=[flags for _, flags in rows],
    )
    database.scratch = hyperscan.Scratch(database)
    return database


def _load(data: bytes) -> Any:
    database = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


def _stamp() -> str:
    """What a serialised database depends on beside its patterns: library, wrapper, and processor (its own check)."""
    probe = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    probe.compile(expressions=[b"stamp"], ids=[0], elements=1, flags=[0])
    return f"{metadata.version('hyperscan')} {probe.info()!r}"
