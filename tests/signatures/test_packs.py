"""Every shipped pack runs its own examples, and keeps the rules that the loader cannot know."""

import re

import hyperscan
import pytest

from detectors.mask import canonical, mask
from detectors.model import Entity
from detectors.pack import load_packs, shipped_packs
from tests.signatures.reference import matches

FOLDERS = ("identifiers", "secrets", "important_data")
ENTITIES = [entity for pack in load_packs([shipped_packs() / name for name in FOLDERS]) for entity in pack.entities]
EACH = pytest.mark.parametrize("entity", ENTITIES, ids=[entity.id for entity in ENTITIES])
REQUIRED = {
    "aws_access_key", "bank_card", "cn_foreigner_pr_card", "cn_hmo_home_return_permit", "cn_landline", "cn_mobile", "cn_passport", "cn_plate",
    "cn_residence_permit_hmt", "cn_resident_id", "cn_resident_id_15", "cn_uscc", "connection_string", "credential", "email", "geo_coordinate", "hk_id", "iban",
    "imei", "jwt", "mrz_td3", "private_key", "secret_marking", "tw_national_id", "us_ssn", "vin",
}  # fmt: skip


@EACH
def test_enough_examples(entity: Entity) -> None:
    assert len(set(entity.must_match)) >= 5
    assert len(set(entity.must_not_match)) >= 5


@pytest.mark.parametrize(
    ("entity", "text"), [(e, t) for e in ENTITIES for t in e.must_match], ids=lambda x: getattr(x, "id", None)
)
def test_example_matches(entity: Entity, text: str) -> None:
    found = list(matches(entity, text))
    assert found, text
    for value, _verdict in found:
        shown = mask(entity.mask, value)
        if entity.mask != "plain":
            assert canonical("text", value) not in shown
            assert mask(entity.mask, canonical(entity.canonical, value)) == shown, (
                "the mask depends on how the value was written"
            )


@pytest.mark.parametrize(
    ("entity", "text"), [(e, t) for e in ENTITIES for t in e.must_not_match], ids=lambda x: getattr(x, "id", None)
)
def test_counterexample_does_not_match(entity: Entity, text: str) -> None:
    assert list(matches(entity, text)) == []


@EACH
def test_verdicts_are_backed(entity: Entity) -> None:
    """Without a validator nothing is proven, so such an entity may not claim to be rarely wrong."""
    if not entity.validator and entity.id != "secret_marking":
        assert entity.random_pass_rate == 1.0
        assert all(pattern.confidence <= 0.6 for pattern in entity.patterns)
    assert not entity.needs_context or all(pattern.confidence <= 0.5 for pattern in entity.patterns)


def test_required_entities() -> None:
    assert {entity.id for entity in ENTITIES} >= REQUIRED


def test_order_of_claims() -> None:
    """Identity numbers before cards before organisation codes before devices before phones (a valid one may pass the next check too)."""
    rank = {entity.id: entity.claims for entity in ENTITIES}
    order = ["cn_resident_id", "cn_residence_permit_hmt", "bank_card", "cn_uscc", "imei", "cn_mobile", "cn_landline"]
    assert [rank[name] for name in order] == sorted(rank[name] for name in order)
    assert len({rank[name] for name in order}) == len(order)


@EACH
def test_hyperscan_reads_the_patterns_alike(entity: Entity) -> None:
    """Each pattern compiles there too, and its ends on the examples are those that `re` finds (bytes of UTF-8)."""
    for pattern in entity.patterns:
        flags = hyperscan.HS_FLAG_CASELESS if pattern.caseless else 0
        expression = as_bytes(pattern.regex)
        database = hyperscan.Database()
        database.compile(expressions=[expression], flags=[flags], ids=[0])
        shape = re.compile(expression, re.IGNORECASE if pattern.caseless else 0)
        for text in (*entity.must_match, *entity.must_not_match):
            data = text.encode()
            ends: set[int] = set()
            database.scan(data, match_event_handler=lambda _id, _start, end, _flags, _context, into=ends: into.add(end))
            for start in range(len(data)):
                found = shape.match(data, start)
                assert found is None or found.end() in ends


def as_bytes(regex: str) -> bytes:
    """Non-ASCII literals stand in alternations only, so writing their UTF-8 bytes keeps the meaning."""
    return "".join(
        c if c.isascii() else "(?:" + "".join(f"\\x{b:02x}" for b in c.encode()) + ")" for c in regex
    ).encode()
