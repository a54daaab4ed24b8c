"""Keys for services: made, replaced, revoked, and recognised when they come back.

A key is `ol_<prefix>_<secret>`: the prefix finds its row, the secret of 256 random bits is known to its holder alone.
It does what its scopes say and its owner's role allows, never more, until it expires, within a year. Whatever ends
every access token of a person (another password, address, role or second factor, a shut account, staff who end the
sessions) ends their keys as well.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.crypto import constant_time_compare

from accounts.models import ApiKey, Role, Session, User
from accounts.models.api_key import LONGEST_DAYS, NAME_LENGTH, PREFIX_LENGTH
from accounts.services import details
from accounts.services.closing import forgets
from accounts.services.own_data import Row, section
from accounts.services.tokens import AccessClaims, TokenInvalid
from config import audit, housekeeping, outbox
from config.api.scopes import SCOPES
from config.audit import attribute
from config.clock import ClockTimestamp
from config.errors import Code, Conflict, InvalidTransition, NotFound
from config.phrases import phrase, tell

MADE_MAIL = "mail.api_key_made"

KEY = re.compile(rf"ol_([a-z2-7]{{{PREFIX_LENGTH}}})_([a-z2-7]{{52}})")
MOST_KEYS = 20
# With those that were replaced and run out: else each rotation would leave one more.
MOST_GOOD = 2 * MOST_KEYS
USUAL_LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=LONGEST_DAYS)
SHORTEST_LIFE = timedelta(minutes=1)
# How long a service has to take over the key that replaces its own.
OVERLAP = timedelta(hours=24)
USE_IS_NOTED = timedelta(minutes=1)
# How long the list can tell what there was.
DEAD_KEPT = timedelta(days=90)

# Whose keys may have a scope, where that is not everybody.
OF_ROLES = {
    "pools:write": frozenset({Role.MODERATOR, Role.ADMIN}),
    "results:write": frozenset({Role.MODERATOR, Role.ADMIN}),
    "requests:decide": frozenset({Role.MODERATOR, Role.ADMIN}),
    "finance:read": frozenset({Role.FINANCE, Role.ADMIN}),
    "finance:write": frozenset({Role.FINANCE, Role.ADMIN}),
    "reports:read": frozenset({Role.FINANCE, Role.ADMIN}),
    "reports:write": frozenset({Role.FINANCE, Role.ADMIN}),
}


@dataclass(frozen=True)
class KeyClaims:
    """What a key says about a call: it has no time of proof, so it is never fresh."""

    prefix: str
    scopes: frozenset[str]


class KeyLimitReached(Conflict):
    """Somebody has as many keys as anybody may."""

    def __init__(self, limit: int) -> None:
        message = phrase("You have {limit} keys that are good. Revoke one that is not used.", limit=limit)
        super().__init__(Code.KEY_LIMIT_REACHED, message, {"limit": limit})


@dataclass(frozen=True)
class MadeKey:
    """A new key, and its text, which nobody can tell again."""

    key: ApiKey
    text: str = field(repr=False)


def scopes_for(user: User) -> list[str]:
    """The scopes that the person's role lets a key of theirs have."""
    return [name for name in SCOPES if user.is_superuser or user.role in OF_ROLES.get(name, Role.values)]


@transaction.atomic
def make_key(
    *, user: User, claims: AccessClaims, name: str, scopes: Iterable[str], expires_at: datetime | None, now: datetime
) -> MadeKey:
    """A new key; without a time, for ninety days. Its owner is told by mail.

    Refuses with VALIDATION_ERROR a name, scopes or a time that cannot be, and scopes beyond the person's role; with
    KEY_LIMIT_REACHED what would be more than twenty.
    """
    user = _holder(user, claims)
    ends_at = now + USUAL_LIFE if expires_at is None else expires_at
    values = details.cleaned(
        {
            "name": (clean_name, name),
            "scopes": (lambda wanted: _clean_scopes(wanted, user), list(scopes)),
            "expires_at": (lambda moment: _clean_end(moment, now), ends_at),
        }
    )
    if ApiKey.objects.good().filter(user=user, replacement=None).count() >= MOST_KEYS:
        raise KeyLimitReached(MOST_KEYS)
    _refuse_many(user)
    return _written(ApiKey(user=user, **values), user, claims)


@transaction.atomic
def rotate_key(*, user: User, claims: AccessClaims, key_id: int, now: datetime) -> MadeKey:
    """A key in place of another: same name, scopes and length of life. The old one is good for a day more at most.

    Refuses with NOT_FOUND what is not theirs, with INVALID_TRANSITION a key that is worth nothing or was replaced, with
    KEY_LIMIT_REACHED when too many of those that were replaced are good still.
    """
    user = _holder(user, claims)
    old = ApiKey.objects.good().locked().filter(pk=key_id, user=user).first()
    if old is None:
        if not ApiKey.objects.filter(pk=key_id, user=user, revoked_at=None).exists():
            raise _not_there()
        raise InvalidTransition("key", "over", "replaced")
    if ApiKey.objects.filter(replaces=old).exists():
        raise InvalidTransition("key", "replaced", "replaced")
    # A role can have become less than when the old one was made.
    scopes = [name for name in old.scopes if name in scopes_for(user)]
    if not scopes:
        raise InvalidTransition("key", "beyond your role", "replaced")
    _refuse_many(user)
    new = ApiKey(
        user=user, name=old.name, scopes=scopes, expires_at=now + (old.expires_at - old.created_at), replaces=old
    )
    old.expires_at = min(old.expires_at, now + OVERLAP)
    old.save(update_fields=["expires_at"])
    return _written(new, user, claims)


