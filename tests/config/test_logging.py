"""Log lines tell what happened, under which request, and nothing that belongs to anybody."""

import itertools
import json
import logging
from logging.config import dictConfig

import pytest

from config.logging import (
    SECRETS,
    JsonLines,
    RequestContext,
    current_request_id,
    logging_config,
    one_line,
    scrub,
    without_rows,
)
from config.tracing import begin


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("mail to ann.o'neil+x@sub.example.co.uk failed", "mail to ann.o'[mail] failed"),
        ("ann@example.com, bob@example.com", "[mail], [mail]"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-_def end", "token [jwt] end"),
        ("key sk_test_abcdef1234 and whsec_abcdef1234", "key [key] and [key]"),
        ("secret pi_3Nabc_secret_xyz", "secret [key]"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: [header]"),
        ("api-key abcdefgh12345678", "[header]"),
        ("made ol_abcdefgh2345_abcdefghijklmnopqrstuvwxyz", "made [key]"),
        ("postgres://outlast:pass-word@host/db", "postgres://[url]@host/db"),
        ("GET /api/v1/pools/17 200 3ms", "GET /api/v1/pools/17 200 3ms"),
    ],
)
def test_secrets_become_their_kind(said, logged):
    assert scrub(said) == logged


PIECES = (
    "ann@example.com", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0", "sk_test_abcd", "rk_live_abcd", "seti_test_abcd",
    "whsec_abcd", "pi_3N_secret_x", "ol_abcdefgh2345_abcd", "pool_", "pool_id 3", "BEARER abcdefgh",
    "Api-Key  abcdefgh", "x://a:b@c", "://", ":", " ", "_", "é", "GET api/v1/pools",
)  # fmt: skip


def test_whatever_is_taken_for_harmless_has_no_secret():
    """Looked at quickly first; what is found there is what the whole look finds."""
    for pieces in itertools.product(PIECES, repeat=3):
        text = "".join(pieces)
        assert scrub(text) == SECRETS.sub(lambda match: f"[{match.lastgroup}]", text), text


def test_what_a_database_quotes_is_left_out_with_or_without_lines_before_it():
    assert (
        without_rows('invalid input syntax for type integer: "secret"')
        == "invalid input syntax for type integer: [value]"
    )
    assert without_rows("broken\nDETAIL:  Key (email)=(a) exists.\n") == "broken\nDETAIL: [row]\n"
    assert without_rows("nothing quoted") == "nothing quoted"


def test_one_event_is_one_line():
    assert one_line("a\nb\r\x1b[31mc\u2028d") == "a\\nb\\r\\x1b[31mc\\u2028d"
    assert one_line("tab\tand é stay") == "tab\tand é stay"


@pytest.fixture
def log(request, capsys):
    """A logger under our configuration; `lines()` gives what it wrote."""

    def make(*, as_json):
        config = logging_config(level="INFO", as_json=as_json)
        # On its own name, so that the loggers of the test run stay as they are.
        config["loggers"] = {"sample": {"handlers": ["stderr"], "level": "INFO", "propagate": False}}
        config["incremental"] = False
        del config["root"]
        dictConfig(config)
        return logging.getLogger("sample"), lambda: capsys.readouterr().err.splitlines()

    yield make
    logging.getLogger("sample").handlers.clear()


def test_machines_read_json_with_the_request_id(log):
    logger, lines = log(as_json=True)
    token = current_request_id.set("abc-123")
    logger.warning("refused %s", "ann@example.com\nforged line")
    current_request_id.reset(token)
    (line,) = lines()
    found = json.loads(line)
    assert found["message"] == "refused [mail]\\nforged line"
    assert (found["level"], found["logger"], found["request_id"]) == ("WARNING", "sample", "abc-123")
    assert found["at"]


def test_people_read_text_with_the_request_id(log):
    logger, lines = log(as_json=False)
    logger.info("hello %s", "ann@example.com")
    (line,) = lines()
    assert line.endswith("INFO    sample [-] hello [mail]")


def test_machines_read_the_trace_and_what_is_said_besides(log):
    logger, lines = log(as_json=True)
    with begin(request_id="req-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"):
        logger.info("answered", extra={"route": "api/v1/pools", "ms": 1.5, "note": "ann@example.com\n\x1b[31m"})
    (line,) = lines()
    found = json.loads(line)
    assert (found["trace_id"], found["route"], found["ms"], found["process"]) == (
        "a" * 32,
        "api/v1/pools",
        1.5,
        "command",
    )
    assert "example.com" not in line
    assert "\x1b" not in line


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        'duplicate key value violates "user_iban"\nDETAIL:  Key (iban)=(DE89370400440532013000) exists.',
        "refused\nDETAIL:  Failing row contains (7, DE89370400440532013000,\nwith a line break).\nHINT:  Look.",
        'invalid input syntax for type integer: "DE89370400440532013000"',
        "syntax error\nLINE 1: SELECT 'DE89370400440532013000'\n                ^",
    ],
)
def test_what_postgresql_quotes_of_rows_is_not_told(log, as_json, said):
    logger, lines = log(as_json=as_json)
    logger.warning("failed: %s", said)
    try:
        try:
            raise ValueError(said)
        except ValueError as error:
            raise LookupError("on top") from error
    except LookupError:
        logger.exception("failed")
    written = "\n".join(lines())
    assert "DE89" not in written
    assert "with a line break" not in written
    assert "LookupError" in written
    assert "The above exception was the direct cause" in written


@pytest.mark.parametrize("as_json", [True, False])
def test_traces_are_scrubbed_too(log, as_json):
    logger, lines = log(as_json=as_json)
    try:
        raise ValueError("duplicate: (email)=(ann@example.com)")
    except ValueError:
        logger.exception("failed")
    written = "\n".join(lines())
    assert "ValueError" in written
    assert "ann@example.com" not in written


def test_formatters_are_those_of_the_configuration():
    config = logging_config(level="INFO", as_json=True)
    assert config["formatters"]["json"]["()"] == f"{JsonLines.__module__}.{JsonLines.__qualname__}"
    assert config["filters"]["request_context"]["()"] == f"{RequestContext.__module__}.{RequestContext.__qualname__}"
    assert config["handlers"]["stderr"]["formatter"] == "json"
