"""Payment cards: Luhn, issuer, length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.checksums import luhn_digit
from detectors.validators.bank_card import check
from tests.detectors.validators.kit import one_digit_changed


def card(prefix: str, length: int, filler: str = "7310582946173058") -> str:
    body = prefix + filler[: length - len(prefix) - 1]
    return body + luhn_digit(body)


@pytest.mark.parametrize(
    ("prefix", "length", "verdict"),
    [
        ("622202", 19, "yes"),  # ICBC debit
        ("621700", 19, "yes"),  # CCB debit
        ("622848", 19, "yes"),  # ABC debit
        ("622588", 16, "yes"),  # CMB debit
        ("622260", 19, "yes"),  # BoComm debit
        ("622258", 17, "yes"),
        ("621205", 18, "yes"),
        ("621211", 18, "yes"),  # end of a range
        ("622202", 16, "unsure"),  # right prefix, length of no issuer
        ("629999", 16, "unsure"),  # unlisted 62
        ("629999", 15, "no"),
        ("4003", 16, "unsure"),  # Visa: one number in ten that starts with 4 passes
        ("4003", 17, "no"),
        ("51", 16, "unsure"),  # Mastercard
        ("56", 16, "no"),
        ("2221", 16, "unsure"),
        ("2720", 16, "unsure"),
        ("2721", 16, "no"),
        ("37", 15, "unsure"),  # American Express
        ("37", 16, "no"),
        ("3528", 16, "unsure"),  # JCB
        ("3527", 16, "no"),
        ("80", 16, "no"),
        ("17", 16, "no"),  # microsecond epochs start with 1
    ],
)
def test_issuer_and_length(prefix: str, length: int, verdict: str) -> None:
    assert check(card(prefix, length)) == verdict


@given(st.text("0123456789", min_size=12, max_size=12))
def test_any_changed_digit_fails(tail: str) -> None:
    value = "622202" + tail
    value += luhn_digit(value)
    assert check(value) == "yes"
    assert all(check(near) == "no" for near in one_digit_changed(value))


def test_groups() -> None:
    value = card("622848", 19)
    assert check(" ".join((value[:4], value[4:8], value[8:12], value[12:16], value[16:]))) == "yes"
    short = card("4003", 16)
    assert check("-".join((short[:4], short[4:8], short[8:12], short[12:]))) == "yes"
    assert check(f"{short[:4]}-{short[4:8]} {short[8:12]}-{short[12:]}") == "no"
    assert check(f"{short[:5]}-{short[5:]}") == "no"
    amex = card("37", 15)
    assert check(f"{amex[:4]} {amex[4:10]} {amex[10:]}") == "yes"


@given(st.text(max_size=24))
def test_total(text: str) -> None:
    assert check(text) in {"yes", "no", "unsure"}
