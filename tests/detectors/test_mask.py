"""Masks, canonical forms, tokens: the examples of the contract, one spelling for all, nothing shown that should not be."""

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.mask import CANONICAL_FORMS, MASK_FORMS, canonical, mask, token


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        ("id", "11010519491231002X", "110105********002X"),
        ("id", "110105 19491231 002x", "110105********002X"),
        ("id", "１１０１０５１９４９１２３１００２Ｘ", "110105********002X"),
        ("id", "110105491231002", "110105******002"),
        ("mobile", "13800138000", "138****8000"),
        ("mobile", "+86 138-0013-8000", "138****8000"),
        ("card", "6222021234567891234", "622202*********1234"),
        ("card", "6222 0212 3456 7891 234", "622202*********1234"),
        ("mail", "Zhangsan@Example.com", "z***n@example.com"),
        ("mail", "ab@example.com", "a***@example.com"),
        ("mail", "a@example.com", "***@example.com"),
        ("name", "张三", "张*"),
        ("name", "欧阳小明", "欧***"),
        ("name", "Zhang Wei", "Z**** W**"),
        ("name", "张", "*"),
        ("hkid", "A123456(3)", "A12****(3)"),
        ("hkid", "wx1234569", "WX12****(9)"),
        ("middle", "EA0924177", "EA*****77"),
        ("tail", "536-22-4399", "*****4399"),
        ("landline", "(010) 62512345", "010****2345"),
        ("landline", "+86-755-83123456", "0755****3456"),
        ("landline", "0755-8312345", "0755***2345"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89**************3000"),
        ("vin", "LSVAA4182E2123456", "LSV**********3456"),
        ("plate", "粤B·12345", "粤B***45"),
        ("coordinate", "31.230416, 121.473701", "31.23****,121.47****"),
        ("coordinate", '"lng":121.473701,"lat":31.230416', "31.23****,121.47****"),
        ("key", "AKIAABCDEFGHIJKLMNOP", "AKIA************MNOP"),
        ("key", "short", "********"),
        ("secret", "hunter2", "********"),
        ("secret", "Tr0ub4dor&3", "Tr********3"),
        ("dsn", "mysql://root:pw@db.internal:3306/crm?x=1", "mysql://****:****@db.internal:3306"),
        ("dsn", "mysql://root:p@w@db/x", "mysql://****:****@db"),
        ("dsn", "no url", "********"),
        ("plain", "机密★10年", "机密★10年"),
    ],
)
def test_mask(form: str, value: str, shown: str) -> None:
    assert mask(form, value) == shown


def test_mask_pem_hides_the_material() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    shown = mask("pem", f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\n")
    assert shown == f"-----BEGIN RSA PRIVATE KEY-----{'*' * 64}-----END RSA PRIVATE KEY-----"
    assert mask("pem", f"-----BEGIN PRIVATE KEY-----\\n{body}") == f"-----BEGIN PRIVATE KEY-----{'*' * 32}"
    assert mask("pem", "-----BEGIN PRIVATE KEY-----" + "A" * 4000).count("*") == 256
    assert mask("pem", body) == "********"


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("digits", "6222 0212-3456", "622202123456"),
        ("digits", "６２２２", "6222"),
        ("mobile", "+86 138-0013-8000", "13800138000"),
        ("mobile", "008613800138000", "13800138000"),
        ("mobile", "8613800138000", "13800138000"),
        ("mobile", "861380013800", "861380013800"),
        ("landline", "+86 10 6251 2345", "01062512345"),
        ("landline", "86-line 0755-83123456", "86075583123456"),
        ("id", "a123456(3)", "A1234563"),
        ("id", "110105 19491231 002x", "11010519491231002X"),
        ("mail", "Li.Ming@QQ.com", "li.ming@qq.com"),
        ("mail", "ＬＩ＠qq.com", "li@qq.com"),
        ("text", " 内部资料　严禁外传 ", "内部资料严禁外传"),
        ("coordinate", "121.4737,31.2304", "31.2304,121.4737"),
        ("coordinate", "-33.8568,151.2153", "-33.8568,151.2153"),
        ("coordinate", "+48.8584;2.2945", "48.8584,2.2945"),
    ],
)
def test_canonical(form: str, value: str, expected: str) -> None:
    assert canonical(form, value) == expected


def hmac_sha256(key: bytes, message: bytes) -> str:
    """RFC 2104 written out."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


@pytest.mark.parametrize("key", [b"0123456789abcdef", b"k" * 64, b"long" * 40])
def test_token_is_keyed_hmac(key: bytes) -> None:
    assert token(key, "cn_mobile", "13800138000") == hmac_sha256(key, b"cn_mobile:13800138000")
    assert token(key, "secret_marking", "机密★10年") == hmac_sha256(key, "secret_marking:机密★10年".encode())


def test_the_oracle_itself() -> None:
    """RFC 4231 test case 2, so that the comparison above is one."""
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").startswith("5bdcc146bf60754e6a042426089575c7")


def test_token_depends_on_all_three() -> None:
    base = token(b"k" * 16, "cn_mobile", "13800138000")
    assert (
        len(
            {
                base,
                token(b"j" * 16, "cn_mobile", "13800138000"),
                token(b"k" * 16, "bank_card", "13800138000"),
                token(b"k" * 16, "cn_mobile", "13800138001"),
            }
        )
        == 4
    )


def test_unknown_form() -> None:
    with pytest.raises(KeyError):
        mask("nonsense", "x")
    with pytest.raises(KeyError):
        canonical("nonsense", "x")


@given(st.sampled_from(sorted(MASK_FORMS)), st.text(max_size=120))
def test_masks_are_total(form: str, value: str) -> None:
    assert isinstance(mask(form, value), str)


@given(st.sampled_from(sorted(CANONICAL_FORMS)), st.text(max_size=120))
@example("text", "A¨")  # decomposes into a blank and a combining mark
def test_canonical_is_total_and_settled(form: str, value: str) -> None:
    once = canonical(form, value)
    assert canonical(form, once) == once


NUMBER_FORMS = ["card", "hkid", "iban", "id", "middle", "mobile", "tail", "vin", "plate"]


@given(st.sampled_from(NUMBER_FORMS), st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=1, max_size=40))
def test_masks_hide_three_characters_at_least(form: str, value: str) -> None:
    shown = mask(form, value)
    assert value not in shown
    assert shown.count("*") >= min(3, len(canonical("digits" if form in {"card", "mobile"} else "id", value)))


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789!?-_", min_size=1, max_size=60))
def test_secrets_never_show(value: str) -> None:
    for form in ("secret", "key", "dsn", "pem"):
        shown = mask(form, value)
        assert shown.count("*") >= 8
        assert value not in shown


@given(st.text("abcdefghij", min_size=3, max_size=20))
def test_mail_local_part_is_hidden(local: str) -> None:
    assert mask("mail", f"{local}@example.com") == f"{local[0]}***{local[-1]}@example.com"
