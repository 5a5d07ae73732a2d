"""Resident identity numbers and their relatives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from detectors.checksums import is_date, mod_11_2
from detectors.validators.cn_resident_id import check_foreigner, check_permit, check_resident, check_resident_15
from tests.detectors.validators.kit import neighbours_swapped, one_digit_changed

COUNTIES = ("110108", "310115", "440305", "330106", "510107", "420106", "370202", "610113")
BIRTH = st.tuples(st.integers(1993, 2010), st.integers(1, 12), st.integers(1, 28))


@st.composite
def numbers(draw: st.DrawFn, regions: tuple[str, ...] = COUNTIES) -> str:
    year, month, day = draw(BIRTH)
    body = f"{draw(st.sampled_from(regions))}{year}{month:02d}{day:02d}{draw(st.integers(0, 999)):03d}"
    return body + mod_11_2(body)


@given(numbers())
def test_valid(value: str) -> None:
    assert check_resident(value) == "yes"
    assert check_resident(value.lower()) == "yes"
    assert ric.is_valid(value)


@given(numbers())
def test_any_changed_digit_fails(value: str) -> None:
    """MOD 11-2 finds every single error and every exchange of neighbours."""
    for near in (*one_digit_changed(value), *neighbours_swapped(value)):
        assert check_resident(near) == "no", near


@given(numbers())
def test_separators_of_one_kind(value: str) -> None:
    for mark in " -.":
        assert check_resident(mark.join((value[:6], value[6:14], value[14:]))) == "yes"
        assert check_resident(mark.join((value[:3], value[3:6], value[6:10], value[10:14], value[14:]))) == "yes"
    assert check_resident(f"{value[:6]}-{value[6:14]} {value[14:]}") == "no"
    assert check_resident(f"{value[:4]}-{value[4:]}") == "no"


def complete(body: str) -> str:
    return body + mod_11_2(body)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (complete("11010819900307123"), "yes"),
        (complete("11010818800307123"), "no"),  # born 1880
        (complete("11010820360307123"), "no"),  # after every year the tables know
        (complete("11010819900230123"), "no"),  # 30 February
        (complete("11010819901307123"), "no"),  # month 13
        (complete("99010819900307123"), "no"),  # no such province
        (complete("11999919900307123"), "unsure"),  # no county of the table
        (complete("11000019900307123"), "no"),  # a province is no county
        (complete("71000019900307123"), "yes"),  # Taiwan has no counties in the table
        (complete("81000019900307123"), "no"),  # a permit, not a resident number
        ("1101081990030712", "no"),
        ("", "no"),
        ("１" * 18, "no"),
        ("X" * 18, "no"),
    ],
)
def test_table(value: str, verdict: str) -> None:
    assert check_resident(value) == verdict


def test_county_and_time() -> None:
    """Pudong (310115) came into being in 1992, Nanshi (310102) went in 2000: who was born before 1984 was numbered later."""
    assert check_resident(complete("31011519600307123")) == "yes"
    assert check_resident(complete("31011519950307123")) == "yes"
    assert check_resident(complete("31010219950307123")) == "yes"
    assert check_resident(complete("31010220050307123")) == "unsure"


@given(st.text(max_size=24))
def test_total(text: str) -> None:
    for check in (check_resident, check_resident_15, check_permit, check_foreigner):
        assert check(text) in {"yes", "no", "unsure"}


def second_opinion(value: str) -> bool:
    """stdnum's answer; for some unknown counties it raises KeyError, which means no."""
    try:
        return ric.is_valid(value)
    except KeyError:
        return False


@given(
    st.sampled_from(["11", "31", "44", "51", "65"]), st.integers(1, 9999), st.integers(1940, 2010), st.integers(1, 12)
)
def test_second_opinion(province: str, county: int, year: int, month: int) -> None:
    """Whatever stdnum accepts is a yes here; a yes that it rejects is a county founded after the birth year."""
    value = complete(f"{province}{county:04d}{year}{month:02d}07123")
    if second_opinion(value):
        assert check_resident(value) == "yes"
    elif check_resident(value) == "yes":
        later = (complete(f"{value[:6]}{birth}{value[10:17]}") for birth in range(year, 2025))
        assert any(second_opinion(other) for other in later)


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_permit(region: str) -> None:
    value = complete(f"{region}19850612004")
    assert check_permit(value) == "yes"
    assert check_resident(value) == "no"
    assert all(check_permit(near) == "no" for near in one_digit_changed(value))


def test_foreigner() -> None:
    value = complete("91184019880512001")
    assert check_foreigner(value) == "yes"
    assert all(check_foreigner(near) == "no" for near in one_digit_changed(value))
    assert check_foreigner("USA110190030712") == "unsure"
    assert check_foreigner("USA110190130712") == "no"
    assert check_foreigner("US1110190030712") == "no"


@given(
    st.sampled_from(["110108", "310104", "440301"]),
    st.integers(40, 99),
    st.integers(0, 13),
    st.integers(0, 32),
    st.integers(0, 999),
)
def test_old_form(region: str, year: int, month: int, day: int, serial: int) -> None:
    verdict = check_resident_15(f"{region}{year:02d}{month:02d}{day:02d}{serial:03d}")
    assert verdict in {"no", "unsure"}
    if not is_date(1900 + year, month, day):
        assert verdict == "no"


def test_old_form_examples() -> None:
    assert check_resident_15("110108680612004") == "unsure"
    assert check_resident_15("990108680612004") == "no"
    assert check_resident_15("11010868061200X") == "no"
