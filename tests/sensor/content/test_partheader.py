import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.content.partheader import PartHeader, parse


@pytest.mark.parametrize(
    ("block", "name"),
    [
        (b'Content-Disposition: form-data; name="f"; filename="a b.csv"', "a b.csv"),
        (b"content-disposition:attachment;filename=plain.txt", "plain.txt"),
        ('Content-Disposition: form-data; filename="员工.xlsx"'.encode(), "员工.xlsx"),
        ('Content-Disposition: form-data; filename="员工.xlsx"'.encode("gbk"), "员工.xlsx"),
        (b"Content-Disposition: attachment; filename*=UTF-8''%E5%91%98%E5%B7%A5.xlsx", "员工.xlsx"),
        (b"Content-Disposition: attachment; filename*=GBK''%D4%B1%B9%A4.xlsx", "员工.xlsx"),
        (
            b"Content-Disposition: attachment; filename*0*=UTF-8''%E5%91%98; filename*1*=%E5%B7%A5; filename*2=.txt",
            "员工.txt",
        ),
        (b'Content-Disposition: attachment; filename="=?utf-8?B?5ZGY5bel?="', "员工"),
        (b'Content-Disposition: attachment; filename="=?broken?="', "=?broken?="),
        (b'Content-Disposition: form-data; filename="a\\"b.txt"', 'a"b.txt'),
        (b'Content-Disposition: form-data; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
        (b'Content-Disposition: form-data; filename="a;b=c.txt"; name=x', "a;b=c.txt"),
        (b'Content-Type: text/plain; name="from type.txt"', "from type.txt"),
        (b'Content-Disposition: form-data;\r\n filename="folded.txt"', "folded.txt"),
        (b'Content-Disposition: form-data; name="only"', ""),
    ],
)
def test_file_names(block, name):
    assert parse(block).file_name == name


def test_everything_a_part_says():
    block = (
        b'Content-Type: Multipart/Mixed; boundary="a b"; charset=GB2312\r\n'
        b'Content-Disposition: form-data; name="field"\r\nContent-Transfer-Encoding: Base64\r\nX: y'
    )
    assert parse(block) == PartHeader("field", "", "multipart/mixed", "gb2312", "a b", "base64")


@pytest.mark.property
@given(
    st.binary()
    | st.text("; =\"'*%\\\r\n\tab0:-", max_size=60).map(lambda text: b"Content-Disposition: " + text.encode())
)
def test_total(block):
    assert isinstance(parse(block), PartHeader)


def test_no_catastrophe_on_hostile_parameters():
    block = b"Content-Disposition: form-data" + b"; a" * 5000 + b'; filename="' + b"\\" * 5000
    assert isinstance(parse(block), PartHeader)
