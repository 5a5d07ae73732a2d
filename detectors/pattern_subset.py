r"""The regular-expression subset that Hyperscan, RE2 and `re` read alike, checked when packs load.

In: the text of a pattern. Out: None, or what is wrong and where. Allowed: literals, ASCII classes, `\d` and `\s`
(ASCII), groups, alternation, `?` and bounded repeats `{m,n}`. At most one capture group: where there is one, it is the
value and the rest is only shape around it. Refused, each with its reason: look-around, anchors, `\b`, `\w`,
back-references, lazy or possessive or open repeats, inline flags, `.`, negated classes (a match must not run over
whatever follows; say what may occur), non-ASCII characters in classes (packs are compiled to bytes of several charsets,
where a class of characters is no class of bytes; write an alternation).
"""

import re
from collections.abc import Iterator
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Final

import msgspec

MAX_WIDTH: Final = 8192  # longest match in characters; bounds what a scanner carries from block to block

_NAMED: Final = (
    ("(?=", "look-ahead"),
    ("(?!", "look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "look-behind"),
    ("(?>", "atomic group"),
    ("(?P", "named group"),
    ("(?i", "inline flag"),
    ("(?s", "inline flag"),
    ("(?m", "inline flag"),
    ("(?x", "inline flag"),
    ("(?u", "inline flag"),
    ("(?a", "inline flag"),
    ("(?L", "inline flag"),
    ("(?#", "comment"),
    ("(?(", "conditional"),
)
_ESCAPES: Final = {
    "b": "a word boundary",
    "w": "\\w (differs between engines)",
    **dict.fromkeys("BAZzG", "an anchor"),
    **dict.fromkeys("WDS", "a negated class"),
    **dict.fromkeys("pPKRXQE", "this escape"),
}


class Flaw(msgspec.Struct, frozen=True):
    """Why a pattern is outside the subset.

    Attributes:
        reason: what is wrong, for people.
        at: index into the pattern.
        width: characters to underline.
    """

    reason: str
    at: int
    width: int = 1


def _token_flaws(regex: str) -> Iterator[Flaw]:
    """Walk the text once: what the parser would accept but the subset does not, with its place."""
    i, in_class = 0, False
    while i < len(regex):
        char = regex[i]
        if char == "\\":
            after = regex[i + 1 : i + 2]
            if after in _ESCAPES:
                yield Flaw(f"{_ESCAPES[after]} is not in the subset", i, 2)
            elif after.isdigit() and after != "0":
                yield Flaw("back-references are not in the subset", i, 2)
            i += 2
            continue
        if in_class:
            if char == "]":
                in_class = False
            elif not char.isascii():
                yield Flaw("a class may hold ASCII only; write an alternation (?:京|津)", i)
        elif char == "[":
            in_class = True
            if regex[i + 1 : i + 2] == "^":
                yield Flaw("negated classes run over anything; list what may occur", i, 2)
            if regex[i + 1 : i + 2] == "]":
                i += 1
        elif char in "^$":
            yield Flaw("anchors are not in the subset; boundaries belong to `boundary`", i)
        elif char == ".":
            yield Flaw("`.` runs over anything; list what may occur, or escape it", i)
        elif char in "*+":
            yield Flaw("open repeats are not in the subset; use {m,n}", i)
        elif char == "(":
            for opening, what in _NAMED:
                if regex.startswith(opening, i):
                    yield Flaw(f"{what} is not in the subset", i, len(opening))
                    break
        elif char in "?}" and regex[i + 1 : i + 2] in {"?", "+"} and regex[i - 1 : i + 1] != "(?":
            yield Flaw("lazy and possessive repeats are not in the subset", i, 2)
        i += 1


def flaw(regex: str) -> Flaw | None:
    """First reason why `regex` is outside the subset, or None."""
    if not regex:
        return Flaw("empty pattern", 0)
    for found in _token_flaws(regex):
        return found
    try:
        tree = parser.parse(regex, re.ASCII)
    except re.error as error:
        return Flaw(error.msg, error.pos if error.pos is not None else 0)
    except (OverflowError, RecursionError) as error:
        return Flaw(str(error), 0)
    low, high = tree.getwidth()
    if low == 0:
        return Flaw("the pattern matches the empty string", 0, len(regex))
    if high > MAX_WIDTH:
        return Flaw(f"matches may be {high} characters long, at most {MAX_WIDTH} are allowed", 0, len(regex))
    if tree.state.groups > 2:
        return Flaw("at most one capture group (the value); use (?:…) for the others", 0, len(regex))
    return None


def widest(regex: str) -> int:
    """Longest match of a pattern of the subset, in characters."""
    return int(parser.parse(regex, re.ASCII).getwidth()[1])


def has_value_group(regex: str) -> bool:
    """True where one capture group marks the value inside the match."""
    return re.compile(regex, re.ASCII).groups == 1
