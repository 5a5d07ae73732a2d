"""Compiled shapes: every pattern of the packs, bounded, and the cheapest thing that betrays each of its matches.

In: packs. Out: `Shapes`: shapes by index, run tables, triggers for Hyperscan, context words that open gates.
The meaning of a shape is its bounded `re` pattern alone: a match at a start is a match. Everything else here only says
where starts may lie and never misses one:

- a word with a run of eleven or more digits is betrayed by the run (`runs.py` finds those with numpy);
- a word of digit groups with separators is betrayed by a short window around its last two separators;
- any other pattern goes to Hyperscan as it is.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from detectors.byteregex import DIGITS, ByteSet, bounded, byteset, class_text, core, sequences, width
from detectors.model import Entity, Pack

RUN_DIGITS: Final = 11  # shorter runs are too common in traffic to be looked at one by one
MAX_RUN: Final = 24
CODE_LETTERS: Final = 15  # runs of capitals and digits: vehicle, company, account numbers
MAX_CODE: Final = 40
_GROUPS: Final[ByteSet] = DIGITS | byteset(b" .-+()")
_CODE: Final[ByteSet] = DIGITS | byteset(range(65, 91))
SHORT_WORD: Final = 4  # ASCII context words up to this length must stand alone to open a gate

# Left: no letter, digit or underscore, no decimal point, no tail of a UUID or part code. Right: likewise.
_LEFT: Final = r"(?<![0-9A-Za-z_])(?<![0-9]\.)(?<![0-9A-Fa-f]{4}-)"
_RIGHT: Final = r"(?![0-9A-Za-z_])(?!\.[0-9])(?!-[0-9A-Fa-f]{4})"
_BOUNDS: Final = {
    "digits": (_LEFT, _RIGHT),
    "alnum": (_LEFT, _RIGHT),
    "text": ("(?<![0-9A-Za-z])", "(?![0-9A-Za-z])"),
    "mail": ("(?<![0-9A-Za-z._%+@-])", r"(?![0-9A-Za-z_@-])(?!\.[0-9A-Za-z])"),
    "none": ("", ""),
}


class Shape(msgspec.Struct, frozen=True):
    """One pattern of one entity.

    Attributes:
        index: place in Shapes.all.
        entity: place in Shapes.entities.
        rx: bounded byte pattern; group 1, where there is one, is the value.
        caseless: ASCII case does not matter.
        least, most: width of a match in bytes.
        gated: tried only where the entity's gate is open.
        confidence: of a validated match.
    """

    index: int
    entity: int
    rx: re.Pattern[bytes]
    caseless: bool
    least: int
    most: int
    gated: bool
    confidence: float


class RunRow(msgspec.Struct, frozen=True):
    """A digit run of `length` may belong to `shape`, beginning `lead` bytes before the run.

    `around`: byte sets at the positions -1 … length of the run, for the vectorised sieve. `whole`: the run is the
    match. `code`: a run of capitals and digits, not of digits alone.
    """

    length: int
    shape: int
    lead: int
    around: tuple[ByteSet, ...]
    whole: bool
    code: bool


class Trigger(msgspec.Struct, frozen=True):
    """A byte pattern whose every occurrence, by its end, tells that one of `shapes` may stand around it.

    `group`: triggers of one group share a database.
    """

    pattern: bytes
    caseless: bool
    group: int
    shapes: tuple[int, ...]


class Gate(msgspec.Struct, frozen=True):
    """A lower-case word that opens the gate of `entity`; `alone`: no ASCII letter may touch it."""

    word: bytes
    alone: bool
    entity: int


class Shapes(msgspec.Struct, frozen=True):
    """All compiled shapes of an engine."""

    entities: tuple[Entity, ...]
    packs: tuple[str, ...]
    all: tuple[Shape, ...]
    runs: tuple[RunRow, ...]
    triggers: tuple[Trigger, ...]
    gated_triggers: dict[int, tuple[Trigger, ...]]
    gates: tuple[Gate, ...]
    widest: int


def compile_shapes(packs: Sequence[Pack]) -> Shapes:
    """Compile every pattern of `packs`.

    Raises:
        ValueError: a pattern outside the subset (packs are checked when they load).
    """
    entities = [(entity, pack.pack) for pack in packs for entity in pack.entities]
    shapes: list[Shape] = []
    runs: list[RunRow] = []
    open_triggers: dict[tuple[bytes, bool, int], set[int]] = {}
    gated_triggers: dict[int, dict[tuple[bytes, bool, int], set[int]]] = {}
    for number, (entity, _) in enumerate(entities):
        for regex, caseless, gated, confidence in _patterns(entity):
            left, right = _BOUNDS[entity.boundary]
            shape = Shape(
                index=len(shapes),
                entity=number,
                rx=re.compile(bounded(regex, left, right), re.IGNORECASE if caseless else 0),
                caseless=caseless,
                least=width(regex)[0],
                most=width(regex)[1],
                gated=gated,
                confidence=confidence,
            )
            shapes.append(shape)
            rows, triggers = _betrayals(shape, regex, edges=entity.boundary in {"digits", "alnum"})
            runs += rows
            into = gated_triggers.setdefault(number, {}) if gated else open_triggers
            for pattern, group in triggers:
                into.setdefault((pattern, caseless, group), set()).add(shape.index)
    return Shapes(
        entities=tuple(entity for entity, _ in entities),
        packs=tuple(pack for _, pack in entities),
        all=tuple(shapes),
        runs=tuple(runs),
        triggers=_trigger_rows(open_triggers),
        gated_triggers={number: _trigger_rows(rows) for number, rows in gated_triggers.items() if rows},
        gates=tuple(
            Gate(literal, alone, number)
            for number, (entity, _) in enumerate(entities)
            if any(pattern.gated for pattern in entity.patterns)
            for literal, alone in sorted(gate_words(entity.context).items())
        ),
        widest=max((shape.most for shape in shapes), default=0),
    )


def _patterns(entity: Entity) -> Iterable[tuple[str, bool, bool, float]]:
    for pattern in entity.patterns:
        yield pattern.regex, pattern.caseless, pattern.gated, pattern.confidence
    if entity.keyword and not entity.patterns:
        for word in entity.context:
            yield re.escape(word).replace("\\ ", " "), True, False, 0.6


def _trigger_rows(rows: dict[tuple[bytes, bool, int], set[int]]) -> tuple[Trigger, ...]:
    return tuple(
        Trigger(pattern, caseless, group, tuple(sorted(ids)))
        for (pattern, caseless, group), ids in sorted(rows.items())
    )


def _betrayals(shape: Shape, regex: str, *, edges: bool) -> tuple[list[RunRow], list[tuple[bytes, int]]]:
    """Run rows and triggers that together cover every word of the pattern.

    `edges`: no letter, digit or underscore may touch a match.
    """
    words = sequences(regex, caseless=shape.caseless) if edges and shape.rx.groups == 0 else None
    if words is None:
        return [], [(core(regex), 0)]
    rows: list[RunRow] = []
    windows: list[tuple[ByteSet, ...]] = []
    shared: set[bytes] = set()
    for word in sorted((part for whole in words for part in _split(whole)), key=len):
        found = _run_row(shape.index, word) or _code_row(shape.index, word)
        groups = _group_trigger(word)
        if found is not None:
            rows.append(found)
            if found.code and all(mask & DIGITS for mask in word):  # code runs leave runs of digits alone out
                plain = _run_row(shape.index, tuple(mask & DIGITS for mask in word))
                if plain is not None:
                    rows.append(plain)
        elif groups:
            shared.update(groups)
        elif not any(_covers(window, word) for window in windows):
            windows.append(word)
    grouped = [all(mask & ~_GROUPS == 0 for mask in window) for window in windows]
    if len(windows) > 32 or (windows and not rows and not all(grouped)):
        return [], [(core(regex), 0)]  # letters in it: the engine's own literal analysis does better
    texts = ["".join(map(class_text, window)).encode("ascii") for window in windows]
    return _merged(rows), [
        *zip(texts, map(int, grouped), strict=True),
        *((text, _SHARED[text]) for text in sorted(shared)),
    ]


def _split(word: tuple[ByteSet, ...]) -> list[tuple[ByteSet, ...]]:
    """Up to two positions that may hold digits or others become two words each, so that digit runs are runs."""
    mixed = [i for i, mask in enumerate(word) if mask & DIGITS and mask & ~DIGITS]
    if len(mixed) > 2:
        return [word]
    words = [word]
    for i in mixed:
        words = [
            (*known[:i], part, *known[i + 1 :]) for known in words for part in (known[i] & DIGITS, known[i] & ~DIGITS)
        ]
    return words


def _is_digits(mask: ByteSet) -> bool:
    return mask & ~DIGITS == 0


def _run_row(shape: int, word: tuple[ByteSet, ...]) -> RunRow | None:
    """The first maximal run of digits long enough; its neighbours in the word must be no digits at all."""
    start = 0
    while start < len(word):
        end = start
        while end < len(word) and _is_digits(word[end]):
            end += 1
        inside = (start == 0 or not word[start - 1] & DIGITS) and (end == len(word) or not word[end] & DIGITS)
        if RUN_DIGITS <= end - start <= MAX_RUN and inside:
            edge = _outside()
            around = (
                word[start - 1] if start else edge,
                *word[start:end],
                word[end] if end < len(word) else edge,
            )
            return RunRow(end - start, shape, start, around, end - start == len(word), code=False)
        start = end + 1
    return None


def _code_row(shape: int, word: tuple[ByteSet, ...]) -> RunRow | None:
    """A word of capitals and digits only, long enough to be found as a run of them."""
    if not CODE_LETTERS <= len(word) <= MAX_CODE or any(mask & ~_CODE for mask in word):
        return None
    return RunRow(len(word), shape, 0, (_outside(), *word, _outside()), whole=True, code=True)


def _outside() -> ByteSet:
    """Bytes the bounds of `digits` and `alnum` allow beside a match."""
    return ((1 << 256) - 1) & ~sum(1 << c for c in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


def _merged(rows: list[RunRow]) -> list[RunRow]:
    """One row per (length, lead, kind), byte sets united: a superset is all a sieve needs."""
    out: dict[tuple[int, int, bool, bool], RunRow] = {}
    for row in rows:
        key = (row.length, row.lead, row.whole, row.code)
        known = out.get(key)
        around = row.around if known is None else tuple(a | b for a, b in zip(known.around, row.around, strict=True))
        out[key] = RunRow(row.length, row.shape, row.lead, around, row.whole, row.code)
    return list(out.values())


def _covers(window: tuple[ByteSet, ...], word: tuple[ByteSet, ...]) -> bool:
    """True where every text of `word` holds a text of `window` at one fixed place."""
    return any(
        all(word[at + i] & ~mask == 0 for i, mask in enumerate(window)) for at in range(len(word) - len(window) + 1)
    )


# Measured: one shape with a wide middle group is scanned three times faster than the exact ones it stands for.
_TWO_GROUPS: Final = (
    (byteset(b" -"), b"[0-9][ -][0-9]{3,8}[ -][0-9]{3}"),
    (byteset(b"."), b"[0-9][.][0-9]{3,8}[.][0-9]{3}"),
)


_SHARED: Final = {text: number for number, (_, text) in enumerate(_TWO_GROUPS, 2)}  # each scans alone, or not at all


def _group_trigger(word: tuple[ByteSet, ...]) -> list[bytes]:
    """Shared triggers for digit groups with two separators or more: the slice about two neighbouring separators.

    People use one kind of separator within a value, blank and hyphen perhaps beside each other; words that mix the dot
    with another are not looked for (resolve.py refuses them too).
    """
    seps = [i for i, mask in enumerate(word) if not mask & DIGITS]
    if len(seps) < 2 or not all(_is_digits(mask) or i in seps for i, mask in enumerate(word)):
        return []
    for first, last in zip(seps[-2::-1], seps[:0:-1], strict=True):
        tail = next((i for i in seps if i > last), len(word)) - last - 1
        if first < 1 or not _is_digits(word[first - 1]) or not 3 <= last - first - 1 <= 8 or tail < 3:
            continue
        either, both = word[first] | word[last], word[first] & word[last]
        if either & ~(_TWO_GROUPS[0][0] | _TWO_GROUPS[1][0]):
            continue
        return [text for mask, text in _TWO_GROUPS if (both if mask == _TWO_GROUPS[1][0] else either) & mask]
    return []


def gate_words(context: Iterable[str]) -> dict[bytes, bool]:
    """Literals that open an entity's gate, lower case -> must the word stand alone.

    Short ASCII words must stand alone (or before `no`, `num`, `id`), others may stand anywhere; blanks, `_` and `-`
    inside a word are tried in every customary spelling. A word that contains a longer listed word is left out.
    """
    kept: list[str] = []
    out: dict[bytes, bool] = {}
    listed = {item.strip().lower() for item in context if item.strip()}
    for word in sorted(listed, key=lambda item: (len(item), item)):
        if any(short in word for short in kept):
            continue
        alone = word.isascii() and len(word) <= SHORT_WORD
        if not alone:
            kept.append(word)
        spellings = {word}
        for mark in " _-":
            if mark in word:
                spellings |= {word.replace(mark, other) for other in (" ", "_", "-", "")}
        for spelling in spellings:
            out[spelling.encode("utf-8")] = alone
    return out
