"""Signing in through a provider, from the first click to the session."""

import pytest
from django.db import connection

from accounts.models import EmailChange, ExclusionKind, Login, RecoveryCode, Session, SignInAttempt, User
from accounts.services.addresses import undo_email_change
from accounts.services.blocking import deactivate_user
from accounts.services.closing import close_account
from accounts.services.eligibility import set_age_limit
from accounts.services.exclusions import begin_exclusion, exclusion_of
from accounts.services.links import Purpose, make_change_token, make_token
from accounts.services.one_time_codes import make_recovery_codes
from accounts.services.own_data import _sections
from accounts.services.passwords import confirm_password_reset
from config.clock import database_now
from config.models import AuditEntry
from tests.accounts.social.conftest import PROFILE
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.support.devices import give_device


def code_of(answer):
    status, body = answer
    return status, body["error"]["code"]


def test_the_providers_are_listed(issuer, caller):
    status, body = caller.get("/auth/providers")

    assert (status, body["data"]) == (
        200, [{"id": "local", "name": "Local", "begin": "http://testserver/api/v1/auth/local/begin"}],
    )  # fmt: skip


def test_somebody_new_says_who_they_are_and_is_in(browser):
    code = browser.travel()["code"]

    status, body = browser.enter(code)
    assert (status, body["error"]["code"]) == (422, "PROFILE_INCOMPLETE")
    assert body["error"]["details"] == {
        "fields": ["display_name", "date_of_birth", "country", "region"],
        "email": "ada@example.test",
        "display_name": "Ada L.",
    }
    assert not User.objects.exists()

    status, body = browser.enter(code, profile=PROFILE)
    assert status == 200, body
    user = User.objects.get()
    assert body["data"]["user"]["id"] == user.pk
    assert (user.email, user.email_verified, user.has_usable_password()) == ("ada@example.test", True, False)
    browser.http.credentials(HTTP_AUTHORIZATION=f"Bearer {body['data']['access']}")
    assert browser.http.get("/api/v1/me").status_code == 200


def test_the_second_time_they_are_known_by_their_subject_alone(new_browser):
    new_browser().sign_in(PROFILE)

    status, body = new_browser().sign_in(email="elsewhere@example.test", email_verified="")

    assert (status, body["data"]["user"]["email"]) == (200, "ada@example.test")
    assert (User.objects.count(), Login.objects.count()) == (1, 1)


def test_an_account_with_the_same_proved_address_is_linked_and_told(browser, drained):
    user = UserFactory(email="ada@example.test")

    status, body = browser.sign_in()

    assert (status, body["data"]["user"]["id"]) == (200, user.pk)
    assert list(Login.objects.values_list("user_id", "provider", "subject")) == [(user.pk, "local", "ada")]
    [message] = drained()
    assert (message.to, "Local" in message.body) == ([user.email], True)


def test_the_address_is_compared_without_case(browser):
    user = UserFactory(email="ada@example.test")

    assert browser.sign_in(email="Ada@Example.TEST")[1]["data"]["user"]["id"] == user.pk


def test_an_address_the_provider_does_not_vouch_for_links_nothing(browser):
    UserFactory(email="ada@example.test")

    assert code_of(browser.sign_in(PROFILE, email_verified="")) == (403, "EMAIL_NOT_VERIFIED")
    assert (Login.objects.count(), User.objects.count(), Session.objects.count()) == (0, 1, 0)


def test_it_makes_no_account_either(browser):
    assert code_of(browser.sign_in(PROFILE, email_verified="")) == (403, "EMAIL_NOT_VERIFIED")
    assert code_of(browser.sign_in(PROFILE, email="")) == (403, "EMAIL_NOT_VERIFIED")
    assert not User.objects.exists()


def test_an_account_whose_address_was_never_proved_to_us_is_not_linked(browser):
    """Somebody may have registered it before its owner came, and would have a password to it."""
    UserFactory(email="ada@example.test", email_verified_at=None, password=PASSWORD)

    assert code_of(browser.sign_in(PROFILE)) == (403, "EMAIL_NOT_VERIFIED")
    assert not Login.objects.exists()


def test_who_registered_a_foreign_address_first_keeps_nobody_out_of_it(new_browser):
    """Neither by a password nor by a second factor, once its owner has reset the password."""
    squatted = UserFactory(email="ada@example.test", email_verified_at=None, password=PASSWORD)
    give_device(squatted)
    make_recovery_codes(squatted)
    token = make_token(Purpose.RESET_PASSWORD, squatted, now=database_now())

    confirm_password_reset(token=token, new="a wholly different phrase", now=database_now())

    status, body = new_browser().sign_in()
    assert (status, body["data"]["user"]["id"]) == (200, squatted.pk)
    assert not RecoveryCode.objects.exists()


