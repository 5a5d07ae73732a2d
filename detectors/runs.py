"""Digit runs of eleven digits or more, found and sieved with numpy: what pattern engines do badly.

In: a block of bytes. Out: places where a shape of the digit-run table may begin. A run of eleven digits holds two whole
aligned 4-byte words of digits wherever it starts, so one pass over 32-bit words finds all of them; every run is then
sieved by length, by the bytes the table allows at each position, and by check digits where the validator is known to
insist on them. A sieve may let too much pass, never too little: patterns and validators decide.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.byteregex import DIGITS, members
from detectors.shapes import CODE_LETTERS, MAX_CODE, MAX_RUN, RUN_DIGITS, RunRow

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.intp]
_FRONT: Final = bytes(4)  # keeps the alignment and lets a run at the very start look back
BACK: Final = (MAX_CODE + 8) // 4 * 4  # bytes behind the text, so that no look ahead leaves the array
_ZERO: Final[_Places] = np.zeros(1, np.intp)
_CODE_BYTE: Final[npt.NDArray[np.bool_]] = np.isin(
    np.arange(256), np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
)
_NONE: Final[_Places] = np.empty(0, np.intp)


def digit_runs(data: _Bytes) -> tuple[_Places, _Places]:
    """Starts and lengths of maximal runs of RUN_DIGITS to MAX_RUN digits, ascending.

    Args:
        data: uint8, the text between four bytes before it and at least BACK - 3 after it that are no digits, its
            length a multiple of four. Starts count in `data`.
    """
    words = data.view("<u4")
    index = np.flatnonzero((words & 0xF0F0F0F0) == 0x30303030)
    if len(index) < 2:
        return _NONE, _NONE
    value = words[index]
    index = index[((value + 0x06060606) & 0xF0F0F0F0) == 0x30303030]  # 0x3A-0x3F are no digits
    step = np.flatnonzero(np.diff(index) != 1)
    first = np.concatenate((_ZERO, step + 1)) if len(index) else _NONE
    last = np.concatenate((step, [len(index) - 1])) if len(index) else _NONE
    long = last > first  # two words or more
    begin, end = index[first[long]] * 4, index[last[long]] * 4 + 4
    starts, ends = begin.copy(), end.copy()
    more, further = np.ones(len(begin), bool), np.ones(len(begin), bool)
    for distance in (1, 2, 3):
        more &= (data[begin - distance] - 48) < 10
        starts -= more
        further &= (data[end + distance - 1] - 48) < 10
        ends += further
    lengths = ends - starts
    keep = (lengths >= RUN_DIGITS) & (lengths <= MAX_RUN)
    return starts[keep], lengths[keep]


def code_runs(data: _Bytes, plain: tuple[_Places, _Places]) -> tuple[_Places, _Places]:
    """Starts and lengths of maximal runs of CODE_LETTERS to MAX_CODE capitals and digits, ascending; as digit_runs.

    Such a run holds three samples in a row where every fifth byte is looked at. Runs of digits alone are left out as
    far as `plain`, the answer of digit_runs, knows them.
    """
    sampled = data[::5].copy()
    sample = ((sampled - 48) < 10) | ((sampled - 65) < 26)
    index = np.flatnonzero(sample[:-2] & sample[1:-1] & sample[2:]) * 5
    if len(index) == 0:
        return _NONE, _NONE
    # The three samples may lie in different runs; a run is taken at its first sample only.
    starts = index.copy()
    more = np.ones(len(index), bool)
    for distance in range(1, 6):
        more &= _CODE_BYTE[data[np.maximum(index - distance, 0)]]
        starts -= more
    starts = starts[~more]
    begins, sizes = plain
    if len(begins):
        ends = begins + sizes
        alone = begins[~_CODE_BYTE[data[ends]]]
        if len(alone):
            place = np.minimum(np.searchsorted(alone, starts), len(alone) - 1)
            starts = starts[alone[place] != starts]
    for distance in range(1, CODE_LETTERS):
        starts = starts[_CODE_BYTE[data[starts + distance]]]
    if len(starts) == 0:
        return _NONE, _NONE
    window = _CODE_BYTE[data[starts[:, None] + np.arange(MAX_CODE + 1)]]
    lengths = np.where(window.all(axis=1), MAX_CODE + 1, window.argmin(axis=1))
    keep = lengths <= MAX_CODE
    return starts[keep], lengths[keep]


def _luhn(text: _Bytes) -> npt.NDArray[np.bool_]:
    value = (text - 48).astype(np.int16)
    value[:, -2::-2] *= 2
    value -= 9 * (value > 9)
    return np.asarray(value.sum(axis=1) % 10 == 0)


def _mod_11_2(text: _Bytes) -> npt.NDArray[np.bool_]:
    """GB 11643 where the check character is a digit; other widths pass."""
    if text.shape[1] != 18:
        return np.ones(len(text), bool)
    weights = np.array([2 ** (17 - i) % 11 for i in range(18)], np.int16)
    return np.asarray(((text - 48).astype(np.int16) * weights).sum(axis=1) % 11 == 1)


_CREDIT_CODE: Final = np.full(256, 127, np.int16)
_CREDIT_CODE[np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)] = np.arange(31)


def _mod_31(text: _Bytes) -> npt.NDArray[np.bool_]:
    """GB 32100: weights 3^i, the sum with the check character a multiple of 31."""
    if text.shape[1] != 18:
        return np.ones(len(text), bool)
    weights = np.array([3**i % 31 for i in range(17)] + [1], np.int16)
    return np.asarray((_CREDIT_CODE[text] * weights).sum(axis=1) % 31 == 0)


# Validators that always insist on a check digit: name -> sieve of an n × length matrix of characters.
SIEVES: Final[Mapping[str, Callable[[_Bytes], npt.NDArray[np.bool_]]]] = MappingProxyType(
    {
        "bank_card": _luhn,
        "cn_foreigner_pr_card": _mod_11_2,
        "cn_residence_permit_hmt": _mod_11_2,
        "cn_resident_id": _mod_11_2,
        "cn_uscc": _mod_31,
        "imei": _luhn,
    }
)


class _Row:
    """A table row with its look-up tables."""

    __slots__ = ("lead", "shape", "sieve", "tables")

    def __init__(self, row: RunRow, validator: str) -> None:
        self.shape = row.shape
        self.lead = row.lead
        self.sieve = SIEVES.get(validator) if row.whole else None
        self.tables: list[tuple[int, npt.NDArray[np.bool_]]] = []
        for position, mask in enumerate(row.around, -1):
            inside = 0 <= position < row.length
            if inside and mask == DIGITS:
                continue
            table = np.zeros(256, bool)
            table[members(mask)] = True
            self.tables.append((position, table))
        # The second digit of an identifier, the year of a date: positions inside first, they reject most.
        self.tables.sort(key=lambda item: (not 0 <= item[0] < row.length, item[1].sum()))


class RunTable:
    """The digit-run rows of some shapes, ready to use."""

    def __init__(self, rows: Sequence[RunRow], validators: Mapping[int, str]) -> None:
        """Build the table.

        Args:
            rows: rows of shapes.RunRow.
            validators: shape index -> name of its validator.
        """
        self._digits: dict[int, list[_Row]] = {}
        self._codes: dict[int, list[_Row]] = {}
        for row in rows:
            table = self._codes if row.code else self._digits
            table.setdefault(row.length, []).append(_Row(row, validators.get(row.shape, "")))

    def find(self, text: bytes) -> list[tuple[int, int]]:
        """(start of a possible match, shape index), in no order."""
        out: list[tuple[int, int]] = []
        if not self._digits and not self._codes:
            return out
        data = np.frombuffer(_FRONT + text + bytes(BACK - len(text) % 4), np.uint8)
        plain = digit_runs(data)
        if self._digits:
            _sift(data, *plain, self._digits, out)
        if self._codes:
            _sift(data, *code_runs(data, plain), self._codes, out)
        return out


def _sift(
    data: _Bytes, starts: _Places, lengths: _Places, table: dict[int, list[_Row]], out: list[tuple[int, int]]
) -> None:
    if len(starts) == 0:
        return
    for length, rows in table.items():
        at = starts[lengths == length]
        if len(at) == 0:
            continue
        for row in rows:
            passed = at
            for position, allowed in row.tables:
                passed = passed[allowed[data[passed + position]]]
                if len(passed) == 0:
                    break
            if row.sieve is not None and len(passed):
                passed = passed[row.sieve(data[passed[:, None] + np.arange(length)])]
            shift = 4 + row.lead
            out += [(place - shift, row.shape) for place in passed.tolist()]
