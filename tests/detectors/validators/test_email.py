"""Mail addresses: people, roles, look-alikes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.validators.email import check, is_role


@pytest.mark.parametrize(
    "text",
    [
        "li.ming@163.com", "wang88@qq.com", "100284731@qq.com", "13671234509@139.com", "o'neil@example.ie", "a@b.cn", "x+tag@mail.example.co.uk",
        "Chen.Jie@Example.COM", "sales.wang@foxmail.com", "info19860305@163.com", "zhang@xn--fiqs8s.cn", "hr.chenjie@acme.com.cn",
    ],
)  # fmt: skip
def test_people(text: str) -> None:
    assert check(text) == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "info@acme.com", "sales@acme.cn", "sales.cn@acme.com", "support1@acme.com", "no-reply@acme.com", "noreply@acme.com", "do_not_reply@acme.com",
        "hr@acme.com", "kefu@acme.cn", "postmaster@acme.com", "webmaster+hk@acme.com", "customer.service@acme.com",
    ],
)  # fmt: skip
def test_roles(text: str) -> None:
    assert check(text) == "no"


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com", "icon@2x.png", "logo@3x.jpeg", "react@18.2.0", "lodash@4.17.21", "root@localhost", "user@10.0.0.1", "li@intranet",
        "li@acme.nosuchtld", "li@acme", "li@", "@acme.com", "li@@acme.com", "li..ming@acme.com", ".li@acme.com", "li.@acme.com", "li@-acme.com", "li@acme-.com",
        "0123456789abcdef0123456789abcdef@o42.ingest.sentry.io", "0123456789abcdef0123@acme.com", "12345+li@users.noreply.github.com",
        "svc@proj.iam.gserviceaccount.com", f"{'a' * 65}@acme.com", "li ming@acme.com", "李@acme.com",
    ],
)  # fmt: skip
def test_look_alikes(text: str) -> None:
    assert check(text) == "no"


@pytest.mark.parametrize(
    ("local", "role"),
    [
        ("info", True),
        ("info2", True),
        ("info.eu", True),
        ("info.sales", True),
        ("info.li", False),
        ("info1234", False),
        ("li.info", False),
        ("", False),
        ("---", False),
    ],
)
def test_is_role(local: str, role: bool) -> None:
    assert is_role(local) is role


@given(st.text(max_size=80))
def test_total(text: str) -> None:
    assert check(text) in {"yes", "no"}
    assert check(text + "@acme.com") in {"yes", "no"}
