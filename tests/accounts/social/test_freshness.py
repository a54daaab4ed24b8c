"""When somebody who comes through a provider proved who they are."""

from datetime import timedelta

import pytest

from accounts.models import Session
from config.clock import database_now
from tests.accounts.social.conftest import said
from tests.factories.accounts import UserFactory
from tests.support.devices import give_device


def begun_again(browser, user):
    """A call that only a fresh sign-in may make."""
    status, body = browser.sign_in()
    assert status == 200, body
    browser.http.credentials(HTTP_AUTHORIZATION=f"Bearer {body['data']['access']}")
    return browser.http.post("/api/v1/api-keys", {"name": "x", "scopes": ["account:read"]}, format="json")


class TestFreshness:
    """A browser can be signed in at a provider for weeks, and is not its owner's for that."""

    @pytest.fixture
    def user(self):
        return UserFactory(email="ada@example.test")

    def test_who_was_asked_just_now_is_fresh(self, browser, user):
        assert begun_again(browser, user).status_code == 201

    def test_who_was_asked_long_ago_is_not(self, browser, user, issuer):
        issuer.faults = {"signed_in_long_ago"}

        answer = begun_again(browser, user)

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "REAUTHENTICATION_REQUIRED")
        assert database_now() - Session.objects.get().authenticated_at > timedelta(hours=7)

    def test_the_provider_asks_again_when_it_is_to(self, browser, user, issuer):
        issuer.faults = {"signed_in_long_ago"}
        page = browser.begin(anew="true")["Location"]
        assert {"prompt=login", "max_age=0"} <= set(page.split("&"))
        arrived = browser.arrive(browser.decide(page, subject="ada", email="ada@example.test", email_verified="true"))
        body = browser.enter(said(arrived)["code"])[1]

        browser.http.credentials(HTTP_AUTHORIZATION=f"Bearer {body['data']['access']}")
        answer = browser.http.post("/api/v1/api-keys", {"name": "x", "scopes": ["account:read"]}, format="json")

        assert answer.status_code == 201

    def test_it_is_not_asked_to_otherwise(self, browser):
        assert "prompt=" not in browser.leave()

    def test_a_provider_that_does_not_say_when_is_believed_for_now(self, browser, user, issuer):
        issuer.faults = {"no_auth_time"}

        assert begun_again(browser, user).status_code == 201

    def test_a_clock_ahead_of_ours_makes_nobody_fresher(self, browser, user, issuer, monkeypatch):
        claims = issuer._claims
        monkeypatch.setattr(issuer, "_claims", lambda grant: claims(grant) | {"auth_time": 4_000_000_000})

        begun_again(browser, user)

        assert Session.objects.get().authenticated_at <= database_now()

    def test_our_own_second_factor_is_proof_of_now(self, browser, user, issuer):
        issuer.faults = {"signed_in_long_ago"}
        device = give_device(user)

        browser.enter(browser.travel()["code"], otp=device.code())

        assert database_now() - Session.objects.get().authenticated_at < timedelta(minutes=1)
