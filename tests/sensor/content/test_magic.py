import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.content.magic import _AT_START, detect
from tests.sensor.content.makers import pdf, tarred, xlsx, zipped


def riff():
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(range(256)) * 8)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "media_type", "kind"),
    [
        (zipped({"a": b"b"}), "application/zip", "open"),
        (xlsx(), "application/zip", "open"),
        (pdf("x"), "application/pdf", "open"),
        (tarred({"a": b"b"}), "application/x-tar", "open"),
        (riff(), "audio/wav", "media"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(300), "video/mp4", "media"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(300), "image/heif", "media"),
        (b"\xff\xd8\xff\xe0" + bytes(300), "image/jpeg", "media"),
        (b"\xff\xd8\xff,id,name\r\n" + b"110105,abc\r\n" * 50, "text/plain", "text"),
        (b"7z\xbc\xaf'\x1c\x00\x04", "application/x-7z-compressed", "closed"),
        (b"  <!DOCTYPE html><html>", "text/html", "text"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "application/xml", "text"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "text"),
        (b'[{"a": 1}]', "application/json", "text"),
        ("姓名,手机".encode()[:-1], "text/plain", "text"),
        ("x".encode("utf-16"), "text/plain", "text"),
    ],
)
def test_types(head, media_type, kind):
    found = detect(head[:4096])
    assert (found.media_type, found.kind) == (media_type, kind)


@pytest.mark.parametrize("head", [b"", b"\x00\x01\x02", b"\x0a\x03abc\x12\x04", "姓名".encode("gbk")])
def test_unsure(head):
    assert detect(head) is None


def test_longer_signatures_win():
    for at, (signature, _, _) in enumerate(_AT_START):
        assert not any(signature.startswith(earlier) for earlier, _, _ in _AT_START[:at]), signature


@pytest.mark.property
@given(st.binary(max_size=600))
def test_total(head):
    detect(head)


def test_protobuf_with_text_is_not_media():
    found = detect(b"\x0a\x0bhello world\x10\x01" + bytes(range(50)))
    assert found is None or found.kind != "media"