def test_a_second_factor_of_somebody_proved_outlives_a_reset(new_browser):
    """The control: a stolen mailbox alone does not take it away."""
    user = UserFactory(email="ada@example.test", password=PASSWORD)
    give_device(user)
    token = make_token(Purpose.RESET_PASSWORD, user, now=database_now())

    confirm_password_reset(token=token, new="a wholly different phrase", now=database_now())

    assert code_of(new_browser().sign_in()) == (401, "OTP_REQUIRED")


def test_another_account_at_the_same_provider_does_not_open_it(new_browser):
    new_browser().sign_in(PROFILE)

    assert code_of(new_browser().sign_in(subject="mallory")) == (401, "INVALID_CREDENTIALS")
    assert Login.objects.get().subject == "ada"


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (PROFILE | {"country": "XX"}, "country"),
        (PROFILE | {"date_of_birth": "2999-01-01"}, "date_of_birth"),
        (PROFILE | {"display_name": "\u202eada"}, "display_name"),
        ({"country": "GB"}, "profile.display_name"),
    ],
)
def test_what_cannot_be_is_named_and_makes_nobody(browser, profile, field):
    code = browser.travel()["code"]
    status, body = browser.enter(code, profile=profile)

    assert (status, field in body["error"]["details"]) == (400, True), body
    assert not User.objects.exists()
    assert browser.enter(code, profile=PROFILE)[0] == 200


def test_the_law_of_the_place_holds_here_too(browser):
    set_age_limit(country="GB", region="", minimum_age=99, is_barred=False, by=AdminFactory(), reason="the law")
    before = User.objects.count()

    assert code_of(browser.sign_in(PROFILE)) == (403, "NOT_ELIGIBLE")
    assert User.objects.count() == before


def test_who_is_excluded_stays_so_under_a_new_account(new_browser):
    user = UserFactory(email="ada@example.test")
    begin_exclusion(user=user, kind=ExclusionKind.SELF_EXCLUSION, days=200)
    close_account(user=user, now=database_now())

    assert new_browser().sign_in(PROFILE)[0] == 200

    again = User.objects.get(email="ada@example.test")
    assert exclusion_of(user_id=again.pk, now=database_now()) is not None


def test_an_address_that_was_given_up_lately_is_kept_for_its_owner(browser):
    EmailChange.objects.create(
        user=UserFactory(), old_email="ada@example.test", new_email="new@example.test", confirmed_at=database_now(),
        undo_until=database_now().replace(year=2999),
    )  # fmt: skip

    assert code_of(browser.sign_in(PROFILE)) == (409, "EMAIL_TAKEN")
    assert not User.objects.filter(email="ada@example.test").exists()


@pytest.mark.parametrize("shut", ["deactivated", "closed"])
def test_an_account_that_is_not_open_stays_shut(new_browser, shut):
    new_browser().sign_in(PROFILE)
    user, boss = User.objects.get(), AdminFactory()
    if shut == "closed":
        close_account(user=user, now=database_now())
        assert not Login.objects.exists()
        assert code_of(new_browser().sign_in()) == (422, "PROFILE_INCOMPLETE")
    else:
        deactivate_user(user=user, by=boss, reason="asked to")
        assert code_of(new_browser().sign_in()) == (401, "INVALID_CREDENTIALS")


def test_a_second_factor_is_asked_for_and_the_code_stays_good_until_then(browser):
    user = UserFactory(email="ada@example.test")
    device = give_device(user)
    code = browser.travel()["code"]

    assert code_of(browser.enter(code)) == (401, "OTP_REQUIRED")
    assert code_of(browser.enter(code, otp=device.wrong())) == (401, "INVALID_CREDENTIALS")
    assert not Session.objects.exists()
    assert browser.enter(code, otp=device.code())[0] == 200
    assert Session.objects.get().has_second_factor


def test_staff_without_one_do_not_get_in_where_it_is_required(browser, settings):
    settings.STAFF_TOTP_REQUIRED = True
    AdminFactory(email="ada@example.test")

    status, body = browser.sign_in()

    assert (status, body["error"]["code"], body["error"]["details"]) == (401, "OTP_REQUIRED", {"is_set_up": False})
    assert not Session.objects.exists()


def test_ten_wrong_codes_are_enough(browser):
    user = UserFactory(email="ada@example.test")
    device = give_device(user)
    code = browser.travel()["code"]

    answers = [browser.enter(code, otp=device.wrong())[0] for _ in range(11)]

    assert answers == [401] * 10 + [429]


def test_letters_that_become_others_do_not_open_their_account(browser):
    """The sign of Kelvin is a k when it is made small."""
    UserFactory(email="kate@example.test")

    assert code_of(browser.sign_in(PROFILE, email="\u212aate@example.test")) == (403, "EMAIL_NOT_VERIFIED")
    assert not Login.objects.exists()


@pytest.mark.parametrize("email", ["a\x00da@example.test", "ada@example.test\n", "\U0001f600@example.test", "x" * 3000])
def test_an_address_that_is_none_is_no_crash(browser, email):
    status, body = browser.sign_in(PROFILE, email=email)

    assert status in (200, 400, 403), body


