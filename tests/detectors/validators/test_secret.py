"""Secrets: what is one, what stands in its place."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.validators.secret import check_dsn, check_jwt, check_key, check_password, check_pem


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Tr0ub4dor&3", "yes"),
        ("S3cr3t-2026", "yes"),
        ("correct-horse-7", "yes"),
        ("a1b2", "unsure"),  # short
        ("271304", "unsure"),  # digits: could be a pin, a count, a size
        ("1234", "no"),
        ("swordfish", "no"),  # letters only: words of forms and prose cannot be told apart
        ("password", "no"),
        ("PASSWORD", "no"),
        ("${DB_PASSWORD}", "no"),
        ("{{secret}}", "no"),
        ("<password1>", "no"),
        ("$PASSWORD1", "no"),
        ("getPassword(1)", "no"),
        ("this.form.pwd1", "no"),
        ("newPassword", "no"),
        ("new_password", "no"),
        ("********", "no"),
        ("aaaaaaaa", "no"),
        ("abc***1", "no"),
        ("x", "no"),
        ("", "no"),
        ("z1" * 100, "no"),
    ],
)
def test_password(text: str, verdict: str) -> None:
    assert check_password(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("mysql://app:Qk71zz@db:3306/crm", "yes"),
        ("redis://:Qk71zz@cache", "yes"),
        ("mysql://app:Q@k@db/crm", "yes"),
        ("mysql://db:3306/crm", "no"),
        ("mysql://app@db/crm", "no"),
        ("mysql://app:@db/crm", "no"),
        ("mysql://app:password@db/crm", "no"),
        ("mysql://app:${PW}@db/crm", "no"),
        ("mysql://app:****@db/crm", "no"),
        ("mysql://app:<pw>@db/crm", "no"),
        ("nothing", "no"),
    ],
)
def test_dsn(text: str, verdict: str) -> None:
    assert check_dsn(text) == verdict


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        (part({"alg": "HS256"}), "yes"),
        (part({"alg": 5}), "no"),
        (part({"typ": "JWT"}), "no"),
        (part([1]), "no"),
        ("eyJhbGciOi", "no"),
        ("!!", "no"),
        ("", "no"),
    ],
)
def test_jwt(header: str, verdict: str) -> None:
    assert check_jwt(f"{header}.{part({'sub': 1})}.c2ln") == verdict


def test_key() -> None:
    assert check_key("AKIAV4KBW6NVY76TIW2L") == "yes"
    assert check_key("AKIAIOSFODNN7EXAMPLE") == "no"
    assert check_key("ghp_xxxxxxxxxxxxxxxxxxxx") == "no"
    assert check_key("AKIAAAAAAAAAAAAAAAAA") == "no"


BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----", "yes"),
        (f"-----BEGIN EC PRIVATE KEY-----\\n{BODY}", "yes"),
        (f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{BODY}", "yes"),
        ("-----BEGIN PRIVATE KEY-----", "no"),
        ("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", "no"),
        (f"-----BEGIN PUBLIC KEY-----\n{BODY}", "no"),
        ("-----BEGIN PRIVATE KEY-----\n" + "A" * 64, "no"),
    ],
)
def test_pem(text: str, verdict: str) -> None:
    assert check_pem(text) == verdict


@given(st.text(max_size=100))
def test_total(text: str) -> None:
    for check in (check_password, check_dsn, check_jwt, check_key, check_pem):
        assert check(text) in {"yes", "no", "unsure"}
