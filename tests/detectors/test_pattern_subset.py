"""The pattern subset: what is refused, where the pointer stands, what passes."""

import pytest

from detectors.pattern_subset import MAX_WIDTH, flaw


@pytest.mark.parametrize(
    ("regex", "reason", "at"),
    [
        (r"(?<!\d)1[3-9]\d{9}", "look-behind", 0),
        (r"1\d{10}(?!\d)", "look-ahead", 7),
        (r"^\d{8}", "anchors", 0),
        (r"\d{8}$", "anchors", 5),
        (r"\bpwd", "word boundary", 0),
        (r"pwd\w{4}", "differs between engines", 3),
        (r"(\d)-\1", "back-references", 5),
        (r"\d{8}.", "`.` runs over anything", 5),
        (r"pwd=[^ ]{4}", "negated classes", 4),
        (r"a{1,3}?b", "lazy", 5),
        (r"a{1,3}+b", "possessive", 5),
        (r"ab+", "open repeats", 2),
        (r"[a-z]*x", "open repeats", 5),
        (r"(?i)abc", "inline flag", 0),
        (r"(?P<n>abc)", "named group", 0),
        (r"[京津]A", "ASCII only", 1),
        (r"(a)(b)", "at most one capture group", 0),
        (r"a{3,2}", "min repeat greater than max repeat", 2),
        (r"(?:a", "missing ), unterminated subpattern", 0),
        (r"a{0,3}", "empty string", 0),
        ("", "empty pattern", 0),
        (rf"a{{1,{MAX_WIDTH + 1}}}", "at most", 0),
    ],
)
def test_refused(regex: str, reason: str, at: int) -> None:
    found = flaw(regex)
    assert found is not None
    assert reason in found.reason
    assert found.at == at


@pytest.mark.parametrize(
    "regex",
    [
        r"1[3-9]\d{9}",
        r"(?:京|津)[A-Z]\d{5}",
        r"pwd=([!-~]{4,64})",
        r"a\.b\$\^\*",
        r"[.^$*+-]{2}",
        r"[]x]{2}",
        rf"a{{1,{MAX_WIDTH}}}",
        r"\?{2}",
        r"a(?:b|c)?d",
    ],
)
def test_allowed(regex: str) -> None:
    assert flaw(regex) is None
