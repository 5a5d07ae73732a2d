"""Loading packs: the README's example, every kind of mistake with its place, several mistakes at once."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from detectors.mask import CANONICAL_FORMS, MASK_FORMS
from detectors.model import Entity, Pack, Pattern
from detectors.pack import PackError, load_packs, shipped_packs
from detectors.validators import load_validators
from tests.signatures.reference import matches

GOOD = """\
pack: own
version: '1'
entities:
  - id: staff_no
    title: {zh: 工号, en: Staff number}
    cls: PI
    person: Y
    context: [工号, staffno]
    patterns:
      - regex: 'ST[0-9]{6}'
        gated: true
"""


def write(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(PackError) as caught:
        load_packs([folder])
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_good_pack_with_defaults(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (pack,) = load_packs([tmp_path])
    (entity,) = pack.entities
    assert (pack.pack, pack.version, entity.id, entity.cls, entity.person) == ("own", "1", "staff_no", "PI", "Y")
    assert (entity.boundary, entity.mask, entity.canonical, entity.random_pass_rate) == ("alnum", "middle", "text", 1.0)
    assert entity.patterns[0].gated
    assert entity.patterns[0].confidence == 0.5


def test_order_of_folders_then_names(tmp_path: Path) -> None:
    for folder, name in (("b", "z"), ("b", "a"), ("a", "m")):
        (tmp_path / folder).mkdir(exist_ok=True)
        write(
            tmp_path / folder,
            GOOD.replace("own", f"{folder}_{name}").replace("staff_no", f"id_{folder}{name}"),
            f"{name}.yaml",
        )
    assert [pack.pack for pack in load_packs([tmp_path / "b", tmp_path / "a"])] == ["b_a", "b_z", "a_m"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    person: Y", "    persn: Y", 7, "entities[0].persn: unknown key; did you mean 'person'?"),
        ("    person: Y", "    zzzzzzzz: Y", 7, "unknown key; known keys: id, title, patterns"),
        (
            "    cls: PI",
            "    cls: SECRET",
            6,
            "entities[0].cls: 'SECRET' Invalid enum value 'SECRET' (one of: PI, SPI, ORG, SEC, IMP)",
        ),
        ("    cls: PI\n", "", 4, "entities[0].cls: is missing"),
        (
            "        gated: true",
            "        gated: perhaps",
            11,
            "entities[0].patterns[0].gated: 'perhaps' Expected `bool`, got `str`",
        ),
        (
            "        gated: true",
            "        confidence: 1.5",
            11,
            "confidence: 1.5 must be between 0 and 1".replace("1.5 ", "'1.5' "),
        ),
        (
            "    context: [工号, staffno]",
            "    context: [工号, 7]",
            8,
            "entities[0].context[1]: Expected `str`, got `int`",
        ),
        ("    context: [工号, staffno]\n", "", 4, "gated patterns and needs_context want context words"),
        ("    person: Y", "    validator: ibam", 7, "'ibam' is unknown; did you mean 'iban'? known: "),
        ("    person: Y", "    mask: stars", 7, "'stars' is unknown; "),
        ("    person: Y", "    canonical: digit", 7, "'digit' is unknown; did you mean 'digits'?"),
        ("    person: Y", "    random_pass_rate: 0.0", 7, "must be above 0 and at most 1"),
        ("id: staff_no", "id: Staff-No", 4, "entities[0].id: 'Staff-No' a name is lower-case letters, digits and _"),
        ("en: Staff number", "fr: matricule", 5, "entities[0].title: needs a name in en"),
        ("entities:", "entitees:", 3, "unknown key; did you mean 'entities'?"),
        ("version: '1'", "version: 1", 2, "version: '1' Expected `str`, got `int`"),
    ],
)
def test_mistake_has_file_line_key_and_remedy(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    found = problems(tmp_path)
    assert any(problem.startswith(f"{path}:{line}: ") and says in problem for problem in found), found


def test_bad_pattern_is_pointed_at(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("'ST[0-9]{6}'", r"'ST(?<!x)[0-9]{6}'"))
    assert problems(tmp_path) == (
        f"{path}:10: entities[0].patterns[0].regex: look-behind is not in the subset\n    ST(?<!x)[0-9]{{6}}\n      ~~~^",
    )


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        GOOD.replace("cls: PI", "cls: XX").replace("person: Y", "person: QQ").replace("gated: true", "gatd: true"),
        "one.yaml",
    )
    write(tmp_path, GOOD.replace("ST[0-9]{6}", "ST$"), "two.yaml")
    write(tmp_path, "entities: [unclosed", "three.yaml")
    found = problems(tmp_path)
    assert len(found) == 5
    assert [Path(problem.split(":")[0]).name for problem in found] == ["one.yaml"] * 3 + ["three.yaml", "two.yaml"]


def test_entity_declared_twice(tmp_path: Path) -> None:
    first = write(tmp_path, GOOD, "a.yaml")
    second = write(tmp_path, GOOD, "b.yaml")
    assert problems(tmp_path) == (f"{second}:4: entities[0].id: 'staff_no' already declared in {first}",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "must be a mapping with the keys"),
        (b"- a\n- b\n", "must be a mapping with the keys"),
        (b"pack: [", "not valid YAML"),
        (b"pack: \xff\xfe", "not UTF-8"),
        (b"pack: own\nversion: '1'\nentities: 5\n", "must be a list"),
        (b"pack: own\nversion: '1'\nentities: [5]\n", "must hold keys of entity"),
        (b"!!python/object/apply:os.system ['true']", "not valid YAML"),
        (b"[" * 20000, "not valid YAML"),
    ],
    ids=["empty", "list", "syntax", "bytes", "number", "numbers", "object", "deep"],
)
def test_files_that_are_no_packs(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "x.yaml").write_bytes(data)
    (found,) = problems(tmp_path)
    assert says in found


def test_missing_folder(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "none")
    assert "no such folder" in found


def test_shipped_packs_are_beside_the_package() -> None:
    folder = shipped_packs()
    assert (folder / "identifiers" / "cn.yaml").is_file()
    assert (folder / "README.md").is_file()


def test_readme_example_loads_and_matches(tmp_path: Path) -> None:
    text = (shipped_packs() / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(pack: .*?)```", text, re.DOTALL)
    write(tmp_path, example)
    (pack,) = load_packs([tmp_path])
    for entity in pack.entities:
        assert entity.must_match
        assert entity.must_not_match
        assert all(list(matches(entity, sample)) for sample in entity.must_match)
        assert not any(list(matches(entity, sample)) for sample in entity.must_not_match)


def test_readme_names_every_key_and_form() -> None:
    text = (shipped_packs() / "README.md").read_text("utf-8")
    names = (
        {field.name for kind in (Pack, Entity, Pattern) for field in fields(kind)}
        | set(MASK_FORMS)
        | set(CANONICAL_FORMS)
        | set(load_validators())
    )
    assert {name for name in names if f"`{name}`" not in text} == set()
