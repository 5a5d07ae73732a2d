import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.content.officexml import Prose, Reading, Sheet, Strings, column_of, number, text
from tests.sensor.content.fakes import cuts


def read(machine, *pieces):
    reading = Reading()
    return b"".join(text(pieces, machine, reading)).decode(), reading.damaged


def test_rich_strings_are_joined_and_phonetics_left_out():
    machine = Strings(1000)
    read(machine, b"<sst><si><r><t>13800</t></r><r><t>138000</t></r><rPh><t>kana</t></rPh></si><si/></sst>")
    assert machine.strings == ["13800138000", ""]


def test_cells_without_reference_follow_one_another():
    row = b"<row><c t='str'><v>a</v></c><c/><c><v>3</v></c></row>"
    assert read(Sheet([]), row) == ("a\t\t3\n", False)


def test_strings_that_do_not_exist_and_tabs_inside():
    row = b"<row><c t='s'><v>7</v></c><c t='s'><v>x</v></c><c t='inlineStr'><is><t>a&#9;b</t></is></c></row>"
    assert read(Sheet(["only"]), row) == ("\t\ta b\n", False)


def test_cell_longer_than_a_cell_is_not_kept():
    piece = b"x" * 1000 + b"&amp;"
    whole, _ = read(Sheet([]), b"<row><c t='str'><v>" + piece * 2000 + b"</v></c></row>")
    assert whole.count("x") == 2_000_000


def test_opendocument_table_with_repeated_cells():
    data = b"""<table:table-row xmlns:table="t" xmlns:text="x"><table:table-cell><text:p>a</text:p></table:table-cell>
    <table:table-cell table:number-columns-repeated="2"/><table:table-cell><text:p>b</text:p></table:table-cell>
    </table:table-row>"""
    whole, _ = read(Prose(everything=True), data)
    assert "a" in whole.split("\t")[0]
    assert "b" in whole.split("\t")[3]


@pytest.mark.parametrize(
    ("reference", "column"),
    [("A1", 0), ("C5", 2), ("Z9", 25), ("AA1", 26), ("XFD1", 16383), ("ZZZZ1", 16384), ("", 0), ("7", 0)],
)
def test_columns(reference, column):
    assert column_of(reference) == column


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ("1.3812345678E10", "13812345678"),
        ("12", "12"),
        ("12.0", "12"),
        ("1.5", "1.5"),
        ("1E400", "1E400"),
        ("Ex", "Ex"),
        ("nanE", "nanE"),
    ],
)
def test_numbers(stored, seen):
    assert number(stored) == seen


@pytest.mark.property
@given(st.text('<>/tp&;c "=ax!', max_size=80).map(str.encode), st.lists(st.integers(0, 100), max_size=4))
def test_total_and_split_law_on_junk(data, places):
    for machine in (Prose, lambda: Sheet(["s"]), lambda: Strings(10)):
        assert isinstance(read(machine(), *cuts(data, places))[0], str)
