"""How people get an account: they register and prove their address, or a pool that moves here brings them along."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.models import NOBODYS_DOMAIN, EmailChange, User
from accounts.services import details
from accounts.services.eligibility import check_place
from accounts.services.exclusions import follow_address
from accounts.services.links import Purpose, no_good, read_token
from config import outbox
from config.constraints import meaning_of
from config.errors import Code, Conflict, InvalidTransition

VERIFICATION_MAIL = "mail.verify_email"


class EmailTaken(Conflict):
    """Somebody has an account with this address."""

    def __init__(self) -> None:
        super().__init__(Code.EMAIL_TAKEN, "There is an account with this e-mail address already.")


def refuse_reserved(email: str, *, but_by: User | None = None) -> None:
    """Refuses with EMAIL_TAKEN an address that somebody else had until lately, and may still take back.

    Called after the address was written: whoever freed it meanwhile has committed, and is seen.
    """
    if EmailChange.objects.reserving(email).exclude(user=but_by).exists():
        raise EmailTaken


def register_user(
    *,
    email: str,
    password: str,
    display_name: str,
    date_of_birth: date,
    country: str,
    region: str = "",
    now: datetime,
) -> User:
    """Make an account for a player and mail a verification link.

    Refuses with VALIDATION_ERROR what `details` finds wrong, all of it at once; with NOT_ELIGIBLE whom the law where
    they live keeps out, and then keeps nothing of what they said; with EMAIL_TAKEN an address that has an account, in
    whatever case it is written, or that is kept for its owner for a while after a change.
    """
    user = User(**_checked(email, password, display_name, date_of_birth, country, region, now))
    check_place(country=user.country, region=user.region, date_of_birth=user.date_of_birth, today=now.date())
    if User.objects.filter(email=user.email).exists():
        raise EmailTaken
    # Before the transaction: it takes as long as everything else together.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            refuse_reserved(user.email)
            _mail_link(user, key=f"verify-email-{user.pk}")
    except IntegrityError as error:
        # Two registrations at once both found the address free.
        meaning = meaning_of(error)
        if meaning is None or meaning.code is not Code.EMAIL_TAKEN:
            raise
        raise EmailTaken from error
    return user


def _checked(
    email: str, password: str, display_name: str, date_of_birth: date, country: str, region: str, now: datetime
) -> dict[str, Any]:
    likeness = User(email=email, display_name=display_name)
    fields = details.cleaned(
        {
            "email": (details.clean_email, email),
            "password": (details.password_check(likeness), password),
            "display_name": (details.clean_display_name, display_name),
            "date_of_birth": (details.birth_check(now.date()), date_of_birth),
            "country": (details.clean_country, country),
            "region": (details.clean_region, region),
        }
    )
    del fields["password"]
    return fields


@transaction.atomic
def resend_verification(*, email: str) -> None:
    """Mail a new link to this address, if it has an account that is not verified yet.

    Does the same work and says nothing otherwise: the answer must not tell who has an account.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True, email_verified_at=None).first()
    _mail_link(user, key=f"verify-email-again-{uuid4()}")


@transaction.atomic
def resend_verification_to(*, user: User) -> None:
    """The same, for staff, who are told when there is nothing to do."""
    user = User.objects.get(pk=user.pk)
    if user.email_verified or not user.can_get_mail:
        state = "verified" if user.email_verified else "out of reach"
        raise InvalidTransition("address", state, "verified")
    _mail_link(user, key=f"verify-email-again-{uuid4()}")


def _mail_link(user: User | None, *, key: str) -> None:
    outbox.post(kind=VERIFICATION_MAIL, key=key, payload={"user": user.pk if user else None})


@transaction.atomic
def verify_email(*, token: str, now: datetime) -> User:
    """Note that the address is its owner's. The same token again, within its time, changes nothing.

    Refuses a token that is not ours, too old, or made for an address that the person has no more.
    """
    link = read_token(Purpose.VERIFY_EMAIL, token, now=now)
    user = User.objects.locked().filter(pk=link.subject_id).first()
    if user is None or not link.is_for(user):
        raise no_good()
    if not user.email_verified:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
        follow_address(user=user, now=now)
    return user


@transaction.atomic
def import_players(*, display_names: Sequence[str]) -> list[User]:
    """Make accounts for players of a pool that moves here, one for each name, in that order.

    Nobody can sign in to them yet: they have no password and an address that is nobody's. Refuses with
    VALIDATION_ERROR a name that `details` refuses, and then makes none.
    """
    names = [details.cleaned({"display_name": (details.clean_display_name, name)}) for name in display_names]
    people = [
        User(email=f"player-{uuid4().hex}@imported{NOBODYS_DOMAIN}", password=make_password(None), **name)
        for name in names
    ]
    return User.objects.bulk_create(people, batch_size=1000)
