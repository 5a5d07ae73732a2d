r"""Pack patterns as byte patterns: one text that Hyperscan and `re` read alike, and words that cover it.

In: a pattern of the subset of `pattern_subset.py` (ASCII classes, bounded repeats, no anchors). Out: the same language
over UTF-8 bytes. Escapes of classes are written out (`\d` means `[0-9]`, `\s` six ASCII blanks) because the two
engines disagree on some of them. Matching is over bytes everywhere, so a block need not be valid UTF-8.

`sequences` covers a finite pattern by fixed-length words of byte sets (256-bit integers); triggers and run tables are
derived from them. Words that look alike (digits and non-digits at the same positions) are united, so the cover is a
superset and stays small.
"""

import re
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

ByteSet = int  # bit n set: byte n may stand here

_BLANKS: Final = b"\t\n\x0b\x0c\r "
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
DIGITS: Final[ByteSet] = sum(1 << c for c in b"0123456789")


def byteset(values: Iterable[int]) -> ByteSet:
    """The set as an integer."""
    out = 0
    for value in values:
        out |= 1 << value
    return out


def members(mask: ByteSet) -> list[int]:
    """Bytes of a set, ascending."""
    return [n for n in range(256) if mask >> n & 1]


def _escape(byte: int) -> str:
    return chr(byte) if byte in _PLAIN else f"\\x{byte:02x}"


def class_text(mask: ByteSet) -> str:
    """A set as a character class, or as a single escaped byte."""
    values = members(mask)
    if len(values) == 1:
        return _escape(values[0])
    out, i = [], 0
    while i < len(values):
        j = i
        while j + 1 < len(values) and values[j + 1] == values[j] + 1:
            j += 1
        out.append(_escape(values[i]) if j == i else f"{_escape(values[i])}-{_escape(values[j])}")
        i = j + 1
    return f"[{''.join(out)}]"


def _class_words(items: Sequence[tuple[Any, Any]]) -> list[tuple[ByteSet, ...]]:
    """A class as alternatives: its ASCII bytes at once, others alone (the parser makes a class of `京|津`)."""
    wide = [value for kind, value in items if kind is op.LITERAL and value > 127]
    narrow = [item for item in items if item[0] is not op.LITERAL or item[1] < 128]
    words: list[tuple[ByteSet, ...]] = [(_class_mask(narrow),)] if narrow else []
    return words + [tuple(1 << b for b in chr(value).encode("utf-8")) for value in wide]


def _class_mask(items: Sequence[tuple[Any, Any]]) -> ByteSet:
    mask = 0
    for kind, value in items:
        if kind is op.LITERAL:
            mask |= 1 << value
        elif kind is op.RANGE and value[1] < 256:
            mask |= byteset(range(value[0], value[1] + 1))
        elif kind is op.CATEGORY and value is op.CATEGORY_DIGIT:
            mask |= DIGITS
        elif kind is op.CATEGORY and value is op.CATEGORY_SPACE:
            mask |= byteset(_BLANKS)
        else:
            raise ValueError(f"{kind} {value} is not in the pattern subset")
    return mask


def _both_cases(mask: ByteSet) -> ByteSet:
    lower, upper = byteset(range(97, 123)), byteset(range(65, 91))
    return mask | (mask & lower) >> 32 | (mask & upper) << 32


def _parse(regex: str) -> Any:
    return parser.parse(regex, re.ASCII)


def _emit(tree: Any, group: tuple[str, str]) -> str:
    out = []
    for kind, value in tree:
        if kind is op.LITERAL:
            out.append("".join(_escape(b) for b in chr(value).encode("utf-8")))
        elif kind is op.IN:
            words = _class_words(value)
            texts = ["".join(class_text(mask) for mask in word) for word in words]
            out.append(texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})")
        elif kind is op.BRANCH:
            out.append("(?:" + "|".join(_emit(branch, group) for branch in value[1]) + ")")
        elif kind is op.SUBPATTERN:
            opening, closing = group if value[0] is not None else ("(?:", ")")
            out.append(f"{opening}{_emit(value[3], group)}{closing}")
        elif kind is op.MAX_REPEAT:
            low, high, inner = value
            many = "" if high == parser.MAXREPEAT else str(high)
            body = _emit(inner, group)
            out.append(f"(?:{body}){{{low},{many}}}" if low != high else f"(?:{body}){{{low}}}")
        else:
            raise ValueError(f"{kind} is not in the pattern subset")
    return "".join(out)


