"""Published specimens and degenerate numbers."""

import pytest

from detectors.validators.testvalues import is_degenerate, is_test_value


@pytest.mark.parametrize(
    ("entity", "value", "known"),
    [
        ("bank_card", "4111111111111111", True),
        ("bank_card", "6222021234567890123", True),
        ("cn_resident_id", "110101199003070000", True),
        ("cn_mobile", "13800138000", True),
        ("us_ssn", "078051120", True),
        ("iban", "DE89370400440532013000", True),
        ("hk_id", "A1234563", True),
        ("tw_national_id", "A123456789", True),
        ("bank_card", "13800138000", False),  # the list is per entity
        ("cn_mobile", "13671234509", False),
        ("cn_mobile", "13666666666", True),
        ("cn_mobile", "13612345678", True),
        ("imei", "111111111111111", True),
        ("cn_landline", "01012345678", False),
        ("us_ssn", "123456789", True),
        ("us_ssn", "555555555", True),
        ("credential", "111111", False),  # a password indeed
        ("credential", "123456", False),
    ],
)
def test_values(entity: str, value: str, known: bool) -> None:
    assert is_test_value(entity, value) is known


@pytest.mark.parametrize(
    ("digits", "verdict"),
    [
        ("7777", True),
        ("777", False),
        ("123456", True),
        ("890123", True),
        ("987654", True),
        ("124578", False),
        ("1-2-3-4", True),
        ("", False),
    ],
)
def test_degenerate(digits: str, verdict: bool) -> None:
    assert is_degenerate(digits) is verdict
