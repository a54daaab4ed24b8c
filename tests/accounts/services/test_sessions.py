"""Sign in, keep signed in, sign out."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher
from django.db import transaction
from django.test import TransactionTestCase
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import Session, SessionEnd, User
from accounts.services import sessions
from accounts.services.sessions import (
    InvalidCredentials,
    end_all_sessions,
    refresh_session,
    sign_in,
    sign_out,
)
from accounts.services.tokens import RefreshToken, TokenInvalid, read_access, read_refresh
from config.clock import database_now
from config.errors import Code, Malformed
from tests.factories.accounts import PASSWORD, UserFactory


def enter(user, **given):
    return sign_in(**({"email": user.email, "password": PASSWORD} | given))


def live(user) -> int:
    return Session.objects.live().filter(user=user).count()


def spent(refresh: str) -> bool:
    return BlacklistedToken.objects.filter(token__jti=read_refresh(refresh).jti).exists()


def test_signing_in_begins_a_session(user):
    before = database_now()

    signed_in = enter(user, address="2001:db8::7", user_agent="Phone\x00 \x1b1 " + "x" * 300)

    session = Session.objects.get()
    assert signed_in.user == user
    assert (session.user, session.address, session.revoked_at) == (user, "2001:db8::7", None)
    assert session.user_agent == ("Phone 1 " + "x" * 300)[:200]
    assert User.objects.get().last_login > before


def test_the_tokens_name_their_session_and_their_version(user):
    pair = enter(user).pair
    session = Session.objects.get()

    access, refresh = read_access(pair.access.encode()), read_refresh(pair.refresh)
    assert (access.user_id, access.session_id, access.token_version) == (user.pk, session.pk, 1)
    assert (refresh.session_id, refresh.jti) == (session.pk, session.current_jti)


def test_no_token_is_stored_that_could_be_used(user):
    enter(user)

    assert OutstandingToken.objects.get().token == ""


@pytest.mark.parametrize("email", ["GRACE@Example.test", " grace@example.test "])
def test_the_address_may_be_written_in_any_case(user, email):
    assert enter(user, email=email).user == user


@pytest.mark.parametrize(
    "given",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": PASSWORD + " "},
        {"password": PASSWORD.upper()},
        {"email": "nobody@example.test"},
        {"email": ""},
    ],
)
def test_wrong_credentials_are_refused_with_one_answer(user, given):
    with pytest.raises(InvalidCredentials) as caught:
        enter(user, **given)

    assert caught.value.code is Code.INVALID_CREDENTIALS
    assert not Session.objects.exists()


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_active": False, "closed_at": "2026-01-01T00:00Z"}])
def test_an_account_that_is_not_open_is_refused_with_the_same_answer(user, fields):
    User.objects.filter(pk=user.pk).update(**fields)

    with pytest.raises(InvalidCredentials):
        enter(user)


def test_somebody_without_a_password_cannot_sign_in(db):
    with pytest.raises(InvalidCredentials):
        enter(UserFactory(), password="!")


@pytest.fixture
def hashings(monkeypatch):
    """How often the hasher worked."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    calls, encode, verify = [], Argon2PasswordHasher.encode, Argon2PasswordHasher.verify
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *given: calls.append("encode") or encode(*given))
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *given: calls.append("verify") or verify(*given))
    return calls


@pytest.mark.parametrize("who", ["wrong password", "nobody", "no password", "inactive"])
def test_every_refusal_costs_the_same_work(user, hashings, who):
    UserFactory(email="none@example.test")
    UserFactory(email="inactive@example.test", password=PASSWORD, is_active=False)
    given = {
        "wrong password": {"password": "wrong"},
        "nobody": {"email": "nobody@example.test"},
        "no password": {"email": "none@example.test"},
        "inactive": {"email": "inactive@example.test"},
    }
    hashings.clear()

    with pytest.raises(InvalidCredentials):
        enter(user, **given[who])

    assert len(hashings) == 1


def test_a_one_time_code_that_nobody_would_check_is_refused(user):
    with pytest.raises(Malformed) as caught:
        enter(user, otp="123456")

    assert list(caught.value.details) == ["otp"]
    assert not Session.objects.exists()


def test_a_one_time_code_tells_nothing_without_the_password(user):
    with pytest.raises(InvalidCredentials):
        enter(user, otp="123456", password="wrong")


def test_a_hash_of_an_older_kind_is_renewed(user):
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    user.save()

    enter(user)

    user.refresh_from_db()
    assert identify_hasher(user.password).algorithm == "argon2"
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("change", [{"password": "argon2$other"}, {"is_active": False}])
def test_what_changed_while_the_hasher_worked_counts(user, monkeypatch, change):
    """Otherwise a session begun with the old password would outlive the change that ended all of them."""
    verify = sessions.check_password

    def change_meanwhile(*given, **more):
        is_right = verify(*given, **more)
        User.objects.filter(pk=user.pk).update(**change)
        return is_right

    monkeypatch.setattr(sessions, "check_password", change_meanwhile)

    with pytest.raises(InvalidCredentials):
        enter(user)
    assert not Session.objects.exists()


def test_an_address_that_is_not_verified_may_sign_in(db):
    user = UserFactory(password=PASSWORD, email_verified_at=None)

    assert enter(user).user == user


@pytest.mark.parametrize("address", ["", "unknown", "999.1.1.1"])
def test_an_address_that_is_none_is_not_kept(user, address):
    enter(user, address=address)

    assert Session.objects.get().address is None


