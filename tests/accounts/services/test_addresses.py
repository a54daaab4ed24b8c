"""Changing the address: proved at the new one, told to and undone from the old one."""

from datetime import timedelta

import pytest

from accounts.models import UNDO, EmailChange, RecoveryCode, Session, SessionEnd, Totp, User, UserChange
from accounts.services.addresses import confirm_email_change, request_email_change, undo_email_change
from accounts.services.blocking import deactivate_user, reactivate_user
from accounts.services.closing import close_account
from accounts.services.housekeeping import EMAIL_CHANGES_KEPT, forget_email_changes
from accounts.services.links import LIFETIME, Purpose, make_change_token, make_token
from accounts.services.passwords import change_password, confirm_password_reset
from accounts.services.registration import EmailTaken, refuse_reserved
from accounts.services.second_factor import begin_setup, confirm_setup
from accounts.services.sessions import sign_in
from config.clock import database_now
from config.errors import Code, Malformed
from config.models import AuditEntry
from tests.accounts.conftest import token_in
from tests.accounts.test_models import broken_by
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.support.devices import Device, give_device

OLD, NEW, NEWER = "grace@example.test", "hopper@example.test", "admiral@example.test"


def ask(user, email=NEW, password=PASSWORD) -> EmailChange:
    request_email_change(user=user, email=email, password=password, now=database_now())
    return EmailChange.objects.latest("id")


def proof(change) -> str:
    return make_change_token(Purpose.CONFIRM_EMAIL, change, now=database_now())


def way_back(change) -> str:
    return make_change_token(Purpose.UNDO_EMAIL, change, now=database_now())


def confirm(change, **later) -> User:
    return confirm_email_change(token=proof(change), now=database_now() + timedelta(**later))


def undo(change, **later) -> None:
    undo_email_change(token=way_back(change), now=database_now() + timedelta(**later))


def refused_field(function, *given, **named) -> str:
    with pytest.raises(Malformed) as caught:
        function(*given, **named)
    [field] = caught.value.details
    return field


def test_nothing_changes_until_the_new_address_is_proved(user):
    ask(user)

    user.refresh_from_db()
    assert (user.email, user.token_version) == (OLD, 1)


def test_the_new_address_gets_a_link_and_the_old_one_a_word(user, drained):
    ask(user)

    proof, notice = sorted(drained(), key=lambda mail: mail.to != [NEW])
    assert (proof.to, proof.subject) == ([NEW], "Confirm your new e-mail address")
    assert (notice.to, notice.subject) == ([OLD], "A new e-mail address was asked for")
    assert user.display_name not in proof.body
    assert confirm_email_change(token=token_in(proof), now=database_now()).email == NEW

    [last] = drained()
    assert (last.to, last.subject) == ([OLD], "Your e-mail address was changed")
    undo_email_change(token=token_in(notice), now=database_now())
    assert User.objects.get(pk=user.pk).email == OLD


def test_the_link_of_the_last_mail_takes_it_back_too(user, drained):
    confirm(ask(user))
    [last] = [mail for mail in drained() if mail.subject == "Your e-mail address was changed"]

    undo_email_change(token=token_in(last), now=database_now())

    assert User.objects.get(pk=user.pk).email == OLD


def test_a_proved_address_ends_every_session_and_every_token(user):
    for _ in range(2):
        sign_in(email=user.email, password=PASSWORD)

    confirm(ask(user))

    user.refresh_from_db()
    assert (user.email, user.token_version, user.email_verified) == (NEW, 2, True)
    assert list(Session.objects.values_list("revoked_because", flat=True)) == [SessionEnd.EMAIL] * 2
    assert sign_in(email=NEW, password=PASSWORD).user == user


def test_a_second_press_changes_nothing(user):
    change = ask(user)
    token = proof(change)

    first = confirm_email_change(token=token, now=database_now())
    again = confirm_email_change(token=token, now=database_now())

    assert (again.email, again.token_version) == (NEW, first.token_version)


