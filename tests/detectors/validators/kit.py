"""Near misses of an identifier: every change of one character that keeps its kind."""

from collections.abc import Iterator


def one_digit_changed(value: str) -> Iterator[str]:
    """Every value that differs from `value` in one digit."""
    for i, char in enumerate(value):
        if char.isdigit():
            yield from (value[:i] + other + value[i + 1 :] for other in "0123456789" if other != char)


def neighbours_swapped(value: str) -> Iterator[str]:
    """Every value with two different neighbouring digits exchanged."""
    for i in range(len(value) - 1):
        one, two = value[i], value[i + 1]
        if one != two and one.isdigit() and two.isdigit():
            yield value[:i] + two + one + value[i + 2 :]
