"""The way to the provider and back: what it carries, and what does not come through."""

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.cache import caches

from accounts.models import SignInAttempt
from accounts.oidc.discovery import metadata_of
from accounts.oidc.failures import WrongAnswer
from accounts.oidc.providers import Provider
from accounts.services.sign_in_attempts import forget_attempts
from config.clock import database_now
from config.models import AuditEntry
from tests.accounts.social.conftest import PROFILE, RETURN_TO, said


def asked_of(page):
    return {name: value for name, [value] in parse_qs(urlsplit(page).query).items()}


def refused(answer):
    body = answer.json()
    return answer.status_code, body["error"]["code"]


def test_the_browser_leaves_with_state_nonce_and_a_challenge(browser, issuer):
    asked = asked_of(browser.leave())

    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (
        "outlast-test", "code", "S256",
    )  # fmt: skip
    assert asked["redirect_uri"] == "http://testserver/api/v1/auth/local/callback"
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


def test_no_two_sign_ins_share_anything(new_browser):
    first, second = (asked_of(new_browser().leave()) for _ in range(2))

    assert not {first[name] for name in ("state", "nonce", "code_challenge")} & set(second.values())


def test_the_cookie_is_for_us_alone_and_for_minutes(browser):
    cookie = browser.begin().cookies["outlast_sign_in"]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        True, "Lax", "/api/v1/auth/", 900,
    )  # fmt: skip


def test_no_answer_on_the_way_is_kept_or_named_to_other_sites(browser):
    answer = browser.begin()
    back = browser.arrive(browser.decide(answer["Location"], subject="ada"))

    for one in (answer, back):
        assert (one["Cache-Control"], one["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/",
        "https://app.example.test/signed-in/../x",
        "https://app.example.test/signed-in?next=https://evil.test",
        "https://app.example.test.evil.test/signed-in",
        "https://app.example.test@evil.test/signed-in",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "HTTPS://APP.EXAMPLE.TEST/signed-in",
        "https://app.example.test/signed-in#x",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_ours(browser, address):
    answer = browser.begin(return_to=address)

    assert (refused(answer), list(answer.json()["error"]["details"])) == ((400, "VALIDATION_ERROR"), ["return_to"])
    assert not SignInAttempt.objects.exists()


def test_without_an_address_it_is_the_first(browser):
    assert browser.begin(return_to="").status_code == 302
    assert SignInAttempt.objects.get().return_to == RETURN_TO


@pytest.mark.parametrize("challenge", ["", "short", "a" * 44, "ä" * 43, "+" * 43])
def test_the_client_brings_a_challenge_of_its_own(browser, challenge):
    answer = browser.begin(code_challenge=challenge)

    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["code_challenge"])


def test_a_provider_that_is_not_set_up_is_not_there(new_browser):
    assert refused(new_browser("google").begin()) == (404, "NOT_FOUND")


def test_who_changes_their_mind_comes_back_without_a_code(browser):
    answer = browser.arrive(browser.decide(browser.leave(), cancel="1"))

    assert said(answer) == {"error": "SIGN_IN_CANCELLED"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied", "SIGN_IN_CANCELLED"), ("user_cancelled_authorize", "SIGN_IN_CANCELLED"),
        ("server_error", "PROVIDER_ERROR"), ("temporarily_unavailable", "PROVIDER_ERROR"),
        ("invalid_scope", "SIGN_IN_FAILED"), ("login_required", "SIGN_IN_FAILED"), ("<script>", "SIGN_IN_FAILED"),
        ("", "SIGN_IN_FAILED"),
    ],
)  # fmt: skip
def test_what_a_provider_answers_in_place_of_a_code_is_told_apart(browser, issuer, caplog, error, told):
    state = asked_of(browser.leave())["state"]

    answer = browser.http.get(
        "/api/v1/auth/local/callback", {"state": state, "error": error, "code": "x" * bool(error)}
    )

    assert said(answer) == {"error": told}
    assert "/token" not in issuer.calls
    assert ("invalid_scope" in caplog.text) is (error == "invalid_scope")
    assert "<script>" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("wrong_audience", "InvalidAudienceError"), ("wrong_nonce", "a token of another sign-in"),
        ("server_error", "503"),
    ],
)  # fmt: skip
def test_the_log_says_why_for_whoever_set_it_up(browser, issuer, caplog, fault, why):
    issuer.faults = {fault}
    browser.travel()

    assert "through local" in caplog.text
    assert why in caplog.text