def test_an_address_that_has_an_account_learns_nothing_and_gets_nothing(user, drained):
    UserFactory(email=NEW)

    ask(user)

    assert [mail.to for mail in drained()] == [[OLD]]


def test_an_address_that_was_taken_meanwhile_is_refused(user):
    change = ask(user)
    UserFactory(email=NEW)

    with pytest.raises(EmailTaken):
        confirm(change)
    assert User.objects.get(pk=user.pk).token_version == 1


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        (NEW, "wrong", "password"),
        (NEW, "", "password"),
        ("nobody", PASSWORD, "email"),
        (OLD, PASSWORD, "email"),
        (OLD.upper(), PASSWORD, "email"),
        ("x@nobody.invalid", PASSWORD, "email"),
        ("gräce@example.test", PASSWORD, "email"),
    ],
)
def test_a_wish_is_refused_by_field(user, email, password, field):
    assert refused_field(ask, user, email, password) == field
    assert not EmailChange.objects.exists()


def test_a_later_wish_replaces_the_one_before(user):
    first, second = ask(user), ask(user, NEWER)

    assert refused_field(confirm, first) == "token"
    assert confirm(second).email == NEWER


def test_a_link_ends_after_a_day(user):
    change = ask(user)
    day = LIFETIME[Purpose.CONFIRM_EMAIL].total_seconds()

    assert refused_field(confirm, change, seconds=day + 1) == "token"
    assert confirm(change, seconds=day - 60).email == NEW


def test_links_serve_their_own_purpose_alone(user):
    change = ask(user)

    assert refused_field(confirm_email_change, token=way_back(change), now=database_now()) == "token"
    assert refused_field(undo_email_change, token=proof(change), now=database_now()) == "token"
    change.new_email = "mallory@example.test"
    assert refused_field(confirm_email_change, token=proof(change), now=database_now()) == "token"


@pytest.mark.parametrize("way", ["changed", "reset"])
def test_a_new_password_ends_the_wish_of_whoever_knew_the_old_one(user, way):
    change = ask(user)
    if way == "changed":
        change_password(user=user, current=PASSWORD, new="a wholly different phrase")
    else:
        token = make_token(Purpose.RESET_PASSWORD, user, now=database_now())
        confirm_password_reset(token=token, new="a wholly different phrase", now=database_now())

    assert refused_field(confirm, change) == "token"
    assert User.objects.get(pk=user.pk).email == OLD


def test_a_change_that_is_done_can_be_taken_back_after_a_new_password_too(user):
    change = ask(user)
    confirm(change)
    change_password(user=User.objects.get(pk=user.pk), current=PASSWORD, new="the thief's own phrase")

    undo(change)

    assert User.objects.get(pk=user.pk).email == OLD


def test_a_wish_does_not_outlive_a_deactivation(user):
    change = ask(user)
    boss = AdminFactory()
    deactivate_user(user=user, by=boss, reason="x")
    reactivate_user(user=user, by=boss, reason="x")

    assert refused_field(confirm, change) == "token"


def test_a_deactivated_or_closed_account_does_not_move(user):
    change = ask(user)
    token = proof(change)
    deactivate_user(user=user, by=AdminFactory(), reason="x")
    assert refused_field(confirm_email_change, token=token, now=database_now()) == "token"

    close_account(user=user, now=database_now())
    assert refused_field(confirm_email_change, token=token, now=database_now()) == "token"
    assert not EmailChange.objects.exists()


def test_taking_it_back_gives_the_account_to_the_old_address(user, drained):
    change = ask(user)
    confirm(change)
    sign_in(email=NEW, password=PASSWORD)
    drained()

    undo(change)

    user.refresh_from_db()
    assert (user.email, user.has_usable_password()) == (OLD, False)
    assert not Session.objects.live().exists()
    [reset] = drained()
    assert (reset.to, reset.subject) == ([OLD], "Set a new password")
    assert refused_field(undo, change) == "token"


