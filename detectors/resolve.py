"""From raw matches of a view to values: validator, test values, claims on one span, context, record.

In: matches as an engine finds them (overlapping, of many shapes). Out: entries in the content's Tally. Everything is
decided from the text of the view and the content's state, in the order of positions, so both engines and any cutting
of the input give the same result.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from detectors import fields, mask
from detectors.context import AFTER, BEFORE, NOTHING, Opinion, Vocabulary
from detectors.fields import NOWHERE, Field, Header
from detectors.model import Entity, Verdict
from detectors.shapes import Shapes
from detectors.tally import Tally, Value
from detectors.validators.testvalues import is_test_value
from detectors.view import View

THRESHOLD: Final = 0.5
ALONE: Final = 0.6  # needed without context where chance may have made the value
RARE: Final = 1e-4  # pass rate below which a value proves itself
FIRM: Final = 1e-3
_FIELD_GAIN, _NEAR_GAIN, _AGAINST_LOSS = 0.4, 0.25, 0.2
_MEMO: Final = 20_000

Match = tuple[int, int, int, int, int]


class Surroundings(msgspec.Struct):
    """What a text is like as a whole."""

    json: bool = False
    header: Header = fields.NO_HEADER


class _Candidate:
    __slots__ = ("canonical", "end", "entity", "field", "near", "opinion", "shape", "start", "text", "verdict")

    def __init__(
        self, start: int, end: int, shape: int, entity: int, text: str, verdict: Verdict, canonical: str
    ) -> None:
        self.start = start
        self.end = end
        self.shape = shape
        self.entity = entity
        self.text = text
        self.verdict = verdict
        self.canonical = canonical
        self.field: Field | None = None
        self.opinion: Opinion = NOTHING
        self.near = ""


class Judge:
    """Judges matches for all contents of an engine; holds bounded memos, nothing of a content."""

    def __init__(self, shapes: Shapes, checks: Sequence[Callable[[str], Verdict] | None]) -> None:
        """`checks`: validator of each entity, None where it has none."""
        self._shapes = shapes.all
        self._entities: tuple[Entity, ...] = shapes.entities
        self._checks = checks
        self._words = [Vocabulary(entity) for entity in shapes.entities]
        self._verdicts: dict[tuple[int, bytes], tuple[Verdict, str, str]] = {}
        self._opinions: dict[tuple[int, bytes], Opinion] = {}

    def judge(
        self, view: View, matches: list[Match], low: int, high: int, around: Surroundings, tally: Tally, last: int
    ) -> int:
        """Enter the matches of a view that begin in low…high (positions in the view).

        Args:
            view: the text.
            matches: of this text.
            low: first owned position.
            high: first position owned by the next block.
            around: what the text is like.
            tally: of the content.
            last: position behind the last value of the open record, -1 where there is none here.

        Returns:
            Position behind the last value entered, or `last`.
        """
        candidates = self._valid(view.text, matches)
        winners = self._claims(view.text, candidates, around)
        text = view.text
        seen: dict[tuple[int, bytes], int] = {}
        for candidate in winners:
            if not low <= candidate.start < high:
                continue
            value = self._enter(view, candidate, around, tally)
            if value is None:
                continue
            if value.column is not None:
                seen[value.column] = seen.get(value.column, 0) + 1
            begins = last < 0 or not fields.same_record(text, last, candidate.start, around.header, json=around.json)
            tally.in_record(value, begins=begins)
            last = candidate.end
        for (entity, name), least in seen.items():
            tally.count_cells(entity, name, max(least, _cells(text, name, low, high)))
        return last

    def spans(self, text: bytes, matches: list[Match]) -> list[tuple[int, int, str, str]]:
        """(start, end, mask form, value) of every match that its validator lets pass, in order; they may overlap."""
        found = self._valid(text, matches)
        return sorted((c.start, c.end, self._entities[c.entity].mask, c.text) for c in found)

    # -- validators -----------------------------------------------------------------------------------------------

    def _valid(self, text: bytes, matches: list[Match]) -> list[_Candidate]:
        out: list[_Candidate] = []
        for _start, _end, begin, end, index in sorted(matches, key=_by_value):
            entity = self._shapes[index].entity
            raw = text[begin:end]
            known = self._verdicts.get((entity, raw))
            if known is None:
                known = self._check(entity, raw)
            verdict, canonical, value = known
            if verdict != "no":
                out.append(_Candidate(begin, end, index, entity, value, verdict, canonical))
        return out

    def _check(self, entity: int, raw: bytes) -> tuple[Verdict, str, str]:
        value = raw.decode("utf-8", "replace")
        check = self._checks[entity]
        verdict: Verdict = "unsure" if check is None else check(value)
        if _mixes_separators(value):
            verdict = "no"
        canonical = mask.canonical(self._entities[entity].canonical, value) if verdict != "no" else ""
        if len(self._verdicts) >= _MEMO:
            self._verdicts.clear()
        self._verdicts[entity, raw] = (verdict, canonical, value)
        return verdict, canonical, value

    # -- claims ---------------------------------------------------------------------------------------------------

    def _claims(self, text: bytes, candidates: list[_Candidate], around: Surroundings) -> list[_Candidate]:
        """One candidate per span: the best of every heap of overlapping ones, and what does not overlap it."""
        out: list[_Candidate] = []
        heap: list[_Candidate] = []
        reach = -1
        for candidate in candidates:
            if candidate.start >= reach and heap:
                out += self._best(text, heap, around)
                heap = []
            heap.append(candidate)
            reach = max(reach, candidate.end)
        out += self._best(text, heap, around)
        return out

    def _best(self, text: bytes, heap: list[_Candidate], around: Surroundings) -> list[_Candidate]:
        if len(heap) < 2:
            return heap
        ranked = sorted(heap, key=lambda candidate: self._rank(text, candidate, around))
        taken: list[_Candidate] = []
        for candidate in ranked:
            if all(candidate.end <= other.start or candidate.start >= other.end for other in taken):
                taken.append(candidate)
        return sorted(taken, key=lambda candidate: candidate.start)

    def _rank(
        self, text: bytes, candidate: _Candidate, around: Surroundings
    ) -> tuple[bool, bool, bool, int, float, int, int]:
        entity = self._entities[candidate.entity]
        self._context(text, candidate, around)
        proven = candidate.verdict == "yes" and entity.random_pass_rate <= RARE
        spoken = bool(candidate.opinion.word or candidate.near)
        return (
            not proven,
            not spoken,
            candidate.verdict != "yes",
            entity.claims,
            -self._shapes[candidate.shape].confidence,
            candidate.start - candidate.end,
            candidate.start,
        )

    # -- context --------------------------------------------------------------------------------------------------

    def _context(self, text: bytes, candidate: _Candidate, around: Surroundings) -> None:
        if candidate.field is not None:
            return
        field = fields.field_at(text, candidate.start, around.header, json=around.json)
        candidate.field = field
        if field.key:
            place = (candidate.entity, field.key)
            opinion = self._opinions.get(place)
            if opinion is None:
                opinion = self._words[candidate.entity].of_name(field.key.decode("utf-8", "replace"))
                if len(self._opinions) >= _MEMO:
                    self._opinions.clear()
                self._opinions[place] = opinion
            candidate.opinion = opinion
            if opinion.word or opinion.against or not opinion.general:
                return
        low = max(0, candidate.start - BEFORE)
        before, after = text[low : candidate.start], text[candidate.end : candidate.end + AFTER]
        if field.shape == "cell" or around.header.delimiter:
            before, after = before.rpartition(b"\n")[2], after.partition(b"\n")[0]
        candidate.near = self._words[candidate.entity].near(before, after)

    # -- entering -------------------------------------------------------------------------------------------------

    def _enter(self, view: View, candidate: _Candidate, around: Surroundings, tally: Tally) -> Value | None:
        entity = self._entities[candidate.entity]
        if is_test_value(entity.id, candidate.canonical):
            tally.tests[entity.id] = tally.tests.get(entity.id, 0) + 1
            return None
        value = tally.known(candidate.entity, candidate.canonical)
        if value is None:
            value = tally.add(candidate.entity, candidate.canonical, candidate.text)
            if value is None:
                return None
            value.offset = view.origin(candidate.start)
            value.encoding = view.encoding(candidate.start, candidate.end)
        value.count += 1
        if value.accepted and value.column is not None:
            return value
        self._context(view.text, candidate, around)
        confidence, accepted, why, against = self._weigh(candidate, entity)
        if confidence > value.confidence or (accepted and not value.accepted):
            value.confidence, value.why = confidence, why
        value.accepted |= accepted
        value.against |= against
        value.firm |= candidate.verdict == "yes" and entity.random_pass_rate <= FIRM and entity.person == "Y"
        field = candidate.field or NOWHERE
        if value.column is None and field.column:
            tally.put_in_column(value, field.column, _shown(field.key), against=against)
        return value

    def _weigh(self, candidate: _Candidate, entity: Entity) -> tuple[float, bool, tuple[str, ...], bool]:
        confidence = self._shapes[candidate.shape].confidence
        why: list[str] = []
        if candidate.verdict == "yes" and entity.validator:
            why.append(f"check:{entity.validator}")
        opinion = candidate.opinion
        word = opinion.word or candidate.near
        against = opinion.against and not opinion.word
        if word:
            confidence += _FIELD_GAIN if opinion.word else _NEAR_GAIN
            why.append(f"{'field' if opinion.word else 'near'}:{word}")
        elif against and not (candidate.verdict == "yes" and entity.random_pass_rate <= RARE):
            confidence -= _AGAINST_LOSS
        confidence = round(min(confidence, 0.99), 3)
        if word:
            return max(confidence, THRESHOLD), True, tuple(why), against
        proven = candidate.verdict == "yes" or not entity.validator
        alone = THRESHOLD if entity.random_pass_rate <= RARE else ALONE
        return confidence, proven and not entity.needs_context and confidence >= alone, tuple(why), against


def _by_value(match: Match) -> tuple[int, int, int]:
    return match[2], -match[3], match[4]


def _shown(key: bytes) -> str:
    """A field name for people: names are not values, but a name of digits could be one."""
    name = key[:40].decode("utf-8", "replace")
    return name if sum(c.isdigit() for c in name) < 4 and "@" not in name else "*"


def _mixes_separators(value: str) -> bool:
    return (
        "." in value
        and ("-" in value[1:] or " " in value)
        and value.replace(".", "").replace("-", "").replace(" ", "").isdigit()
    )


def _cells(text: bytes, name: bytes, low: int, high: int) -> int:
    """How many cells the column has in low…high, as far as a count of separators tells."""
    kind, key = name[:2], name[2:]
    if kind == b"c:":
        return text.count(b"\n", low, high)
    if kind == b"h:":
        return text.count(b"<tr", low, high)
    if kind == b"k:" and not key.endswith(b"[]"):
        return text.count(b'"' + key + b'"', low, high) or text.count(key + b"=", low, high)
    if kind == b"t:":
        return text.count(b"<" + key + b">", low, high)
    return 0
