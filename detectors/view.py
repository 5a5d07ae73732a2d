"""A text as it is scanned, and the way back to the bytes it came from.

In: bytes and rewriting rules. Out: `View`: UTF-8 text between two line feeds, an offset map, the names of the
transformations. A map costs nothing until a finding asks for its offset.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Protocol


class Step(Protocol):
    """One transformation of a text: how positions go back and forth. Both ways are monotone."""

    name: str

    def back(self, position: int) -> int:
        """Position in the text before the step."""

    def forth(self, position: int) -> int:
        """First position in the new text that goes back to `position` or beyond."""

    def touches(self, start: int, end: int) -> bool:
        """True where the step changed something in start…end (new positions)."""


class Rewritten:
    """Pieces were replaced by others, the rest stayed."""

    def __init__(self, name: str, pieces: list[tuple[int, int, int, int]]) -> None:
        """`pieces`: (old start, old end, new start, new end), ascending."""
        self.name = name
        self._old = [piece[0] for piece in pieces]
        self._new = [piece[2] for piece in pieces]
        self._pieces = pieces

    def back(self, position: int) -> int:
        """See Step: inside a replaced piece the proportional place."""
        at = bisect_right(self._new, position) - 1
        if at < 0:
            return position
        old_start, old_end, new_start, new_end = self._pieces[at]
        if position < new_end:
            return old_start + (position - new_start) * (old_end - old_start) // (new_end - new_start)
        return old_end + position - new_end

    def forth(self, position: int) -> int:
        """See Step."""
        at = bisect_right(self._old, position) - 1
        if at < 0:
            return position
        old_start, old_end, new_start, new_end = self._pieces[at]
        if position >= old_end:
            return new_end + position - old_end
        size = old_end - old_start
        return new_start - (-(position - old_start) * (new_end - new_start) // size)

    def touches(self, start: int, end: int) -> bool:
        """See Step."""
        at = bisect_left(self._new, end)
        return (
            at > 0
            and self._pieces[at - 1][3] >= start
            and (self._pieces[at - 1][3] > start or self._pieces[at - 1][2] == self._pieces[at - 1][3])
        )


class Shifted:
    """The text moved by a constant."""

    name = ""

    def __init__(self, shift: int) -> None:
        self._shift = shift

    def back(self, position: int) -> int:
        """See Step."""
        return position - self._shift

    def forth(self, position: int) -> int:
        """See Step."""
        return position + self._shift

    def touches(self, start: int, end: int) -> bool:
        """See Step."""
        return start > end


class View:
    """A scanned text.

    Attributes:
        text: UTF-8 (or raw bytes where no charset fits), beginning and ending with a line feed.
        charset: what the original bytes were read as.
        steps: transformations in the order they were applied.
    """

    __slots__ = ("charset", "steps", "text")

    def __init__(self, text: bytes, charset: str, steps: tuple[Step, ...]) -> None:
        self.text = text
        self.charset = charset
        self.steps = steps

    def origin(self, position: int) -> int:
        """Offset in the original bytes."""
        for step in reversed(self.steps):
            position = step.back(position)
        return position

    def place(self, offset: int) -> int:
        """First position whose origin is `offset` or later."""
        for step in self.steps:
            offset = step.forth(offset)
        return offset

    def encoding(self, start: int, end: int) -> str:
        """Names of what stood between the original bytes and start…end, outermost first, joined by `/`."""
        names: list[str] = []
        for step in reversed(self.steps):
            if step.name and step.touches(start, end):
                names.append(step.name)
            start, end = step.back(start), max(step.back(end), step.back(start))
        if self.charset != "utf-8" and self.charset not in names:
            names.append(self.charset)
        names = list(dict.fromkeys(reversed(names)))
        return "/".join(names) if names else "utf-8"


def rewrite(view: View, pattern: re.Pattern[bytes], replace: Callable[[bytes], bytes], name: str) -> View:
    """`view` with every match of `pattern` replaced; the same view where nothing matched.

    Args:
        view: what to rewrite.
        pattern: must not match across the outer line feeds.
        replace: matched bytes to new bytes; returning the same bytes leaves the piece alone.
        name: of the step.
    """
    text = view.text
    parts: list[bytes] = []
    pieces: list[tuple[int, int, int, int]] = []
    at, size = 0, 0
    for match in pattern.finditer(text):
        start, end = match.span()
        old = match.group()
        new = replace(old)
        if new == old:
            continue
        parts += (text[at:start], new)
        size += start - at
        pieces.append((start, end, size, size + len(new)))
        size += len(new)
        at = end
    if not pieces:
        return view
    parts.append(text[at:])
    return View(b"".join(parts), view.charset, (*view.steps, Rewritten(name, pieces)))
