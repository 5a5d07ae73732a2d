"""Organisation codes, vehicles, accounts, devices, foreign identity numbers, machine-readable zones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import imei as stdnum_imei
from stdnum.cn import uscc as stdnum_uscc
from stdnum.us import ssn as stdnum_ssn

from detectors.checksums import luhn_digit, mrz_digit, org_code_digit
from detectors.validators import cn_uscc, coordinate, greater_china_id, iban, imei, mrz, us_ssn, vin
from tests.detectors.validators.kit import one_digit_changed

# --- USCC


@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8),
    st.sampled_from(["110108", "310115", "100000", "440305"]),
)
def test_uscc(core: str, region: str) -> None:
    body = "91" + region + core + org_code_digit(core)
    value = body + cn_uscc.check_character(body)
    assert cn_uscc.check(value) == "yes"
    assert stdnum_uscc.is_valid(value)
    assert all(cn_uscc.check(near) == "no" for near in one_digit_changed(value))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("91110000600037341L", "yes"),  # printed in public registers
        ("91110000600037341l", "yes"),
        ("91110000600037341M", "no"),
        ("91990000600037341L", "no"),
        ("9111000060003734IL", "no"),
        ("91110000600037341", "no"),
        ("", "no"),
    ],
)
def test_uscc_table(text: str, verdict: str) -> None:
    assert cn_uscc.check(text) == verdict


def test_uscc_with_wrong_inner_check_is_unsure() -> None:
    body = "91110108" + "MA01WFJY" + "0"
    assert org_code_digit("MA01WFJY") != "0"
    assert cn_uscc.check(body + cn_uscc.check_character(body)) == "unsure"


# --- VIN


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("1M8GDM9AXKP042788", "yes"),  # the standard's example
        ("1m8gdm9axkp042788", "yes"),
        ("1M8GDM9A1KP042788", "no"),
        ("WVWZZZ1JZ3W386752", "unsure"),  # European maker without check digit
        ("LVWZZZ1JZ3W386752", "no"),
        ("11111111111111111", "no"),  # digits only
        ("1M8GDM9AXKP04278A", "no"),
        ("IM8GDM9AXKP042788", "no"),
        ("1M8GDM9AXKP04278", "no"),
    ],
)
def test_vin(text: str, verdict: str) -> None:
    assert vin.check(text) == verdict


@given(st.from_regex(r"L[A-HJ-NPR-Z0-9]{7}0[A-HJ-NPR-TV-Y1-9][A-HJ-NPR-Z][0-9]{6}", fullmatch=True))
def test_vin_changed_digit_fails(body: str) -> None:
    value = body[:8] + vin.check_digit(body) + body[9:]
    assert vin.check(value) == "yes"
    assert all(vin.check(near) == "no" for near in one_digit_changed(value[:8]) for near in [near + value[8:]])


# --- IBAN


@given(st.text("0123456789", min_size=18, max_size=18))
def test_iban(body: str) -> None:
    rest = int("".join(str(int(c, 36)) for c in f"{body}DE00")) % 97
    value = f"DE{98 - rest:02d}{body}"
    assert iban.check(value) == "yes"
    assert stdnum_iban.is_valid(value)
    assert iban.check(" ".join(value[i : i + 4] for i in range(0, 22, 4))) == "yes"
    assert iban.check(value.lower()) == "yes"
    assert all(iban.check(near) == "no" for near in one_digit_changed(value))


@pytest.mark.parametrize(
    "text",
    [
        "DE8937040044053201300",
        "ZZ89370400440532013000",
        "DE89 370400 440532013000",
        "DE89-3704-0044-0532-0130-00",
        "",
        "DE",
        "GBAA370400440532013000",
    ],
)
def test_iban_refused(text: str) -> None:
    assert iban.check(text) == "no"


def test_iban_lengths_second_opinion() -> None:
    """Lengths per country against the registry of python-stdnum, through a body of zeros of each length."""
    for country, length in iban.LENGTHS.items():
        found = stdnum_iban._ibandb.info(f"{country}{'0' * 40}")[0][1].get("bban")
        if found:  # newer members of the registry may be missing there
            assert stdnum_iban._struct_to_re(found).pattern
            assert sum(int(n) for n in __import__("re").findall(r"(\d+)!", found)) + 4 == length, country


# --- US SSN


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999))
def test_ssn(area: int, group: int, serial: int) -> None:
    text = f"{area:03d}-{group:02d}-{serial:04d}"
    if us_ssn.check(text) == "no":
        assert not stdnum_ssn.is_valid(text)
    else:
        assert us_ssn.check(text) == "unsure"
        assert area not in {0, 666}
        assert area < 900
        assert group
        assert serial


@pytest.mark.parametrize("text", ["536-221234", "536 22-1234", "53622123", "5362212345", "536-22-123４"])
def test_ssn_shapes_refused(text: str) -> None:
    assert us_ssn.check(text) == "no"


# --- Hong Kong, Taiwan


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("A123456(3)", "yes"),  # specimen
        ("A1234563", "yes"),
        ("a123456(3)", "yes"),
        ("G123456(A)", "yes"),  # 7·1+6·2+… leaves 1: check character A
        ("A123456(4)", "no"),
        ("A123456(3", "no"),
        ("ABC123456(3)", "no"),
        ("A12345(3)", "no"),
    ],
)
def test_hong_kong(text: str, verdict: str) -> None:
    assert greater_china_id.check_hk(text) == verdict


@given(st.sampled_from(["A", "K", "Z", "WX", "XA"]), st.text("0123456789", min_size=6, max_size=6))
def test_hong_kong_changed_digit_fails(letters: str, digits: str) -> None:
    value = f"{letters}{digits}({greater_china_id.hk_check_character(letters, digits)})"
    assert greater_china_id.check_hk(value) == "yes"
    assert all(
        greater_china_id.check_hk(near) == "no"
        for near in one_digit_changed(value[:-2])
        for near in [near + value[-2:]]
    )


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("A123456789", "yes"),
        ("a123456789", "yes"),
        ("A123456788", "no"),
        ("A323456789", "no"),
        ("1123456789", "no"),
        ("A12345678", "no"),
    ],
)
def test_taiwan(text: str, verdict: str) -> None:
    assert greater_china_id.check_tw(text) == verdict


@given(
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    st.sampled_from("1289"),
    st.text("0123456789", min_size=7, max_size=7),
)
def test_taiwan_changed_digit(letter: str, kind: str, digits: str) -> None:
    """Weights 2, 4, 5, 6 and 8 share factors with 10, so only some single errors are promised to fail: those of the check digit
    and of the digits with weights 1, 3 and 7.
    """
    body = letter + kind + digits
    value = body + greater_china_id.tw_check_digit(body)
    assert greater_china_id.check_tw(value) == "yes"
    for place in (2, 6, 8, 9):  # weights 7, 3, 1, 1
        for other in "0123456789":
            if other != value[place]:
                assert greater_china_id.check_tw(value[:place] + other + value[place + 1 :]) == "no"


# --- IMEI


@given(st.sampled_from(["35", "86", "01"]), st.text("0123456789", min_size=12, max_size=12))
def test_imei(body: str, rest: str) -> None:
    value = body + rest
    value += luhn_digit(value)
    assert imei.check(value) == "yes"
    assert stdnum_imei.is_valid(value)
    assert all(imei.check(near) == "no" for near in one_digit_changed(value))


def test_imei_refused() -> None:
    assert imei.check("20" + "0" * 12 + luhn_digit("20" + "0" * 12)) == "no"
    assert imei.check("49015420323751") == "no"


# --- MRZ

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"


@pytest.mark.parametrize(("check", "text"), [(mrz.check_td3, TD3), (mrz.check_td1, TD1)])
def test_icao_specimens(check, text: str) -> None:
    assert check(text) == "yes"
    assert check(text.replace("\n", "\r\n")) == "yes"
    assert check(text.replace("\n", "\\n")) == "yes"
    assert check(text.replace("\n", "")) == "yes"
    assert check(text[:-1]) == "no"
    assert check(text.lower()) == "no"


def test_mrz_changed_digit_fails() -> None:
    line = TD3.splitlines()[1]
    assert mrz.check_td3(line) == "yes"
    assert all(mrz.check_td3(near) == "no" for near in one_digit_changed(line))
    card = TD1.splitlines()
    assert all(mrz.check_td1("".join((near, card[1], card[2]))) == "no" for near in one_digit_changed(card[0]))


def test_mrz_dates() -> None:
    number, birth, expiry, personal = "E12345678", "741331", "330101", "<" * 14
    line = f"{number}{mrz_digit(number)}CHN{birth}{mrz_digit(birth)}M{expiry}{mrz_digit(expiry)}{personal}<"
    line += mrz_digit(line[:10] + line[13:20] + line[21:43])
    assert mrz.check_td3(line) == "no"


# --- coordinates


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("31.2304,121.4737", "unsure"),
        ("121.4737;31.2304", "unsure"),
        ('"lat":31.230416,"lng":121.473701', "unsure"),
        ("-33.8568,151.2153", "unsure"),
        ("31.230,121.473", "no"),
        ("91.2304,121.4737", "no"),
        ("31.2304,181.4737", "no"),
        ("31.2304,31.2304", "no"),
        ("0.1234,0.4321", "no"),
        ("31.2304", "no"),
    ],
)
def test_coordinate(text: str, verdict: str) -> None:
    assert coordinate.check(text) == verdict


@given(st.text(max_size=100))
def test_total(text: str) -> None:
    checks = (
        cn_uscc.check,
        vin.check,
        iban.check,
        us_ssn.check,
        greater_china_id.check_hk,
        greater_china_id.check_tw,
        imei.check,
        mrz.check_td3,
        mrz.check_td1,
        coordinate.check,
    )
    for check in checks:
        assert check(text) in {"yes", "no", "unsure"}
