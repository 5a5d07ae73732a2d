"""The registry, and the pass rates that packs promise: measured with seeded random strings of each shape."""

import random
import re
from re import _constants as op
from re import _parser as parser

import pytest

from detectors.pack import load_packs, shipped_packs
from detectors.validators import load_validators

PACKS = load_packs([shipped_packs() / "identifiers"])
RATES = {entity.id: entity for pack in PACKS for entity in pack.entities}


def test_names_are_known_and_documented() -> None:
    validators = load_validators()
    assert {"cn_resident_id", "bank_card", "email"} <= set(validators)
    assert all(validator.doc and validator.name == name for name, validator in validators.items())


def random_text(regex: str, source: random.Random) -> str:
    """A random string of a simple shape: classes and counts, first alternative weights equal."""

    def walk(tree) -> str:
        out = []
        for kind, value in tree:
            if kind is op.LITERAL:
                out.append(chr(value))
            elif kind is op.IN:
                chars = [chr(c) for k, v in value for c in (range(v[0], v[1] + 1) if k is op.RANGE else [v])]
                out.append(source.choice(chars))
            elif kind is op.MAX_REPEAT:
                out += [walk(value[2]) for _ in range(source.randint(value[0], int(value[1])))]
            elif kind is op.SUBPATTERN:
                out.append(walk(value[3]))
            elif kind is op.BRANCH:
                out.append(walk(source.choice(value[1])))
        return "".join(out)

    return walk(parser.parse(regex, re.ASCII))


@pytest.mark.parametrize(
    "name",
    [
        "bank_card",
        "cn_uscc",
        "cn_residence_permit_hmt",
        "hk_id",
        "tw_national_id",
        "imei",
        "vin",
        "us_ssn",
        "cn_landline",
        "geo_coordinate",
    ],
)
def test_pass_rate_of_the_pattern_is_at_most_the_check_digit(name: str) -> None:
    """Of random strings that already have the shape, no more pass than the arithmetic allows (three standard errors over)."""
    allowed = {
        "bank_card": 0.1, "cn_uscc": 1 / 31, "cn_residence_permit_hmt": 1 / 11, "hk_id": 1 / 11, "tw_national_id": 0.1, "imei": 0.1,
        "vin": 0.1, "us_ssn": 0.99, "cn_landline": 0.9, "geo_coordinate": 0.7,
    }[name]  # fmt: skip
    source = random.Random(20261124)
    entity, trials = RATES[name], 3000
    check = load_validators()[entity.validator].check
    passed = sum(check(random_text(entity.patterns[0].regex, source)) != "no" for _ in range(trials))
    assert passed <= trials * allowed + 3 * (trials * allowed * (1 - allowed)) ** 0.5
    assert passed < trials


def random_digits_rate(name: str, length: int, trials: int, *refused: str) -> float:
    source = random.Random(7)
    check = load_validators()[name].check
    refused = refused or ("no",)
    return sum(check("".join(source.choices("0123456789", k=length))) not in refused for _ in range(trials)) / trials


def test_random_digits_rarely_pass() -> None:
    """The rates that identifiers of digits promise to the column rule, on strings of random digits."""
    assert random_digits_rate("cn_resident_id", 18, 30_000) <= 6 / 30_000
    for length in (15, 16, 17, 18, 19):
        assert (
            random_digits_rate("bank_card", length, 10_000, "no", "unsure") <= RATES["bank_card"].random_pass_rate * 4
        )  # few events
    assert random_digits_rate("cn_mobile", 11, 30_000) == pytest.approx(0.056, abs=0.006)
    assert random_digits_rate("imei", 15, 30_000) == pytest.approx(0.016, abs=0.004)
    assert random_digits_rate("cn_resident_id_15", 15, 30_000) <= RATES["cn_resident_id_15"].random_pass_rate
