"""Mobile numbers, fixed lines, plates, passports and permits of China."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.validators import cn_landline, cn_mobile, cn_passport, cn_plate


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("13671234509", "unsure"),
        ("19271234509", "unsure"),
        ("16571234509", "unsure"),
        ("+8613671234509", "yes"),
        ("+86 136-7123-4509", "yes"),
        ("008613671234509", "yes"),
        ("8613671234509", "yes"),
        ("136 7123 4509", "unsure"),
        ("136.7123.4509", "unsure"),
        ("136-7123 4509", "no"),
        ("14071234509", "no"),  # 13-digit machine numbers start so
        ("15471234509", "no"),
        ("16171234509", "no"),
        ("16191234509", "unsure"),
        ("161-9123-4509", "unsure"),
        ("17971234509", "no"),
        ("12371234509", "no"),
        ("1367123450", "no"),
        ("136712345091", "no"),
        ("１３６７１２３４５０９", "no"),
    ],
)
def test_mobile(text: str, verdict: str) -> None:
    assert cn_mobile.check(text) == verdict


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_mobile_second_opinion(text: str) -> None:
    """What the metadata of phonenumbers calls a Chinese mobile number is never refused (its table lags, so not the reverse)."""
    parsed = phonenumbers.parse(text, "CN")
    if phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE:
        assert cn_mobile.check(text) == "unsure"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("010-62713048", "unsure"),
        ("(021) 52713048", "unsure"),
        ("0755-83271304", "unsure"),
        ("075583271304", "unsure"),
        ("0991-3271304", "unsure"),
        ("0571-83271304-802", "unsure"),
        ("+86 10 6271 3048", "unsure"),
        ("+86-755-83271304", "unsure"),
        ("010-6271304", "no"),  # Beijing has eight digits
        ("026-62713048", "no"),  # not assigned
        ("0300-8327130", "no"),
        ("0755-18327130", "no"),  # 1… are services
        ("400-810-2713", "no"),
        ("8008102713", "no"),
        ("95588", "no"),
    ],
)
def test_landline(text: str, verdict: str) -> None:
    assert cn_landline.check(text) == verdict


@given(st.from_regex(r"0(10|2[0-9]|[3-9][0-9]{2})[2-8][0-9]{6,7}", fullmatch=True))
def test_landline_second_opinion(text: str) -> None:
    parsed = phonenumbers.parse(text, "CN")
    if (
        phonenumbers.is_valid_number(parsed)
        and phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE
    ):
        assert cn_landline.check(text) == "unsure", text


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("粤B6713K", "yes"),
        ("粤B6713", "no"),
        ("粤B6713K8", "no"),
        ("粤B67138", "yes"),
        ("粤B6K138", "yes"),
        ("粤B·6K138", "yes"),
        ("粤BD67138", "yes"),  # new energy, small
        ("粤B67138F", "yes"),  # new energy, large
        ("粤BL67138", "no"),  # no such class letter
        ("粤Z671A港", "yes"),
        ("京A6713警", "yes"),
        ("粤BKKK38", "no"),  # two digits only
        ("粤I67138", "no"),
        ("粤BO7138", "no"),
        ("国B67138", "no"),
        ("", "no"),
    ],
)
def test_plate(text: str, verdict: str) -> None:
    assert cn_plate.check(text) == verdict


@pytest.mark.parametrize(
    ("check", "text", "verdict"),
    [
        (cn_passport.check_passport, "EJ8798478", "unsure"),
        (cn_passport.check_passport, "E47518927", "unsure"),
        (cn_passport.check_passport, "g47518927", "unsure"),
        (cn_passport.check_passport, "PE4751892", "unsure"),
        (cn_passport.check_passport, "EI8798478", "no"),
        (cn_passport.check_passport, "E4751892", "no"),
        (cn_passport.check_passport, "E44444444", "no"),
        (cn_passport.check_passport, "X47518927", "no"),
        (cn_passport.check_home_return, "H47518927", "unsure"),
        (cn_passport.check_home_return, "M4751892701", "unsure"),
        (cn_passport.check_home_return, "H475189270", "no"),
        (cn_passport.check_taiwan, "04751892", "unsure"),
        (cn_passport.check_taiwan, "0475189201(B)", "unsure"),
        (cn_passport.check_taiwan, "0475189201", "no"),
        (cn_passport.check_outbound, "C47518927", "unsure"),
        (cn_passport.check_outbound, "CB4751892", "unsure"),
        (cn_passport.check_outbound, "CO4751892", "no"),
    ],
)
def test_passports_and_permits(check, text: str, verdict: str) -> None:
    assert check(text) == verdict


@given(st.text(max_size=20))
def test_total(text: str) -> None:
    for check in (
        cn_mobile.check,
        cn_landline.check,
        cn_plate.check,
        cn_passport.check_passport,
        cn_passport.check_taiwan,
    ):
        assert check(text) in {"yes", "no", "unsure"}
