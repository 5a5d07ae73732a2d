"""Check-digit arithmetic against python-stdnum and published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn as stdnum_luhn
from stdnum.iso7064 import mod_11_2 as stdnum_mod_11_2
from stdnum.iso7064 import mod_11_10 as stdnum_mod_11_10

from detectors.checksums import is_date, luhn, luhn_digit, mod_11_2, mod_11_10, mrz_digit, org_code_digit, weighted_sum

DIGITS = st.text("0123456789", min_size=2, max_size=24)


@given(DIGITS)
def test_luhn(value: str) -> None:
    assert luhn(value) == stdnum_luhn.is_valid(value)
    assert luhn(value + luhn_digit(value))


@given(DIGITS)
def test_iso_7064(value: str) -> None:
    assert mod_11_2(value) == stdnum_mod_11_2.calc_check_digit(value)
    assert mod_11_10(value) == stdnum_mod_11_10.calc_check_digit(value)


@pytest.mark.parametrize(
    ("field", "digit"), [("L898902C3", "6"), ("740812", "2"), ("120415", "9"), ("ZE184226B<<<<<", "1"), ("<<<<<<", "0")]
)
def test_icao_specimen(field: str, digit: str) -> None:
    assert mrz_digit(field) == digit


@pytest.mark.parametrize(("body", "check"), [("60003734", "1"), ("D2143569", "X")])
def test_organisation_code(body: str, check: str) -> None:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c) * w for c, w in zip(body, weights, strict=True))
    assert org_code_digit(body) == "0123456789X"[-total % 11]
    assert org_code_digit(body) == check


def test_weighted_sum() -> None:
    assert weighted_sum("123", (1, 10, 100)) == 321


@pytest.mark.parametrize(
    ("date", "real"),
    [
        ((2000, 2, 29), True),
        ((1900, 2, 29), False),
        ((2023, 2, 29), False),
        ((2024, 4, 31), False),
        ((2024, 12, 31), True),
        ((2024, 13, 1), False),
        ((2024, 1, 0), False),
    ],
)
def test_is_date(date: tuple[int, int, int], real: bool) -> None:
    assert is_date(*date) is real