@transaction.atomic
def revoke_key(*, user: User, key_id: int) -> None:
    """End a key at once. Refuses with NOT_FOUND what is not theirs, or revoked already."""
    attribute(by=user)
    if not ApiKey.objects.filter(pk=key_id, user=user, revoked_at=None).update(revoked_at=ClockTimestamp()):
        raise _not_there()


def read_key(text: str, *, address: str) -> ApiKey | None:
    """The good key with this text, its owner with it; None for any other text. Its use is noted, once a minute."""
    parts = KEY.fullmatch(text)
    if parts is None:
        return None
    made_well = Q(has_second_factor=True) | Q(user__role=Role.PLAYER, user__is_superuser=False)
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=ClockTimestamp() - USE_IS_NOTED)
    keys = ApiKey.objects.good().filter(made_well if settings.STAFF_TOTP_REQUIRED else Q(), prefix=parts[1])
    is_unnoted = ExpressionWrapper(long_ago, output_field=BooleanField())
    key: Any = keys.select_related("user").annotate(is_unnoted=is_unnoted).first()
    if key is None or not constant_time_compare(key.digest, _digest(text)):
        return None
    if key.is_unnoted:
        # Once of any number at the same time.
        noted = ApiKey.objects.filter(long_ago, pk=key.pk)
        noted.update(last_used_at=ClockTimestamp(), last_used_address=address or None)
    found: ApiKey = key
    return found


def note_refused(text: str) -> None:
    """Tell the audit that a key of ours came and was worth nothing: over, or with another secret."""
    parts = KEY.fullmatch(text)
    key = ApiKey.objects.filter(prefix=parts[1]).first() if parts else None
    if key is not None:
        why = "ended" if constant_time_compare(key.digest, _digest(text)) else "secret"
        data = {"key": key.prefix, "why": why}
        audit.record(action="api_key.refused", subject=key, person=key.user_id, anonymous=True, data=data)


def clean_name(value: str) -> str:
    """One to sixty visible characters."""
    return details.visible(value, longest=NAME_LENGTH)


@housekeeping.forgets(
    "API keys", "90 days after they expired or were revoked", task="accounts.tasks.forget_dead_api_keys"
)
def forget_dead(*, now: datetime, limit: int = 1000) -> int:
    """Delete keys that have been over for `DEAD_KEPT`; how many."""
    dead = ApiKey.objects.filter(expires_at__lt=now - DEAD_KEPT) | ApiKey.objects.filter(revoked_at__lt=now - DEAD_KEPT)
    ids = list(dead.order_by("expires_at").values_list("pk", flat=True)[:limit])
    ApiKey.objects.filter(pk__in=ids).delete()
    return len(ids)


@forgets
def forget_keys(user: User) -> None:
    """The account is closed."""
    ApiKey.objects.filter(user=user).delete()


@section("api_keys")
def own_keys(user: User) -> Iterable[Row]:
    """Which there were; never what opens anything."""
    yield from (
        ApiKey.objects.filter(user=user)
        .order_by("id")
        .values(
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "last_used_address",
            "revoked_at",
        )
        .iterator(chunk_size=500)
    )


def _holder(user: User, claims: AccessClaims) -> User:
    """The person, locked. Refuses a token that was ended while its call waited for the lock."""
    locked = User.objects.locked().get(pk=user.pk)
    if not locked.is_active or locked.token_version != claims.token_version:
        raise TokenInvalid
    return locked


def _refuse_many(user: User) -> None:
    if ApiKey.objects.good().filter(user=user).count() >= MOST_GOOD:
        raise KeyLimitReached(MOST_GOOD)


def _written(key: ApiKey, user: User, claims: AccessClaims) -> MadeKey:
    key.prefix = _drawn(10)[:PREFIX_LENGTH]
    text = f"ol_{key.prefix}_{_drawn(32)}"
    key.digest = _digest(text)
    key.token_version = user.token_version
    key.has_second_factor = Session.objects.filter(pk=claims.session_id, user=user, has_second_factor=True).exists()
    attribute(by=user)
    key.save(force_insert=True)
    key.refresh_from_db()
    outbox.post(kind=MADE_MAIL, key=f"{MADE_MAIL}-{key.pk}", payload={"key": key.pk})
    return MadeKey(key, text)


def _clean_scopes(wanted: list[str], user: User) -> list[str]:
    """In the order of the registry, each once."""
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown or not wanted:
        raise ValidationError(
            tell("There is no scope {scopes}.", scopes=", ".join(unknown)) if unknown else "Name at least one scope."
        )
    beyond = sorted(set(wanted) - set(scopes_for(user)))
    if beyond:
        raise ValidationError(tell("Your role does not reach as far as {scopes}.", scopes=", ".join(beyond)))
    return [name for name in SCOPES if name in wanted]


def _clean_end(moment: datetime, now: datetime) -> datetime:
    if not now + SHORTEST_LIFE <= moment <= now + LONGEST_LIFE:
        raise ValidationError(tell("A key ends within {days} days, and not before it was of use.", days=LONGEST_DAYS))
    return moment


def _not_there() -> NotFound:
    return NotFound(Code.NOT_FOUND, "There is no such key of yours.")


def _drawn(size: int) -> str:
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