def to_bytes(regex: str) -> bytes:
    """The pattern over UTF-8 bytes without captures, ASCII text.

    Raises:
        ValueError: outside the subset; packs are checked when they load.
    """
    return _emit(_parse(regex), ("(?:", ")")).encode("ascii")


def core(regex: str) -> bytes:
    """A pattern every match holds a match of, cheaper to look for: around an `@`, else without open ends.

    Repeats at either end are cut to their least count, so that a match is reported once and not at each of its ends.
    """
    items = list(_parse(regex))
    for i, (kind, value) in enumerate(items):
        if kind is op.LITERAL and value == ord("@") and 0 < i < len(items) - 1:
            return _emit([*_least(items[i - 1]), items[i], *_least(items[i + 1])], ("(?:", ")")).encode("ascii")
    first, last = 0, len(items) - 1
    head: list[Any] = []
    while first < last and items[first][0] is op.MAX_REPEAT and not head:
        head = _least(items[first])
        first += 1
    tail: list[Any] = []
    while last > first and items[last][0] is op.MAX_REPEAT and not tail:
        tail = _least(items[last])
        last -= 1
    return _emit([*head, *items[first : last + 1], *tail], ("(?:", ")")).encode("ascii")


def _least(item: tuple[Any, Any]) -> list[Any]:
    """An item repeated no more often than it must be."""
    kind, value = item
    if kind is not op.MAX_REPEAT:
        return [item]
    return [(kind, (value[0], value[0], value[2]))] if value[0] else []


def bounded(regex: str, left: str, right: str) -> bytes:
    """The pattern over UTF-8 bytes with look-around about its value: the capture group, or all of it where none is.

    Raises:
        ValueError: outside the subset.
    """
    tree = _parse(regex)
    if tree.state.groups > 1:
        return _emit(tree, (f"{left}(", f"){right}")).encode("ascii")
    return f"{left}(?:{_emit(tree, ('(?:', ')'))}){right}".encode("ascii")


def width(regex: str) -> tuple[int, int]:
    """Shortest and longest match in bytes."""
    low, high = parser.parse(to_bytes(regex), 0).getwidth()
    return int(low), int(high)


def sequences(regex: str, *, caseless: bool = False) -> list[tuple[ByteSet, ...]] | None:
    """Fixed-length words of byte sets that cover the pattern; None where they are too many or too long to list."""
    words = _expand(_parse(regex))
    if words is None or not caseless:
        return words
    return [tuple(_both_cases(mask) for mask in word) for word in words]


_MAX_WORDS: Final = 96
_MAX_WORD: Final = 96

_Word = tuple[ByteSet, ...]


def _united(words: Iterable[_Word]) -> list[_Word] | None:
    """Words alike in length and in where digits stand, united."""
    out: dict[bytes, _Word] = {}
    for word in words:
        if len(word) > _MAX_WORD:
            return None
        kind = bytes((2 if mask & ~DIGITS == 0 else 1 if mask & DIGITS else 0) for mask in word)
        known = out.get(kind)
        out[kind] = word if known is None else tuple(a | b for a, b in zip(known, word, strict=True))
        if len(out) > _MAX_WORDS:
            return None
    return list(out.values())


def _expand(tree: Any) -> list[_Word] | None:
    words: list[_Word] | None = [()]
    for kind, value in tree:
        parts: list[_Word] | None
        if kind is op.LITERAL:
            parts = [tuple(1 << b for b in chr(value).encode("utf-8"))]
        elif kind is op.IN:
            parts = _class_words(value)
        elif kind is op.BRANCH:
            parts = []
            for branch in value[1]:
                inner = _expand(branch)
                if inner is None:
                    return None
                parts += inner
            parts = _united(parts)
        elif kind is op.SUBPATTERN:
            parts = _expand(value[3])
        elif kind is op.MAX_REPEAT:
            parts = _expand_repeat(value[0], value[1], value[2])
        else:
            raise ValueError(f"{kind} is not in the pattern subset")
        if parts is None or words is None:
            return None
        words = _united(word + part for word in words for part in parts)
    return words


def _expand_repeat(low: int, high: int, tree: Any) -> list[_Word] | None:
    inner = _expand(tree)
    if inner is None or high == parser.MAXREPEAT or high > _MAX_WORD:
        return None
    words: list[_Word] | None = [()]
    out: list[_Word] = []
    for count in range(int(high) + 1):
        if words is None:
            return None
        if count >= low:
            out += words
        if count < high:
            words = _united(word + part for word in words for part in inner)
    return _united(out)
