"""What opens a door on the way through a provider lies nowhere: not in logs, mails, the audit nor in any table."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import Login
from tests.accounts.social.conftest import CLIENT, PROFILE, said
from tests.accounts.staff.test_canaries import whole_database


@pytest.fixture
def everything_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.parametrize("faults", [set(), {"wrong_nonce"}, {"no_token"}, {"odd_json"}, {"server_error"}])
def test_a_sign_in_leaves_nothing_that_opens_anything(browser, issuer, everything_logged, drained, faults, monkeypatch):
    tokens, told = [], issuer.token
    monkeypatch.setattr(issuer, "token", lambda grant: tokens.append(told(grant)) or tokens[-1])
    issuer.faults = faults
    page = browser.leave()
    asked = {name: value for name, [value] in parse_qs(urlsplit(page).query).items()}
    cookie = browser.http.cookies["outlast_sign_in"].value
    back = browser.decide(page, subject="ada", email="ada@example.test", email_verified="true")
    theirs = parse_qs(urlsplit(back).query)["code"][0]
    ours = said(browser.arrive(back)).get("code", "")
    if ours:
        assert browser.enter(ours, profile=PROFILE)[0] == 200
    mails = " ".join(message.message().as_string() for message in drained())

    canaries = [
        asked["state"],
        asked["nonce"],
        cookie,
        theirs,
        browser.verifier,
        CLIENT["client_secret"],
        *tokens,
        ours,
    ]
    for canary in filter(None, canaries):
        assert canary not in everything_logged.text
        assert canary not in mails
        assert canary not in whole_database()
    assert bool(ours) is Login.objects.exists() is (not faults)


def test_a_key_lies_nowhere_either(signed_in, user, new_caller, everything_logged, drained):
    made = signed_in(user).post("/api-keys", {"name": "Scoreboard", "scopes": ["account:read"]})[1]["data"]["key"]
    caller = new_caller()
    caller.http.credentials(HTTP_AUTHORIZATION=f"Api-Key {made}")
    assert caller.get("/me")[0] == 200
    assert caller.get("/entries")[0] == 403
    mails = " ".join(message.message().as_string() for message in drained())

    secret = made.rsplit("_", 1)[1]
    for text in (everything_logged.text, mails, whole_database()):
        assert secret not in text