def test_a_second_factor_of_the_thief_does_not_keep_the_owner_out(user):
    change = ask(user)
    confirm(change)
    device = Device(begin_setup(user=user).secret)
    confirm_setup(user=user, code=device.code(), now=database_now())

    undo(change)

    assert not Totp.objects.filter(user=user).exists()
    assert not RecoveryCode.objects.filter(user=user).exists()
    switched = UserChange.objects.filter(subject_id=user.pk, field="second_factor").order_by("id")
    assert [(one.to_value, one.actor_id) for one in switched] == [("on", user.pk), ("off", user.pk)]


def test_a_second_factor_that_was_there_before_stays(user):
    give_device(user)
    change = ask(user)
    confirm(change)

    undo(change)

    assert Totp.objects.confirmed().filter(user=user).exists()


def test_a_wish_can_be_stopped_before_it_is_proved(user):
    change = ask(user)

    undo(change)

    assert refused_field(confirm, change) == "token"
    assert User.objects.get(pk=user.pk).email == OLD


def test_the_first_owner_wins_over_a_chain_of_changes(user):
    first = ask(user)
    confirm(first)
    second = ask(User.objects.get(pk=user.pk), NEWER)
    confirm(second)

    undo(first)

    assert User.objects.get(pk=user.pk).email == OLD
    assert refused_field(undo, second) == "token"


def test_it_is_taken_back_within_three_days_of_the_change(user):
    change = ask(user)
    confirm(change)
    late = UNDO + timedelta(seconds=5)

    assert refused_field(undo_email_change, token=way_back(change), now=database_now() + late) == "token"


def test_nobody_else_gets_the_old_address_while_it_can_be_taken_back(user):
    confirm(ask(user))

    with pytest.raises(EmailTaken):
        refuse_reserved(OLD)
    refuse_reserved(OLD, but_by=user)
    other = UserFactory(email="other@example.test", password=PASSWORD)
    with pytest.raises(EmailTaken):
        confirm(ask(other, OLD))


def test_its_owner_may_go_back_to_it(user):
    confirm(ask(user))

    assert confirm(ask(User.objects.get(pk=user.pk), OLD)).email == OLD


def test_a_changed_password_voids_the_wish_of_somebody_who_knew_the_old_one(user, monkeypatch):
    """Between looking at the password and writing the wish."""
    import accounts.services.addresses as module

    known = module.details.cleaned

    def changed_meanwhile(checks):
        change_password(user=user, current=PASSWORD, new="a wholly different phrase")
        return known(checks)

    monkeypatch.setattr(
        module.details, "cleaned", lambda checks: changed_meanwhile(checks) if "email" in checks else known(checks)
    )

    assert refused_field(ask, user) == "password"


def test_the_audit_knows_of_each_step_and_of_no_address(user):
    change = ask(user)
    confirm(change)
    undo(change)

    told = AuditEntry.objects.filter(subject_type="emailchange", subject_id=str(change.pk)).order_by("id")
    assert [one.action for one in told] == ["email_change.asked", "email_change.confirmed", "email_change.undone"]
    assert not any("@" in f"{one.data} {one.reason}" for one in AuditEntry.objects.all())


def test_what_became_of_it_stays(user):
    change = ask(user)
    confirm(change)

    for column, value in (("confirmed_at", "NULL, undo_until = NULL"), ("undo_until", "now() + interval '9 days'")):
        sql = f"UPDATE accounts_emailchange SET {column} = {value} WHERE id = %s"
        assert broken_by(sql, change.pk) == "email_change_forward"


def test_old_changes_are_forgotten(user):
    confirm(ask(user))
    ask(User.objects.get(pk=user.pk), NEWER)
    now = database_now()

    assert forget_email_changes(now=now + EMAIL_CHANGES_KEPT - timedelta(minutes=1)) == 0
    assert forget_email_changes(now=now + EMAIL_CHANGES_KEPT + timedelta(minutes=1), limit=1) == 1
    assert forget_email_changes(now=now + EMAIL_CHANGES_KEPT + timedelta(minutes=1)) == 1


def test_a_taken_address_has_the_code_of_the_contract():
    assert EmailTaken().code is Code.EMAIL_TAKEN
