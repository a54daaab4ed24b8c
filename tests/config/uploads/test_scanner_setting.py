"""What VIRUS_SCAN may be."""

import pytest

from config.env.parsing import parse_scanner


@pytest.mark.parametrize(("text", "value"), [("off", ""), ("clamd://10.0.0.7:3310", "clamd://10.0.0.7:3310")])
def test_a_scanner_or_none(text, value):
    assert parse_scanner(text) == value


@pytest.mark.parametrize("text", ["on", "clamd://host", "http://host:3310", "host:3310", "clamd://:3310"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        parse_scanner(text)
