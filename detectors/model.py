"""Value types of the detectors library: what goes in (packs, hints) and what comes out (findings)."""

from typing import Literal

import msgspec

SensitivityClass = Literal["PI", "SPI", "ORG", "SEC", "IMP"]
PersonRole = Literal["Y", "D", "S", "N"]
Verdict = Literal["yes", "no", "unsure"]


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shape of an entity.

    `regex` is in the common subset of Hyperscan, RE2 and `re` (no look-around, no back-references, no anchors:
    boundaries belong to code, see Entity.boundary; pattern_subset.py checks it). Non-ASCII characters stand only as
    literals or in alternations, never in classes, so a pattern can be compiled to the bytes of any charset. Where the
    regex has one capture group, the group is the value: boundary, validator, mask and token see only it, the rest is
    shape that must stand around it. `gated`: tried only where a context word of the entity hit in the same content.
    `confidence` of a validated match before context. `literal_hint`: a literal every match contains (""= none named).
    """

    regex: str
    confidence: float = 0.5
    gated: bool = False
    caseless: bool = False
    literal_hint: str = ""


class Entity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One identifier of a pack: shapes, validator, context, class.

    Attributes:
        id: public name (`cn_resident_id`).
        title: zh and en names for people.
        patterns: shapes; the first that validates claims the span.
        validator: name of a module in detectors/validators, or "" for none.
        boundary: what may not stand directly before and after the value. `digits`: an ASCII digit or letter, a dot
            or `-` that joins further digits; `alnum`: the same today, for values with letters; `text`: an ASCII
            letter or digit; `mail`: what could belong to a longer mail address; `none`: anything may stand there.
        context: words and field names that raise confidence, matched caseless after stripping `_`, `-`, blanks;
            ASCII words match whole field names or words, CJK words match as substrings.
        needs_context: a single match without context word or column is not reported.
        cls / cls_conservative: class under gbt45574 and under gbt35273_conservative.
        person: Y names one person, D device or account, S shared, N no.
        mask: name of a mask form in detectors/mask.py.
        canonical: name of a canonical form there (`digits`, `id`, `mail`, `text`).
        random_pass_rate: chance that the validator says `yes` to a random string of the shape; where it never says
            `yes`, that it does not say `no`; 1.0 without a validator. The column rule rests on it.
        claims: lower goes first when two entities want the same span.
        keyword: the entity is a family of words or markings (context words are the content itself).
    """

    id: str
    title: dict[str, str]
    patterns: tuple[Pattern, ...]
    cls: SensitivityClass
    person: PersonRole = "N"
    cls_conservative: SensitivityClass | None = None
    validator: str = ""
    boundary: Literal["digits", "alnum", "mail", "none", "text"] = "alnum"
    context: tuple[str, ...] = ()
    needs_context: bool = False
    mask: str = "middle"
    canonical: str = "text"
    random_pass_rate: float = 1.0
    claims: int = 50
    keyword: bool = False
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()
    doc: str = ""


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of entities, versioned."""

    pack: str
    version: str
    entities: tuple[Entity, ...]
    source: str = ""


class ContentHint(msgspec.Struct, frozen=True, gc=False):
    """What is known of a content before its first byte.

    `where` is a path for people (`http:request.body/part[file]`); `media_type` and `charset` as declared, may lie;
    `is_field`: a short piece such as a URL, a header or a file name.
    """

    where: str = ""
    media_type: str = ""
    charset: str = ""
    name: str = ""
    is_field: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One distinct value found in one content; holds a mask and a keyed token, never the value.

    `offset` is of the first occurrence in the original bytes of the content; `why` lists the steps of the confidence
    (`checksum`, `context:手机`, `column:phone 40/40`).
    """

    entity: str
    cls: str
    person: str
    masked: str
    token: str
    confidence: float
    count: int
    offset: int
    encoding: str
    where: str
    why: tuple[str, ...]
    pack: str


class ScanResult(msgspec.Struct, frozen=True):
    """Outcome of one content.

    `links`: pairs of tokens seen in the same record (row, object), for joining identifiers into people.
    `test_values`: published test numbers seen, by entity, not reported as findings.
    `overflow`: distinct values beyond the cap, counted only.
    """

    findings: tuple[Finding, ...]
    links: tuple[tuple[str, str], ...]
    inspected_bytes: int
    test_values: dict[str, int] = {}
    overflow: int = 0
