"""Ways in through somebody else: used, listed, taken away. The way to a provider and back is `sign_in_attempts`.

Whose account it is: the one that this account at the provider is linked to. Where there is none, the one with the same
address of mail, if the provider vouches for the address and it was proved to us as well. Otherwise a new one, once its
owner has said what the law wants to know; nothing is kept before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.models import Login, User
from accounts.oidc.protocol import Identity
from accounts.oidc.providers import Provider, providers
from accounts.services import details
from accounts.services.closing import forgets
from accounts.services.eligibility import check_place
from accounts.services.exclusions import follow_address
from accounts.services.one_time_codes import pass_second_factor
from accounts.services.own_data import Row, section
from accounts.services.registration import EmailTaken, refuse_reserved
from accounts.services.sessions import InvalidCredentials, SignedIn, begin_session
from accounts.services.sign_in_attempts import Arrival, SignInFailed, arrival_of, spend
from config import audit, outbox
from config.audit import attribute
from config.clock import ClockTimestamp
from config.constraints import meaning_of
from config.errors import Code, Conflict, Forbidden, NotFound, Refused
from config.locks import advisory_lock

LINKED_MAIL = "mail.login_linked"
PROFILE = ("display_name", "date_of_birth", "country", "region")


class ProfileIncomplete(Refused):
    """Somebody new: there is no account until they have said this."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(
            Code.PROFILE_INCOMPLETE,
            "You are new here: send the same call with `profile`.",
            {"fields": list(PROFILE), "email": identity.email, "display_name": identity.name[: details.NAME_LENGTH]},
        )


