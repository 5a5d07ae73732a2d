import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.content.transfer_encoding import decoder
from tests.sensor.content.fakes import cuts


def decoded(name, pieces):
    coder = decoder(name)
    return b"".join(map(coder.feed, pieces)) + coder.finish()


@pytest.mark.property
@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=5))
def test_base64_round_trip_at_any_cut(data, places):
    assert decoded("base64", cuts(base64.encodebytes(data), places)) == data


@pytest.mark.property
@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=5))
def test_quoted_printable_round_trip_at_any_cut(data, places):
    wire = quopri.encodestring(data, quotetabs=True)
    assert decoded("quoted-printable", cuts(wire, places)) == quopri.decodestring(wire)


@pytest.mark.property
@given(st.text("=0Aa \r\nZ", max_size=60).map(str.encode), st.lists(st.integers(0, 100), max_size=5))
def test_quoted_printable_junk_split_law(wire, places):
    assert decoded("quoted-printable", cuts(wire, places)) == decoded("quoted-printable", [wire])


def test_unpadded_and_dirty_base64():
    assert decoded("base64", [b"aGV-s\x00bG8"]) == b"hello"


def test_damaged_escapes_stay():
    assert decoded("quoted-printable", [b"a=ZZ=4"]) == b"a=ZZ=4"


def test_other_encodings_are_as_they_are():
    assert decoder("8bit") is None