def test_what_a_provider_adds_to_the_way_back_is_let_be(browser):
    """As Google does."""
    address = browser.decide(browser.leave(), subject="ada")

    assert "code" in said(browser.arrive(f"{address}&scope=email+openid&authuser=0&hd=example.test&prompt=none"))


def test_the_way_back_works_once(browser):
    address = browser.decide(browser.leave(), subject="ada")
    assert "code" in said(browser.arrive(address))

    assert refused(browser.arrive(address)) == (401, "SIGN_IN_FAILED")


def test_another_browser_does_not_come_back_with_it(new_browser):
    """Else a stranger could have somebody sign in to the stranger's account."""
    attacker, victim = new_browser(), new_browser()
    address = attacker.decide(attacker.leave(), subject="mallory")

    assert refused(victim.arrive(address)) == (401, "SIGN_IN_FAILED")
    victim.leave()
    assert refused(victim.arrive(address)) == (401, "SIGN_IN_FAILED")
    assert "code" in said(attacker.arrive(address))


def test_an_invented_state_comes_from_nowhere(browser):
    browser.leave()

    for state in ("", "x", "a" * 43, "%00"):
        answer = browser.http.get(f"/api/v1/auth/local/callback?state={state}&code=x")
        assert answer.status_code in (400, 401)
        assert "Location" not in answer


def test_a_way_back_too_late_is_none(browser):
    address = browser.decide(browser.leave(), subject="ada")
    SignInAttempt.objects.update(expires_at=database_now())

    assert refused(browser.arrive(address)) == (401, "SIGN_IN_FAILED")


def test_a_code_of_one_provider_is_not_brought_to_another(new_browser, settings, issuer_server):
    [local] = settings.OIDC_ISSUERS
    settings.OIDC_ISSUERS = [local, local | {"id": "other", "name": "Other"}]
    browser = new_browser()
    address = browser.decide(browser.leave(), subject="ada")

    assert refused(browser.arrive(address.replace("/local/", "/other/"))) == (401, "SIGN_IN_FAILED")


def test_an_answer_in_the_name_of_another_issuer_is_refused(browser, issuer):
    address = browser.decide(browser.leave(), subject="ada")
    mixed = re.sub(r"&iss=[^&]+", "&iss=https%3A%2F%2Felsewhere.test", address)

    assert said(browser.arrive(mixed)) == {"error": "SIGN_IN_FAILED"}
    assert "/token" not in issuer.calls


def test_a_form_becomes_a_link_that_brings_the_cookie_along(browser):
    """As Apple answers: a form from another site, which comes without it."""
    address = browser.decide(browser.leave(), subject="ada")
    parts = urlsplit(address)
    query = {name: value for name, [value] in parse_qs(parts.query).items()}
    cookies = browser.http.cookies.pop("outlast_sign_in")

    form = urlencode(query | {"user": json.dumps({"name": {"firstName": "Ada"}})})
    posted = browser.http.generic("POST", parts.path, form, content_type="application/x-www-form-urlencoded")
    assert posted.status_code == 303
    assert posted["Location"].startswith("/api/v1/auth/local/callback?")

    browser.http.cookies["outlast_sign_in"] = cookies.value
    assert "code" in said(browser.http.get(posted["Location"]))


