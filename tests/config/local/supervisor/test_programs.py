import sys

import pytest

from config.local import home
from config.local.commands.up import parse
from config.local.stage import oidc_issuer
from config.local.supervisor import programs


def names(found):
    return [program.name for program in found]


def test_everything_runs_by_default(place, monkeypatch):
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    options = parse([])

    assert names(programs.first(options)) == ["stripe", "web", "live", "worker"]
    assert names(programs.second(options)) == ["beat", "oidc", "feed"]


def test_a_stripe_key_of_ones_own_leaves_the_double_out(place, monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_ones_own")
    monkeypatch.setenv("OIDC_ISSUERS", "[]")
    monkeypatch.setenv("LIVE_URL", "https://live.example")
    before = home.read_json(place / "ports.json")

    programs.choose_ports()

    assert names(programs.first(parse([]))) == ["web", "live", "worker"]
    assert home.read_json(place / "ports.json") == before


def test_an_issuer_of_ones_own_leaves_ours_out(place, monkeypatch):
    monkeypatch.setenv("OIDC_ISSUERS", "[]")

    assert names(programs.second(parse([]))) == ["beat", "feed"]


def test_the_issuer_listens_where_the_settings_look_for_it_and_sends_back_to_our_port(place, monkeypatch):
    monkeypatch.delenv("OIDC_ISSUERS", raising=False)
    programs.choose_ports()

    issuer = programs.second(parse(["--port", "8123"]))[1]

    assert issuer.argv[1:] == [
        "-m",
        "config.local.oidc",
        "--port",
        oidc_issuer()["issuer"].rpartition(":")[2],
        "--redirect-uri",
        "http://127.0.0.1:8123/api/v1/auth/local/callback",
    ]
    assert issuer.env["OIDC_CLIENT_SECRET"] == oidc_issuer()["client_secret"]


def test_without_the_demo_there_is_no_score_feed(place):
    assert names(programs.second(parse(["--no-demo"]))) == ["beat", "oidc"]


def test_the_double_listens_where_the_settings_look_for_it_and_calls_our_port(place, monkeypatch):
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRETS", raising=False)
    programs.choose_ports()

    double = programs.first(parse(["--port", "8123"]))[0]

    assert double.argv[1:] == [
        "-m",
        "config.local.stripe",
        "--port",
        home.stripe_base().rpartition(":")[2],
        "--webhook-url",
        "http://127.0.0.1:8123/api/v1/webhooks/stripe",
    ]
    assert double.env["STRIPE_WEBHOOK_SECRETS"] == home.secrets()["STRIPE_WEBHOOK_SECRETS"]


def test_every_program_runs_in_our_environment(place):
    options = parse([])

    assert {program.argv[0] for program in programs.first(options) + programs.second(options)} == {sys.executable}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("pools.local", "http://pools.local:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host, address):
    assert parse(["--host", host]).address == address
