"""People are counted, not hits."""

import itertools

import pytest

from detectors.model import Finding, ScanResult
from sensor.limits import Limits
from sensor.transfer import LIMITS, Transfer, count_persons


@pytest.mark.parametrize(
    ("values", "links", "expected"),
    [
        ([], [], (0, 0)),
        ([("cn_resident_id", "Y", "a")], [], (1, 1)),
        ([("cn_resident_id", "Y", "a"), ("cn_mobile", "Y", "b")], [("a", "b")], (1, 1)),
        ([("cn_resident_id", "Y", "a"), ("cn_mobile", "Y", "b")], [], (1, 2)),
        ([("cn_mobile", "Y", "a"), ("cn_mobile", "Y", "b"), ("email", "Y", "c")], [("a", "c")], (2, 2)),
        ([("imei", "D", "x"), ("imei", "D", "y")], [], (0, 2)),
        ([("cn_uscc", "N", "o"), ("email", "S", "s")], [], (0, 0)),
    ],
)
def test_interval_of_people(values, links, expected):
    for order in itertools.permutations(values):
        persons = count_persons(order, links)
        assert (persons.min, persons.max) == expected


class Result:
    """What Transfer.add needs of a content."""

    def __init__(self, *tokens, is_field=False, skipped=(), complete=True):
        findings = tuple(
            Finding("cn_mobile", "PI", "Y", "138****0000", t, 0.8, 2, 0, "utf-8", "x", (), "p") for t in tokens
        )
        self.scan = ScanResult(findings, (), 10)
        self.path, self.is_field, self.skipped, self.complete, self.gap_bytes = "body", is_field, skipped, complete, 0


def limits(**overrides):
    return Limits(LIMITS, overrides)


def test_the_same_value_in_two_contents_counts_once_and_sums_occurrences():
    transfer = Transfer(0, limits())
    transfer.add(Result("a", "b"))
    transfer.add(Result("a"))
    assert {token: value.count for (_, token), value in transfer.values.items()} == {"a": 4, "b": 2}
    assert transfer.persons().max == 2


@pytest.mark.parametrize(("tokens", "kept", "beyond"), [(4, 4, 0), (5, 5, 0), (6, 5, 1)])
def test_values_beyond_the_cap_are_counted(tokens, kept, beyond):
    transfer = Transfer(0, limits(transfer_values=5))
    transfer.add(Result(*map(str, range(tokens))))
    assert (len(transfer.values), transfer.overflow) == (kept, beyond)


def test_contents_with_findings_push_out_those_without():
    transfer = Transfer(0, limits(transfer_contents=2))
    for _ in range(3):
        transfer.add(Result())
    late = Result("a")
    transfer.add(late)
    assert late in transfer.contents
    assert (len(transfer.contents), transfer.contents_total) == (2, 4)


def test_fields_without_findings_are_not_listed_but_inspected():
    transfer = Transfer(0, limits())
    transfer.add(Result(is_field=True))
    assert (transfer.contents, transfer.inspected_bytes) == ([], 10)