FAULTS = [
    "wrong_audience", "wrong_issuer", "wrong_nonce", "no_nonce", "expired", "future", "no_subject", "unsigned",
    "foreign_key", "unknown_key", "symmetric", "public_key_as_secret", "own_key_in_header", "unknown_crit",
    "foreign_party", "no_token", "no_json", "odd_json",
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_does_not_hold_opens_nothing(browser, issuer, fault):
    issuer.faults = {fault}

    assert browser.travel() == {"error": "SIGN_IN_FAILED"}
    attempt = SignInAttempt.objects.get()
    assert attempt.code_digest is None
    entry = AuditEntry.objects.get(action="sign_in.failed")
    assert (entry.actor_kind, entry.data) == ("anonymous", {"why": "provider", "provider": "local"})


def test_without_a_fault_the_same_way_leads_in(browser):
    """The control of the test above."""
    assert set(browser.travel()) == {"code"}


def test_a_provider_that_is_away_is_no_failure_of_the_person(browser, issuer):
    issuer.faults = {"server_error"}

    assert browser.travel() == {"error": "PROVIDER_ERROR"}


def test_a_provider_that_cannot_be_found_is_said_before_anybody_leaves(browser, settings):
    [local] = settings.OIDC_ISSUERS
    settings.OIDC_ISSUERS = [local | {"issuer": "http://127.0.0.1:1"}]

    assert refused(browser.begin()) == (502, "PROVIDER_ERROR")


def test_a_discovery_that_does_not_hold_is_not_kept(new_browser, issuer, monkeypatch):
    """Else a provider's bad minute would be an hour for us."""
    good = issuer.discovery()
    for odd in ({}, [], "x", good | {"jwks_uri": None, "issuer": "https://elsewhere.test"}, good | {issuer.url: 1}):
        monkeypatch.setattr(issuer, "discovery", lambda odd=odd: odd)
        answer = new_browser().begin()
        assert answer.status_code == (302 if issuer.url in odd else 502), odd


@pytest.mark.parametrize("ways", [7, "client_secret_basic", None, []])
def test_odd_ways_to_show_a_secret_do_no_harm(browser, issuer, monkeypatch, ways):
    said_by_it = issuer.discovery() | {"token_endpoint_auth_methods_supported": ways}
    monkeypatch.setattr(issuer, "discovery", lambda: said_by_it)

    assert browser.begin().status_code == (502 if ways == 7 else 302)


def test_keys_that_are_none_are_not_kept(new_browser, issuer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(issuer, "keys", lambda: {"keys": None})
        assert new_browser().travel() == {"error": "SIGN_IN_FAILED"}

    assert "code" in new_browser().travel()


@pytest.mark.parametrize("code", ["", "x", "%00", "%F0%9F%92%A9", "a" * 2000, "x&code=y", "%0d%0aSet-Cookie:x"])
def test_a_code_that_is_none_of_the_providers_opens_nothing(browser, code):
    asked = asked_of(browser.leave())

    answer = browser.http.get(f"/api/v1/auth/local/callback?state={asked['state']}&code={code}")

    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert said(answer)["error"] in ("SIGN_IN_CANCELLED", "SIGN_IN_FAILED")
    assert not SignInAttempt.objects.exclude(code_digest=None).exists()


def test_a_discovery_of_another_issuer_is_refused(browser, settings):
    [local] = settings.OIDC_ISSUERS
    settings.OIDC_ISSUERS = [local | {"issuer": local["issuer"].replace("127.0.0.1", "localhost")}]

    assert refused(browser.begin()) == (502, "PROVIDER_ERROR")


def test_a_provider_inside_our_own_network_is_not_called(browser, issuer, settings):
    settings.IS_SERVED = True

    assert refused(browser.begin()) == (502, "PROVIDER_ERROR")
    assert issuer.calls == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/x", "http://club.test/x", "javascript:alert(1)", "file:///etc/passwd", ""]
)
def test_where_a_provider_answers_is_encrypted_when_we_are_served(settings, issuer, monkeypatch, name, address):
    settings.IS_SERVED = True
    provider = Provider("club", "Club", "https://club.test", "c", "s")
    good = {f: f"https://club.test/{f}" for f in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    said_by_it = {"issuer": "https://club.test"} | good
    monkeypatch.setattr("accounts.oidc.discovery._fetched", lambda address: said_by_it)
    assert metadata_of(provider).jwks_uri == "https://club.test/jwks_uri"

    caches["default"].clear()
    said_by_it[name] = address
    with pytest.raises(WrongAnswer):
        metadata_of(provider)


def test_a_wrong_secret_of_ours_opens_nothing(browser, settings):
    page = browser.leave()
    [local] = settings.OIDC_ISSUERS
    settings.OIDC_ISSUERS = [local | {"client_secret": "another"}]

    assert said(browser.arrive(browser.decide(page, subject="ada"))) == {"error": "SIGN_IN_FAILED"}


def test_new_keys_are_fetched_when_they_are_needed(new_browser, issuer):
    assert "code" in new_browser().travel()
    issuer.rotate()

    assert "code" in new_browser().travel()
    assert "code" in new_browser().travel()
    assert issuer.calls.count("/keys") == 2


def test_invented_keys_do_not_send_us_there_each_time(new_browser, issuer):
    issuer.faults = {"unknown_key"}

    for _ in range(4):
        assert new_browser().travel() == {"error": "SIGN_IN_FAILED"}

    assert issuer.calls.count("/keys") == 2


def test_the_issuer_is_asked_about_itself_once(new_browser, issuer):
    for _ in range(3):
        new_browser().travel()

    assert issuer.calls.count("/.well-known/openid-configuration") == 1


def test_sign_ins_that_are_over_are_forgotten(new_browser):
    new_browser().sign_in(PROFILE)
    new_browser().leave()
    SignInAttempt.objects.filter(spent_at=None).update(expires_at=database_now())

    assert [forget_attempts(now=database_now()) for _ in range(2)] == [1, 0]
    assert SignInAttempt.objects.count() == 1
