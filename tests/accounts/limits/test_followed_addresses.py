"""Who is excluded does not begin anew under another account with the same address."""

from datetime import date, timedelta

import pytest

from accounts.models import ExcludedAddress, Exclusion, ExclusionKind, User
from accounts.services.addresses import confirm_email_change, request_email_change, undo_email_change
from accounts.services.closing import close_account
from accounts.services.exclusions import begin_exclusion, exclusion_of
from accounts.services.passwords import confirm_password_reset, request_password_reset
from accounts.services.registration import register_user, verify_email
from config.clock import database_now
from tests.accounts.conftest import token_in
from tests.factories.accounts import PASSWORD, UserFactory

ADDRESS = "grace@example.test"


def excluded(user, days=200):
    return begin_exclusion(user=user, kind=ExclusionKind.SELF_EXCLUSION, days=days)


def in_force(user):
    return exclusion_of(user_id=user.pk, now=database_now())


def register_again(drained, email=ADDRESS):
    """A new account whose address was proved."""
    user = register_user(
        email=email,
        password="an analytical engine",
        display_name="Somebody else",
        date_of_birth=date(1990, 1, 1),
        country="US",
        now=database_now(),
    )
    [message] = [one for one in drained() if one.to == [email]]
    verify_email(token=token_in(message), now=database_now())
    return User.objects.get(pk=user.pk)


def move(user, email, drained):
    """The account changes its address, proved by the link."""
    request_email_change(user=user, email=email, password=PASSWORD, now=database_now())
    [message] = [one for one in drained() if one.to == [email]]
    confirm_email_change(token=token_in(message), now=database_now())
    user.refresh_from_db()


def test_a_closed_account_takes_its_exclusion_along(user, drained):
    first = excluded(user)
    close_account(user=user, now=database_now())

    again = register_again(drained)

    second = in_force(again)
    assert (second.continues, second.kind, second.until) == (first, first.kind, first.until)
    assert in_force(user) == first


def test_so_does_one_under_a_new_address(user, drained):
    first = excluded(user)
    move(user, "hopper@example.test", drained)
    close_account(user=user, now=database_now())

    assert in_force(register_again(drained, "hopper@example.test")).until == first.until


def test_an_account_that_moves_to_such_an_address_is_excluded_from_then_on(user, drained):
    first = excluded(user)
    close_account(user=user, now=database_now())
    other = UserFactory(password=PASSWORD)

    move(other, ADDRESS, drained)

    assert in_force(other).until == first.until


def test_nothing_is_said_and_nothing_happens_before_the_address_is_proved(user, drained):
    excluded(user)
    close_account(user=user, now=database_now())
    other = UserFactory(password=PASSWORD)
    request_email_change(user=other, email=ADDRESS, password=PASSWORD, now=database_now())

    assert in_force(other) is None
    assert Exclusion.objects.count() == 1


def test_it_continues_once(user, drained):
    excluded(user)
    close_account(user=user, now=database_now())
    again = register_again(drained)
    move_back = "elsewhere@example.test"
    again.set_password(PASSWORD)
    again.save(update_fields=["password"])

    move(again, move_back, drained)

    assert Exclusion.objects.count() == 2
    assert ExcludedAddress.objects.filter(exclusion__user=again).count() == 2


def test_an_address_that_is_proved_by_a_new_password_is_followed_as_well(user, drained):
    first = excluded(user)
    close_account(user=user, now=database_now())
    drained()
    again = UserFactory(email=ADDRESS, email_verified_at=None)

    request_password_reset(email=ADDRESS)
    [message] = [one for one in drained() if one.subject == "Set a new password"]
    confirm_password_reset(token=token_in(message), new="a wholly different phrase", now=database_now())

    again.refresh_from_db()
    assert again.email_verified
    assert in_force(again).continues == first


def test_an_address_that_is_taken_back_is_followed_as_well(user, drained):
    """Registered by somebody else, never proved, and given up for another: until its owner takes it back."""
    first = excluded(user)
    close_account(user=user, now=database_now())
    again = UserFactory(email=ADDRESS, email_verified_at=None, password=PASSWORD)
    request_email_change(user=again, email="other@example.test", password=PASSWORD, now=database_now())
    [notice] = [one for one in drained() if one.subject == "A new e-mail address was asked for"]

    undo_email_change(token=token_in(notice), now=database_now())

    assert User.objects.get(pk=again.pk).email_verified
    assert in_force(again).continues == first


def test_what_is_over_is_not_continued(user, drained, clock):
    first = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=1)
    close_account(user=user, now=database_now())
    clock.at(first.until + timedelta(seconds=1))

    assert in_force(register_again(drained)) is None


def test_a_replaced_key_still_knows_the_address(user, drained, settings):
    first = excluded(user)
    close_account(user=user, now=database_now())
    settings.PREVIOUS_SECRET_KEYS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the house, long enough to be one 0123456789"

    assert in_force(register_again(drained)).until == first.until


@pytest.mark.parametrize("email", ["somebody@example.test", "grace@example.com"])
def test_other_addresses_are_other_people(user, drained, email):
    excluded(user)
    close_account(user=user, now=database_now())

    assert in_force(register_again(drained, email)) is None
