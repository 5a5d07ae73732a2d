"""Overlap policies on a picture: one letter per byte, letter = segment."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.flow.overlap import Piece, insert


def build(segments: list[tuple[int, bytes]], policy: str) -> tuple[str, int, bool]:
    held: list[Piece] = []
    lost, differs = 0, False
    for start, data in segments:
        gone, odd = insert(held, Piece(start, start + len(data), data, -1, 0, 0), policy)
        lost, differs = lost + gone, differs or odd
    assert all(a.end <= b.start for a, b in pairwise(held))
    assert all(len(one.data) == one.end - one.start > 0 for one in held)
    end = max(one.end for one in held)
    row = bytearray(b"." * end)
    for one in held:
        row[one.start : one.end] = one.data
    return row.decode("latin-1"), lost, differs


@pytest.mark.parametrize(
    ("segments", "first", "last", "linux", "windows"),
    [
        # newer begins later, runs past
        ([(2, b"AAAA"), (4, b"BBBB")], "..AAAABB", "..AABBBB", "..AAAABB", "..AAAABB"),
        # newer begins earlier
        ([(4, b"AAAA"), (2, b"BBBB")], "..BBAAAA", "..BBBBAA", "..BBBBAA", "..BBBBAA"),
        # newer inside
        ([(2, b"AAAAAA"), (4, b"BB")], "..AAAAAA", "..AABBAA", "..AAAAAA", "..AAAAAA"),
        # newer covers
        ([(4, b"AA"), (2, b"BBBBBB")], "..BBAABB", "..BBBBBB", "..BBBBBB", "..BBBBBB"),
        # same beginning, longer
        ([(2, b"AA"), (2, b"BBBB")], "..AABB", "..BBBB", "..BBBB", "..AABB"),
        # same beginning, shorter
        ([(2, b"AAAA"), (2, b"BB")], "..AAAA", "..BBAA", "..AAAA", "..AAAA"),
        # same place
        ([(2, b"AAAA"), (2, b"BBBB")], "..AAAA", "..BBBB", "..AAAA", "..AAAA"),
        # bridging two
        ([(2, b"AA"), (6, b"CC"), (3, b"BBBB")], "..AABBCC", "..ABBBBC", "..AABBBC", "..AABBBC"),
    ],
)
def test_who_wins(segments, first, last, linux, windows):
    for policy, row in (("first", first), ("last", last), ("linux", linux), ("windows", windows)):
        assert build(segments, policy)[0] == row, policy
        assert build(segments, policy)[2]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=1, max_size=8)), min_size=1, max_size=8),
    st.sampled_from(("first", "last", "linux", "windows")),
)
def test_pieces_stay_disjoint_and_every_byte_is_kept_or_lost(segments, policy):
    row, lost, differs = build(segments, policy)
    covered = {at for start, data in segments for at in range(start, start + len(data))}
    assert lost == sum(len(data) for _, data in segments) - len(covered)
    values: dict[int, list[int]] = {}
    for start, data in segments:
        for at, value in enumerate(data, start):
            values.setdefault(at, []).append(value)
    assert not (differs and all(len(set(one)) == 1 for one in values.values()))
    for at, seen in values.items():
        assert ord(row[at]) in seen
        if policy in ("first", "last"):
            assert ord(row[at]) == seen[0 if policy == "first" else -1]


def test_bytes_replace_what_the_snap_length_cut():
    held: list[Piece] = []
    insert(held, Piece(0, 6, None, -1, 0, 0), "first")
    assert insert(held, Piece(2, 4, b"XX", -1, 0, 0), "first") == (0, False)
    assert [(one.start, one.end, one.data) for one in held] == [(0, 2, None), (2, 4, b"XX"), (4, 6, None)]
    assert insert(held, Piece(1, 5, None, -1, 0, 0), "last") == (0, False)
    assert [(one.start, one.end, one.data) for one in held] == [(0, 2, None), (2, 4, b"XX"), (4, 6, None)]
