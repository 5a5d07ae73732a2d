"""Verdicts at the edges of the lines, and by the law of the day."""

import datetime as dt
from pathlib import Path

import pytest

from sensor.compliance.judge import SeverityLines, Shown, judge, severity
from sensor.compliance.rules import RuleError, load_rules

CN = load_rules([Path(__file__).parents[3] / "signatures" / "jurisdictions" / "cn.yaml"])
LINES = SeverityLines(medium=1, high=100, high_sensitive=10, critical=10_000)


def shown(persons=0, sensitive=0, classes=(), entities=("email",), day="2026-03-01"):
    stamp = dt.datetime.fromisoformat(f"{day}T12:00:00+08:00")
    return Shown(int(stamp.timestamp()) * 10**9, persons, sensitive, frozenset(classes), frozenset(entities))


def rules(facts):
    return [(v.rule, v.status) for v in judge(facts, CN, ["CN"]) if v.rule != "CN-ALL-01"]


@pytest.mark.parametrize(
    ("persons", "sensitive", "expected"),
    [
        (0, 0, []),
        (1, 0, [("CN-PI-05", "V1")]),
        (99_999, 0, [("CN-PI-05", "V1")]),
        (100_000, 0, [("CN-PI-03", "V4")]),
        (999_999, 0, [("CN-PI-03", "V4")]),
        (1_000_000, 0, [("CN-PI-01", "V5")]),
        (1, 1, [("CN-PI-04", "V4")]),
        (9_999, 9_999, [("CN-PI-04", "V4")]),
        (10_000, 10_000, [("CN-PI-02", "V5")]),
        (1_000_000, 10_000, [("CN-PI-01", "V5"), ("CN-PI-02", "V5")]),
    ],
)
def test_lines_of_the_2024_provisions(persons, sensitive, expected):
    assert rules(shown(persons, sensitive)) == expected


def test_important_data_indicators_ask_for_a_declaration_and_end_the_small_number_exemption():
    assert rules(shown(5, 0, classes=("IMP",))) == [("CN-ID-02", "V3")]


def test_secrecy_marking_comes_first():
    facts = shown(1, 1, classes=("IMP", "SPI"), entities=("secret_marking", "bank_card"))
    assert rules(facts) == [("CN-ALL-05", "V7"), ("CN-PI-04", "V4")]


def test_the_law_of_the_day_counts():
    assert rules(shown(100_000, 0, day="2024-03-21")) == [("CN-PI-2022", "V5")]
    assert rules(shown(100_000, 0, day="2024-03-22")) == [("CN-PI-03", "V4")]
    assert judge(shown(5, 0, day="2021-10-31"), CN, ["CN"]) == []


def test_numbers_stand_in_both_languages():
    first = judge(shown(7, 7), CN, ["CN"])[0]
    assert "7 people" in first.reason
    assert "7 人" in first.reason_zh


def test_rules_of_other_homes_stay_silent():
    assert judge(shown(5, 5), CN, ["DE"]) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (shown(0, 0, entities=()), "info"),
        (shown(0, 0, entities=("cn_uscc",)), "low"),
        (shown(1), "medium"),
        (shown(99, 9), "medium"),
        (shown(99, 10), "high"),
        (shown(100), "high"),
        (shown(0, 0, classes=("SEC",)), "high"),
        (shown(10_000), "critical"),
    ],
)
def test_severity(facts, expected):
    assert severity(facts, LINES) == expected


def test_a_bad_rule_file_is_named(tmp_path):
    bad = tmp_path / "xx.yaml"
    bad.write_text("jurisdiction: XX\nversion: '1'\nrules: [{rule: A}]\n")
    with pytest.raises(RuleError, match=r"xx\.yaml: .*article"):
        load_rules([bad])
