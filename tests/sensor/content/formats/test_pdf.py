import io

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sensor.content.fakes import Desk, body, unpacked
from tests.sensor.content.makers import pdf


def test_text_of_every_page():
    members, refusals = unpacked("pdf", pdf("Zhang San 13800138000", "second page"))
    assert members["text"].decode().split("\n\f\n") == ["Zhang San 13800138000", "second page", ""]
    assert refusals == []


def test_junk_before_the_header():
    desk = Desk()
    desk.play(body(b"\n\n" + pdf("Hello there")))
    assert b"Hello there" in desk.texts()["http:request.body!text"]


def test_pages_without_text_are_said():
    _, refusals = unpacked("pdf", pdf("one", ""))
    assert refusals == [("pdf_no_text", "text")]


@pytest.mark.parametrize(("most", "refusals"), [(3, []), (2, []), (1, [("pdf_too_many_pages", "text")])])
def test_pages_cap(most, refusals):
    assert unpacked("pdf", pdf("one", "two"), pdf_pages=most)[1] == refusals


def test_broken_document_is_scanned_raw():
    data = b"%PDF-1.4\n1 0 obj text in the clear"
    assert unpacked("pdf", data) == ({}, [("pdf_damaged", "")])
    desk = Desk()
    (result,) = desk.play(body(data))
    assert desk.texts() == {"http:request.body": data}
    assert not result.complete


def test_document_that_wants_a_password_is_refused_and_counted():
    data = pdf("secret").replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <"
        + b"41" * 32
        + b"> /U <"
        + b"42" * 32
        + b"> >>",
    )
    assert unpacked("pdf", data) == ({}, [("pdf_encrypted", "")])
    desk = Desk()
    (result,) = desk.play(body(data))
    assert result.skipped == (("pdf_encrypted", len(data)),)
    assert desk.texts() == {}


@pytest.mark.parametrize(("most", "refusals"), [(2, []), (1, [("pdf_too_many_pages", "")])])
def test_attachments_and_their_cap(most, refusals):
    document = pypdfium2.PdfDocument(pdf("hello"))
    for name in ("a.csv", "b.csv"):
        document.new_attachment(name).set_data(f"data of {name}".encode())
    out = io.BytesIO()
    document.save(out)
    document.close()
    members, found = unpacked("pdf", out.getvalue(), pdf_attachments=most)
    whole = {"text": b"hello\n\f\n", "a.csv": b"data of a.csv", "b.csv": b"data of b.csv"}
    assert members == dict(list(whole.items())[: 1 + most])
    assert found == refusals


@pytest.mark.property
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_total_on_cut_and_flipped_documents(data):
    wire = bytearray(pdf("one line", "another"))
    for _ in range(data.draw(st.integers(0, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    unpacked("pdf", bytes(wire[: data.draw(st.integers(0, len(wire)))]))
