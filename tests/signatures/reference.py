"""The plainest reading of a pack: `re` at every place, then boundary and validator. Slow and obvious on purpose.

What the matching engines do quickly is judged against what the pack's author meant, and that is this.
"""

import re
from collections.abc import Iterator

from detectors.mask import canonical
from detectors.model import Entity, Verdict
from detectors.validators import load_validators
from detectors.validators.testvalues import is_test_value

VALIDATORS = load_validators()
_JOINED = re.compile(r"[0-9A-Za-z_]|[0-9]\.|[0-9A-Fa-f]{4}-"), re.compile(r"[0-9A-Za-z_]|\.[0-9]|-[0-9A-Fa-f]{4}")
_BOUNDS = {
    "digits": _JOINED,
    "alnum": _JOINED,
    "text": (re.compile(r"[0-9A-Za-z]"), re.compile(r"[0-9A-Za-z]")),
    "mail": (re.compile(r"[0-9A-Za-z._%+@-]"), re.compile(r"[0-9A-Za-z_@-]|\.[0-9A-Za-z]")),
}


def bounded(boundary: str, text: str, start: int, end: int) -> bool:
    """Whether nothing stands before or after that would make the value part of something longer."""
    if boundary == "none":
        return True
    left, right = _BOUNDS[boundary]
    ends_with = any(left.fullmatch(text, max(0, start - n), start) for n in (1, 2, 5) if start >= n)
    return not ends_with and right.match(text, end) is None


def matches(entity: Entity, text: str) -> Iterator[tuple[str, Verdict]]:
    """Values of `entity` in `text`, longest per start, with the verdict (`no` and published specimens left out)."""
    for pattern in entity.patterns:
        shape = re.compile(pattern.regex, re.ASCII | (re.IGNORECASE if pattern.caseless else 0))
        for start in range(len(text)):
            found = shape.match(text, start)
            if found is None:
                continue
            group = 1 if shape.groups else 0
            begin, end = found.span(group)
            if begin < 0 or not bounded(entity.boundary, text, begin, end):
                continue
            value = found[group]
            verdict: Verdict = VALIDATORS[entity.validator].check(value) if entity.validator else "unsure"
            if verdict != "no" and not is_test_value(entity.id, canonical(entity.canonical, value)):
                yield value, verdict