class AddressNotProved(Forbidden):
    """No account can be found or made by an address that somebody only claims."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.EMAIL_NOT_VERIFIED, message)


@dataclass(frozen=True)
class Recognised:
    """Who came back, and the person, where we know them."""

    arrival: Arrival
    user: User | None


def recognise(*, code: str, verifier: str) -> Recognised:
    """Whom the code of ours stands for, without spending it. Refuses as `arrival_of`, and with EMAIL_NOT_VERIFIED."""
    arrival = arrival_of(code=code, verifier=verifier)
    try:
        return Recognised(arrival, _owner(arrival.identity))
    except AddressNotProved:
        note_failure(arrival=arrival, why="address")
        raise


def note_failure(*, arrival: Arrival, why: str) -> None:
    """Tell the audit that somebody the provider vouched for did not get in: whom it was about, if that is anybody."""
    identity = arrival.identity
    login = Login.objects.select_related("user").filter(issuer=identity.issuer, subject=identity.subject).first()
    user = login.user if login is not None else User.objects.filter(email=identity.email).first()
    data = {"why": why, "provider": arrival.provider.id}
    audit.record(action="sign_in.failed", subject=user, person=user, anonymous=True, data=data)


@transaction.atomic
def sign_in_with(
    *, known: Recognised, otp: str, profile: Mapping[str, Any] | None, address: str, user_agent: str, now: datetime
) -> SignedIn:
    """Begin a session for somebody a provider vouched for; the code is spent, unless this refuses.

    Links or makes the account where there is none. Refuses with PROFILE_INCOMPLETE somebody new who has not said what
    is asked, with EMAIL_NOT_VERIFIED where an address is not proved on both sides, as registration does, and as
    `pass_second_factor` does.
    """
    spend(known.arrival)
    identity, provider = known.arrival.identity, known.arrival.provider
    # Two sign-ins of somebody new at once must not make two accounts, nor through two providers with one address. Both
    # locks in this order, and before any row of a person.
    advisory_lock(f"accounts.login {identity.issuer} {identity.subject}")
    if identity.email:
        advisory_lock(f"accounts.login_address {identity.email}")
    user = _owner(identity)
    user = _new_user(identity, profile, now) if user is None else User.objects.locked().get(pk=user.pk)
    login = Login.objects.locked().filter(issuer=identity.issuer, subject=identity.subject).first()
    if not user.is_active or (login is not None and login.user_id != user.pk):
        raise InvalidCredentials
    attribute(by=user)
    has_second_factor = pass_second_factor(user=user, otp=otp, now=now)
    if login is None:
        login = _link(user, provider, identity)
    Login.objects.filter(pk=login.pk).update(last_used_at=ClockTimestamp())
    User.objects.filter(pk=user.pk).update(last_login=ClockTimestamp())
    audit.record(action="login.used", subject=login, person=user, by=user, data={"provider": provider.id})
    pair = begin_session(
        user=user,
        address=address,
        user_agent=user_agent,
        has_second_factor=has_second_factor,
        proved_at=None if has_second_factor else _proved_at(identity, now),
    )
    return SignedIn(user, pair)


@transaction.atomic
def unlink(*, user: User, login_id: int) -> None:
    """Take a way in away. Refuses with NOT_FOUND what is not theirs, with INVALID_TRANSITION the last one."""
    user = User.objects.locked().get(pk=user.pk)
    attribute(by=user)
    own = Login.objects.filter(user=user)
    login = own.filter(pk=login_id).first()
    if login is None:
        raise NotFound(Code.NOT_FOUND, "There is no such login of yours.")
    # A provider that is not set up any more is no way in.
    others = own.exclude(pk=login.pk).filter(issuer__in=[provider.issuer for provider in providers().values()])
    if not user.has_usable_password() and not others.exists():
        raise Conflict(Code.INVALID_TRANSITION, "This is your only way in. Set a password first.")
    login.delete()


@forgets
def forget_logins(user: User) -> None:
    """The account is closed."""
    Login.objects.filter(user=user).delete()


@section("logins")
def own_logins(user: User) -> Iterable[Row]:
    """Where else they sign in from."""
    yield from (
        Login.objects.filter(user=user)
        .order_by("id")
        .values("provider", "issuer", "subject", "created_at", "last_used_at")
        .iterator(chunk_size=500)
    )


def _owner(identity: Identity) -> User | None:
    """Whose account it is, or will be; None for somebody new."""
    login = Login.objects.select_related("user").filter(issuer=identity.issuer, subject=identity.subject).first()
    if login is not None:
        return login.user
    if not identity.email or not identity.email_verified:
        raise AddressNotProved("Your provider does not vouch for your e-mail address. Verify it there, or register.")
    user = User.objects.filter(email=identity.email).first()
    if user is not None and not user.email_verified:
        # Anybody may have registered it. Setting a new password by mail proves it, and shuts them out.
        raise AddressNotProved(
            "There is an account with this address that nobody has proved to be theirs. Reset its password, then link."
        )
    return user


def _new_user(identity: Identity, profile: Mapping[str, Any] | None, now: datetime) -> User:
    if profile is None:
        raise ProfileIncomplete(identity)
    fields = details.cleaned(
        {
            "email": (details.clean_email, identity.email),
            "display_name": (details.clean_display_name, profile["display_name"]),
            "date_of_birth": (details.birth_check(now.date()), profile["date_of_birth"]),
            "country": (details.clean_country, profile["country"]),
            "region": (details.clean_region, profile["region"]),
        }
    )
    user = User(**fields, password=make_password(None), email_verified_at=now)
    check_place(country=user.country, region=user.region, date_of_birth=user.date_of_birth, today=now.date())
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        meaning = meaning_of(error)
        if meaning is None or meaning.code is not Code.EMAIL_TAKEN:
            raise
        raise EmailTaken from error
    refuse_reserved(user.email)
    # As with an address proved by a link.
    follow_address(user=user, now=now)
    return User.objects.locked().get(pk=user.pk)


def _link(user: User, provider: Provider, identity: Identity) -> Login:
    if Login.objects.filter(user=user, issuer=identity.issuer).exists():
        # Another account at the same provider opens it: whoever has the address there now may be somebody else.
        raise InvalidCredentials
    if user.email != identity.email or not identity.email_verified or not user.email_verified:
        # It changed while we waited for the lock.
        raise SignInFailed
    login = Login.objects.create(user=user, provider=provider.id, issuer=identity.issuer, subject=identity.subject)
    outbox.post(kind=LINKED_MAIL, key=f"{LINKED_MAIL}-{login.pk}", payload={"login": login.pk})
    return login


def _proved_at(identity: Identity, now: datetime) -> datetime | None:
    """When the provider saw proof: a browser can be signed in there for weeks. None, for now, where it does not say."""
    said = identity.proved_at
    return None if said is None else min(now, datetime.fromtimestamp(said, UTC))