def test_our_code_works_once(browser):
    code = browser.travel()["code"]
    assert browser.enter(code, profile=PROFILE)[0] == 200

    assert code_of(browser.enter(code)) == (401, "SIGN_IN_FAILED")
    assert Session.objects.count() == 1


def test_our_code_is_worth_nothing_without_the_clients_verifier(new_browser):
    victim, thief = new_browser(), new_browser()
    code = victim.travel()["code"]

    assert code_of(thief.enter(code, profile=PROFILE)) == (401, "SIGN_IN_FAILED")
    assert victim.enter(code, profile=PROFILE)[0] == 200


def test_our_code_ends_in_time(browser):
    code = browser.travel()["code"]
    SignInAttempt.objects.update(expires_at=database_now())

    assert code_of(browser.enter(code, profile=PROFILE)) == (401, "SIGN_IN_FAILED")


def test_the_audit_knows_how_they_came_in(browser):
    browser.sign_in(PROFILE)

    user = User.objects.get()
    found = AuditEntry.objects.filter(action__startswith="login.").order_by("id")
    assert list(found.values_list("action", "person_id", "actor_id", "data__provider")) == [
        ("login.linked", user.pk, user.pk, "local"),
        ("login.used", user.pk, user.pk, "local"),
    ]
    assert "ada" not in str(list(AuditEntry.objects.values("data", "reason", "subject_id")))


def test_nothing_of_the_provider_lies_about_in_the_clear(browser):
    browser.travel()

    [row] = SignInAttempt.objects.values_list("kept", flat=True)
    assert "ada@example.test" in row
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM accounts_signinattempt a")
        [(text,)] = cursor.fetchall()
    assert "ada@example.test" not in text


def test_taking_a_stolen_account_back_takes_the_thiefs_login_away(new_browser):
    user = UserFactory(email="thief@example.test")
    change = EmailChange.objects.create(
        user=user, old_email="owner@example.test", new_email="thief@example.test", confirmed_at=database_now(),
        undo_until=database_now().replace(year=2999),
    )  # fmt: skip
    assert new_browser().sign_in(subject="thief", email="thief@example.test")[0] == 200

    undo_email_change(token=make_change_token(Purpose.UNDO_EMAIL, change, now=database_now()), now=database_now())

    assert not Login.objects.exists()
    assert code_of(new_browser().sign_in(subject="thief", email="thief@example.test")) == (422, "PROFILE_INCOMPLETE")


class TestOwnLogins:
    @pytest.fixture
    def me(self, new_browser):
        browser = new_browser()
        body = browser.sign_in(PROFILE)[1]
        browser.http.credentials(HTTP_AUTHORIZATION=f"Bearer {body['data']['access']}")
        return browser.http

    def test_they_are_listed(self, me):
        [one] = me.get("/api/v1/me/logins").json()["data"]

        assert (set(one), one["provider"]) == ({"id", "provider", "created_at", "last_used_at"}, "local")

    def test_the_only_way_in_stays(self, me):
        answer = me.delete(f"/api/v1/me/logins/{Login.objects.get().pk}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
        assert Login.objects.exists()

    def test_a_provider_that_is_not_set_up_any_more_is_no_way_in(self, me):
        user = User.objects.get()
        Login.objects.create(user=user, provider="gone", issuer="https://gone.test", subject="ada")

        answer = me.delete(f"/api/v1/me/logins/{Login.objects.get(provider='local').pk}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
        assert me.delete(f"/api/v1/me/logins/{Login.objects.get(provider='gone').pk}").status_code == 204

    def test_with_a_password_it_goes(self, me):
        user = User.objects.get()
        user.set_password(PASSWORD)
        user.save()

        assert me.delete(f"/api/v1/me/logins/{Login.objects.get().pk}").status_code == 204
        assert not Login.objects.exists()
        assert AuditEntry.objects.filter(action="login.unlinked", actor_id=user.pk).count() == 1

    def test_those_of_others_are_not_there(self, me, signed_in):
        stranger = signed_in(UserFactory(password=PASSWORD))

        assert stranger.get("/me/logins")[1]["data"] == []
        assert stranger.delete(f"/me/logins/{Login.objects.get().pk}")[0] == 404
        assert Login.objects.exists()

    def test_it_needs_a_fresh_sign_in(self, me, api):
        Session.objects.update(authenticated_at="2026-01-01T00:00:00Z")
        stale = api()
        stale.force_authenticate(User.objects.get())

        answer = stale.delete(f"/api/v1/me/logins/{Login.objects.get().pk}")

        assert answer.json()["error"]["code"] == "REAUTHENTICATION_REQUIRED"

    def test_the_own_data_have_them(self, me):
        [row] = _sections["logins"](User.objects.get())

        assert (row["provider"], row["subject"]) == ("local", "ada")
