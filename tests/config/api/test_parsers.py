"""Only JSON that means one thing is read."""

import pytest
from rest_framework.exceptions import ParseError

from config.api.parsers import parse_json


def test_ordinary_json_is_read():
    assert parse_json('{"a": [1, 2.5, "é\\u00e9", null, true]}'.encode()) == {"a": [1, 2.5, "éé", None, True]}


def test_escaped_pairs_are_one_character():
    assert parse_json(b'"\\ud83c\\udfc8"') == "🏈"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1} x',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b'"\\ud800"',
        b"\xff\xfe",
        b"9" * 5000,
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
    ],
)
def test_everything_else_is_refused(raw):
    with pytest.raises(ParseError):
        parse_json(raw)


def test_reasonable_nesting_is_read():
    assert parse_json(b"[" * 32 + b"]" * 32) is not None
    assert parse_json(b"[" + b"[],[]," * 100 + b"[]]") is not None


@pytest.mark.parametrize("depth", [10_000, 400_000])
def test_deep_nesting_is_refused(depth):
    with pytest.raises(ParseError):
        parse_json(b"[" * depth + b"]" * depth)


@pytest.mark.django_db
def test_malformed_body_is_parse_error(client):
    answer = client.generic("POST", "/api/v1/sample/echo", b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PARSE_ERROR")


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"1," * 1000 + b"1]",
        b'{"picks": [' + b"{}," * 1000 + b"{}]}",
        b"[" + (b"[" + b"0," * 999 + b"0],") * 21 + b"0]",
        b"{" + b",".join(b'"%d": 1' % n for n in range(20_001)) + b"}",
        b"1" * 21,
        b"-" + b"1" * 20,
        b"1e400",
        b"-1e400",
    ],
)
def test_crowds_and_monstrous_numbers_are_refused(raw):
    with pytest.raises(ParseError):
        parse_json(raw)


def test_a_thousand_items_and_a_bigint_are_read():
    assert len(parse_json(b"[" + b"1," * 999 + b"1]")) == 1000
    assert parse_json(b"-9223372036854775808") == -(2**63)
    assert parse_json(b'"' + b"," * 5000 + b'"') == "," * 5000
