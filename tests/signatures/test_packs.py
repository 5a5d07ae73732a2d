"""Every shipped pack runs its own examples, and keeps the rules that the loader cannot know."""

import pytest

from detectors.mask import canonical, mask
from detectors.model import Entity
from detectors.pack import load_packs, shipped_packs
from tests.signatures.reference import matches

FOLDERS = ("identifiers", "secrets", "important_data")
ENTITIES = [entity for pack in load_packs([shipped_packs() / name for name in FOLDERS]) for entity in pack.entities]
EACH = pytest.mark.parametrize("entity", ENTITIES, ids=[entity.id for entity in ENTITIES])
REQUIRED = (
    "cn_resident_id cn_resident_id_15 cn_residence_permit_hmt cn_foreigner_pr_card cn_mobile cn_landline bank_card cn_passport email cn_plate "
    "cn_uscc vin iban us_ssn hk_id tw_national_id mrz_td3 imei cn_hmo_home_return_permit geo_coordinate private_key aws_access_key jwt credential "
    "connection_string secret_marking"
).split()


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
    assert set(REQUIRED) <= {entity.id for entity in ENTITIES}


def test_order_of_claims() -> None:
    """Identity numbers before cards before organisation codes before devices before phones (a valid one may pass the next check too)."""
    rank = {entity.id: entity.claims for entity in ENTITIES}
    order = ["cn_resident_id", "cn_residence_permit_hmt", "bank_card", "cn_uscc", "imei", "cn_mobile", "cn_landline"]
    assert [rank[name] for name in order] == sorted(rank[name] for name in order)
    assert len({rank[name] for name in order}) == len(order)
