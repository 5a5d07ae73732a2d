import pytest

from sensor.wire.address import ip_text


@pytest.mark.parametrize(
    ("high", "low", "text"),
    [
        (0, 0xFFFF_0A14_1E2D, "10.20.30.45"),
        (0, 1, "::1"),
        (0x2001_0DB8_0000_0000, 0x0000_0000_0000_0001, "2001:db8::1"),
        (0, 0xFFFE_0A14_1E2D, "::fffe:a14:1e2d"),
    ],
)
def test_text_of_addresses(high, low, text):
    assert ip_text(high, low) == text
