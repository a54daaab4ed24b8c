"""Many at once with one code, and somebody new who comes twice at the same moment.

The control leaves out the one statement that spends a code: several sessions begin with it then.
"""

import json
from dataclasses import asdict
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db.models.query import QuerySet

from accounts.models import Login, Session, SignInAttempt, User
from accounts.oidc.protocol import Identity
from accounts.oidc.providers import provider_named
from accounts.services.closing import close_account
from accounts.services.logins import recognise, sign_in_with, unlink
from accounts.services.sign_in_attempts import _challenge, _digest, end_sign_in
from config.clock import database_now
from config.errors import Code
from config.locks import advisory_lock
from tests.factories.accounts import UserFactory
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)
PROFILE = {"display_name": "Ada", "date_of_birth": date(1990, 12, 10), "country": "GB", "region": ""}


@pytest.fixture
def came_back(issuer):
    """An attempt whose person is known; its code."""

    def make(identity):
        code = uuid4().hex
        SignInAttempt.objects.create(
            provider="local", return_to="https://app.example.test/", challenge=_challenge("v"),
            state_digest=_digest(uuid4().hex), browser_digest=_digest("b"), code_digest=_digest(code),
            kept=json.dumps(asdict(identity)), returned_at=database_now(),
            expires_at=database_now() + timedelta(minutes=5),
        )  # fmt: skip
        return code

    return make


def somebody(issuer):
    """Another one each time."""
    name = uuid4().hex
    return Identity(issuer.url, name, f"{name}@example.test", True, "Ada")


def entering(code, profile=None):
    def enter():
        known = recognise(code=code, verifier="v")
        return sign_in_with(known=known, otp="", profile=profile, address="", user_agent="", now=database_now())

    return enter


@again_and_again
def test_of_eight_with_one_code_one_gets_in(issuer, came_back):
    identity = somebody(issuer)
    user, code = UserFactory(email=identity.email), came_back(identity)

    outcomes = run_together([entering(code)] * 8)

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.SIGN_IN_FAILED] * 7)
    assert Session.objects.filter(user=user).count() == 1


def test_without_spending_it_several_get_in(issuer, came_back, monkeypatch):
    """The control of the test above."""
    identity = somebody(issuer)
    UserFactory(email=identity.email)
    code = came_back(identity)
    update = QuerySet.update

    def forgetful(self, **changes):
        return 1 if "spent_at" in changes else update(self, **changes)

    monkeypatch.setattr("accounts.models.logins.SignInAttemptQuerySet.update", forgetful)

    assert len(successes(run_together([entering(code)] * 8))) > 1


@again_and_again
def test_somebody_new_who_comes_six_times_at_once_has_one_account(issuer, came_back):
    identity = somebody(issuer)
    sought = [came_back(identity) for _ in range(6)]

    outcomes = run_together([entering(code, PROFILE) for code in sought])

    assert len(successes(outcomes)) == 6
    user = User.objects.get(email=identity.email)
    assert (Login.objects.filter(user=user).count(), Session.objects.filter(user=user).count()) == (1, 6)


def of(issuer_url, name, subject=""):
    return Identity(issuer_url, subject or name, f"{name}@example.test", True, "Ada")


@pytest.fixture
def two_issuers(issuer, settings):
    """Another provider beside the local one, for what its tokens have said already."""
    other = "https://other.example.test"
    settings.OIDC_ISSUERS = [
        *settings.OIDC_ISSUERS,
        {"id": "other", "name": "Other", "issuer": other, "client_id": "c", "client_secret": "s"},
    ]
    return issuer.url, other


@again_and_again
def test_two_providers_that_bring_one_new_address_at_once_make_one_account(two_issuers, came_back):
    name = uuid4().hex
    sought = [came_back(of(url, name)) for url in two_issuers for _ in range(3)]

    outcomes = run_together([entering(code, PROFILE) for code in sought])

    assert len(successes(outcomes)) == 6
    user = User.objects.get(email=f"{name}@example.test")
    assert sorted(Login.objects.filter(user=user).values_list("issuer", flat=True)) == sorted(two_issuers)


@again_and_again
def test_two_providers_that_bring_a_known_address_at_once_link_one_account(two_issuers, came_back):
    name = uuid4().hex
    user = UserFactory(email=f"{name}@example.test")
    sought = [came_back(of(url, name)) for url in two_issuers for _ in range(3)]

    assert len(successes(run_together([entering(code) for code in sought]))) == 6
    assert Login.objects.filter(user=user).count() == 2


@again_and_again
def test_of_two_accounts_at_one_provider_with_one_address_one_gets_it(issuer, came_back):
    name = uuid4().hex
    sought = [came_back(of(issuer.url, name, subject=f"{name}-{number}")) for number in range(4)]

    outcomes = run_together([entering(code, PROFILE) for code in sought])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.INVALID_CREDENTIALS] * 3)
    assert Login.objects.filter(user__email=f"{name}@example.test").count() == 1


def test_without_holding_the_address_somebody_is_turned_away(two_issuers, came_back, monkeypatch):
    """The control of the three above: they find the address free, and all but one of them taken."""

    def hold(key):
        if "address" not in key:
            advisory_lock(key)

    monkeypatch.setattr("accounts.services.logins.advisory_lock", hold)
    for _ in range(10):
        name = uuid4().hex
        sought = [came_back(of(url, name)) for url in two_issuers]
        if codes(run_together([entering(code, PROFILE) for code in sought])) == [Code.EMAIL_TAKEN]:
            return
    pytest.fail("the race did not appear")


@again_and_again
def test_of_two_ways_in_taken_away_at_once_one_stays(two_issuers):
    user = UserFactory(email=f"{uuid4().hex}@example.test")
    user.set_unusable_password()
    user.save()
    logins = [Login.objects.create(user=user, provider="x", issuer=url, subject=uuid4().hex) for url in two_issuers]

    outcomes = run_together([lambda login=login: unlink(user=user, login_id=login.pk) for login in logins])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.INVALID_TRANSITION])
    assert Login.objects.filter(user=user).count() == 1


@again_and_again
def test_a_sign_in_beside_the_closing_of_its_account_opens_nothing_closed(issuer, came_back):
    identity = somebody(issuer)
    user = UserFactory(email=identity.email)
    Login.objects.create(user=user, provider="local", issuer=identity.issuer, subject=identity.subject)
    codes_of_ours = [came_back(identity) for _ in range(3)]

    run_together([*(entering(code) for code in codes_of_ours), lambda: close_account(user=user, now=database_now())])

    assert not Session.objects.live().filter(user=user).exists()
    assert not Login.objects.filter(user=user).exists()


@again_and_again
def test_a_way_back_that_comes_six_times_at_once_goes_on_once(new_browser, issuer):
    browser = new_browser()
    address = browser.decide(browser.leave(), subject="ada", email="ada@example.test", email_verified="true")
    asked = dict(pair.split("=") for pair in address.split("?")[1].split("&"))
    cookie = browser.http.cookies["outlast_sign_in"].value

    before = len(issuer.grants)

    def arrive():
        return end_sign_in(
            provider=provider_named("local"),
            state=asked["state"],
            code=asked["code"],
            error="",
            issuer="",
            browser=cookie,
        )

    outcomes = run_together([arrive] * 6)

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.SIGN_IN_FAILED] * 5)
    assert len(issuer.grants) == before - 1