def test_a_refresh_spends_the_token_and_gives_the_next(user):
    first = enter(user).pair

    second = refresh_session(refresh=first.refresh)

    session = Session.objects.get()
    assert session.current_jti == read_refresh(second.refresh).jti
    assert session.refreshed_at > session.created_at
    assert (spent(first.refresh), spent(second.refresh)) == (True, False)
    assert read_access(second.access.encode()).session_id == session.pk


def test_a_long_chain_of_refreshes_is_one_session(user):
    pair = enter(user).pair

    for _ in range(5):
        pair = refresh_session(refresh=pair.refresh)

    assert live(user) == 1
    assert BlacklistedToken.objects.count() == 5


def test_a_refresh_costs_a_known_number_of_queries(user, django_assert_num_queries):
    pair = enter(user).pair

    # begin, lock, user, the spent token, its place on the blacklist (in a savepoint), the new one, the session, end
    with django_assert_num_queries(8):
        refresh_session(refresh=pair.refresh)


def refused(refresh: str) -> bool:
    with pytest.raises(TokenInvalid):
        refresh_session(refresh=refresh)
    return True


def test_a_spent_token_ends_the_whole_family(user, caplog):
    first = enter(user).pair
    second = refresh_session(refresh=first.refresh)
    other_device = enter(user).pair

    with caplog.at_level(logging.WARNING, logger="accounts"):
        assert refused(first.refresh)

    ended = Session.objects.get(pk=read_refresh(first.refresh).session_id)
    assert (ended.revoked_because, spent(second.refresh)) == (SessionEnd.REUSED, True)
    assert refused(second.refresh)
    assert refresh_session(refresh=other_device.refresh)
    assert f"session {ended.pk}" in caplog.text
    assert user.email not in caplog.text


class RevocationIsCommitted(TransactionTestCase):
    """In real transactions: the failing call must not roll back what it found out."""

    def test_the_revocation_survives_the_refusal(self):
        user = UserFactory(password=PASSWORD)
        first = enter(user).pair
        refresh_session(refresh=first.refresh)

        assert refused(first.refresh)

        assert not Session.objects.live().exists()

    def test_a_refresh_inside_a_transaction_is_refused(self):
        """There the caller could roll the revocation back."""
        pair = enter(UserFactory(password=PASSWORD)).pair

        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            refresh_session(refresh=pair.refresh)


def test_an_inactive_person_cannot_refresh(user):
    pair = enter(user).pair
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert refused(pair.refresh)


def test_a_deleted_person_cannot_refresh(user):
    pair = enter(user).pair
    user.delete()

    assert refused(pair.refresh)


def test_a_token_of_no_session_is_refused(user):
    pair = enter(user).pair
    Session.objects.all().delete()

    assert refused(pair.refresh)


def test_a_refresh_after_a_new_token_version_gives_an_access_token_of_it(user):
    pair = enter(user).pair
    User.objects.filter(pk=user.pk).update(token_version=5)

    assert read_access(refresh_session(refresh=pair.refresh).access.encode()).token_version == 5


def test_signing_out_ends_this_session_alone(user):
    here, there = enter(user).pair, enter(user).pair

    sign_out(refresh=here.refresh)
    sign_out(refresh=here.refresh)

    assert Session.objects.get(pk=read_refresh(here.refresh).session_id).revoked_because == SessionEnd.SIGNED_OUT
    assert refused(here.refresh)
    assert refresh_session(refresh=there.refresh)


def test_signing_out_with_a_spent_token_ends_the_session(user):
    first = enter(user).pair
    second = refresh_session(refresh=first.refresh)

    sign_out(refresh=first.refresh)

    assert refused(second.refresh)


def test_signing_out_with_no_token_of_ours_is_refused(db):
    with pytest.raises(TokenInvalid):
        sign_out(refresh="eyJhbGciOiJub25lIn0.e30.")


def test_ending_all_sessions_counts_them_and_leaves_others_alone(user, stranger):
    stranger.set_password(PASSWORD)
    stranger.save()
    pairs = [enter(user).pair for _ in range(3)]
    theirs = enter(stranger).pair

    assert end_all_sessions(user=user, because=SessionEnd.STAFF) == 3
    assert end_all_sessions(user=user, because=SessionEnd.STAFF) == 0

    assert all(refused(pair.refresh) and spent(pair.refresh) for pair in pairs)
    assert set(Session.objects.filter(user=user).values_list("revoked_because", flat=True)) == {SessionEnd.STAFF}
    assert User.objects.get(pk=user.pk).token_version == 3
    assert refresh_session(refresh=theirs.refresh)


def test_ending_all_sessions_costs_the_same_for_one_and_for_three(user, django_assert_num_queries):
    counts = []
    for number in (1, 3):
        for _ in range(number):
            enter(user)
        with django_assert_num_queries(10, exact=False) as captured:
            end_all_sessions(user=user, because=SessionEnd.STAFF)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_an_old_refresh_token_is_refused(user, time_machine):
    pair = enter(user).pair

    time_machine.move_to(database_now() + timedelta(days=30, seconds=30))

    assert refused(pair.refresh)
    assert live(user) == 1


def test_a_token_shown_by_its_owner_is_a_refresh_token(user):
    assert RefreshToken(enter(user).pair.refresh).token_type == "refresh"
