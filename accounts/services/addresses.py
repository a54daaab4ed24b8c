"""Changing the address somebody signs in with: asked for inside, proved at the new address, undone from the old one.

The new address becomes theirs only once its owner has followed the link that was mailed there; the old one is told at
once, and can take everything back for `UNDO` after the change, also after further changes. Until then nobody else gets
the old address. Whether the new address has an account already is told to nobody who has not read its mail.
"""

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from accounts.models import UNDO, EmailChange, Login, SessionEnd, Totp, User
from accounts.services import details
from accounts.services.exclusions import follow_address
from accounts.services.links import Link, Purpose, no_good, read_token
from accounts.services.passwords import request_password_reset
from accounts.services.registration import EmailTaken, refuse_reserved
from accounts.services.second_factor import forget_second_factor
from accounts.services.sessions import end_access, end_sessions
from config import audit, outbox
from config.audit import attribute
from config.constraints import meaning_of
from config.errors import Code, invalid

PROOF_MAIL = "mail.email_change_proof"
NOTICE_MAIL = "mail.email_change_notice"
MOVED_MAIL = "mail.email_changed"


def request_email_change(*, user: User, email: str, password: str, now: datetime) -> None:
    """Mail a link to the new address, and a word to the old one. A later wish replaces one that waits.

    Refuses with VALIDATION_ERROR a wrong password, an address that is none, and the present one. An address that has an
    account is not refused: it gets no link, and the caller learns nothing.
    """
    user = User.objects.get(pk=user.pk)
    if not check_password(password, user.password):
        raise wrong_password()
    new_email = details.cleaned({"email": (details.clean_email, email)})["email"]
    if new_email == user.email:
        raise invalid("email", "This is the present address.")
    known_hash = user.password
    with transaction.atomic():
        user = User.objects.locked().get(pk=user.pk)
        if user.password != known_hash or not user.is_active:
            raise wrong_password()
        EmailChange.objects.give_up(user)
        change = EmailChange.objects.create(user=user, old_email=user.email, new_email=new_email)
        audit.record(action="email_change.asked", subject=change, person=user, by=user)
        for kind in (PROOF_MAIL, NOTICE_MAIL):
            outbox.post(kind=kind, key=f"{kind}-{change.pk}", payload={"change": change.pk})


def wrong_password() -> Exception:
    """The present password was not given."""
    return invalid("password", "This is not the present password.")


def confirm_email_change(*, token: str, now: datetime) -> User:
    """Make the new address the person's own. Ends every session. The same token again changes nothing.

    Refuses a token that is not ours, too old, or of a wish that was replaced or taken back; with EMAIL_TAKEN an address
    that somebody else got meanwhile.
    """
    link = read_token(Purpose.CONFIRM_EMAIL, token, now=now)
    try:
        with transaction.atomic():
            user, change = _locked(link)
            if change.confirmed_at is not None and user.email == change.new_email:
                return user
            if change.confirmed_at is not None or user.email != change.old_email or not user.is_active:
                raise no_good()
            _move(user, change.new_email, now)
            change.confirmed_at, change.undo_until = now, now + UNDO
            change.save(update_fields=["confirmed_at", "undo_until"])
            audit.record(action="email_change.confirmed", subject=change, person=user, by=user)
            outbox.post(kind=MOVED_MAIL, key=f"{MOVED_MAIL}-{change.pk}", payload={"change": change.pk})
            follow_address(user=user, now=now)
            return user
    except IntegrityError as error:
        raise _taken(error) from error


def undo_email_change(*, token: str, now: datetime) -> None:
    """Give the account back to the old address: for somebody who did not ask for the change.

    Whoever asked knew the password, so it is void from now on, and a link for a new one is mailed to the old address; a
    second factor that was set up since is gone. Later changes are taken back with this one, and every session ends.
    Refuses a token that is not ours or too old, and one that was used.
    """
    link = read_token(Purpose.UNDO_EMAIL, token, now=now)
    try:
        with transaction.atomic():
            user, change = _locked(link)
            if not user.is_active or (change.undo_until is not None and change.undo_until <= now):
                raise no_good()
            EmailChange.objects.filter(user=user, pk__gte=change.pk, ended_at=None).update(ended_at=now)
            user.password = make_password(None)
            user.save(update_fields=["password"])
            # Whoever had the address meanwhile may have linked what is theirs; the owner's links itself again.
            Login.objects.filter(user=user).delete()
            # And would keep the owner out with a device of their own.
            if Totp.objects.confirmed().filter(user=user, confirmed_at__gte=change.asked_at).exists():
                attribute(by=user)
                forget_second_factor(user)
            _move(user, change.old_email, now)
            audit.record(action="email_change.undone", subject=change, person=user, by=user)
            request_password_reset(email=user.email)
            follow_address(user=user, now=now)
    except IntegrityError as error:
        raise _taken(error) from error


def _locked(link: Link) -> tuple[User, EmailChange]:
    """The person and the change of a link, locked in this order. Refuses what has ended."""
    found = EmailChange.objects.filter(pk=link.subject_id).first()
    if found is None:
        raise no_good()
    user = User.objects.locked().get(pk=found.user_id)
    change = EmailChange.objects.locked().filter(pk=found.pk, ended_at=None).first()
    if change is None or not link.is_of(change):
        raise no_good()
    return user, change


def _move(user: User, email: str, now: datetime) -> None:
    """End what was open to a locked user, and write the address, proved by the link that was mailed there."""
    # Before the address changes: after that nobody may refer to the row, as a refresh does with its session locked.
    end_access(user)
    end_sessions(user.pk, SessionEnd.EMAIL)
    user.email, user.email_verified_at = email, now
    user.save(update_fields=["email", "email_verified_at"])
    refuse_reserved(email, but_by=user)


def _taken(error: IntegrityError) -> Exception:
    meaning = meaning_of(error)
    return EmailTaken() if meaning is not None and meaning.code is Code.EMAIL_TAKEN else error
