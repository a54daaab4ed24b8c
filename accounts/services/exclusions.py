"""Times without play: begun by the player or by staff, ended by the calendar alone.

Nobody can shorten one, staff neither: the rows are added to and never changed. Somebody who is excluded gets no new
place, on no way; what is paid plays on, with all of its picks.

The lock. Whoever gives a player something (a request, an approval, an entry, a payment) calls `refuse_excluded` in the
same transaction: it holds the player's row against the beginning of an exclusion, and against nothing else. The
beginning takes the row alone and waits for nothing after it. So it does not matter what else the callers hold, nor in
which order, and in the end one of the two has seen the other.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from accounts.models import (
    COOLING_OFF,
    LONGEST,
    SELF_EXCLUSION_AT_LEAST,
    ExcludedAddress,
    Exclusion,
    ExclusionKind,
    User,
)
from accounts.services.own_data import Row, section
from config import outbox
from config.audit import attribute
from config.errors import Code, Forbidden, invalid
from config.phrases import phrase

REASON_LENGTH = 500
SALT = "accounts.excluded_address"
# What others do about it: `entries` takes back what is not paid.
BEGAN = "exclusion.began"
BEGAN_MAIL, ENDED_MAIL = "mail.exclusion_began", "mail.exclusion_ended"

# A fortnight makes up for any time without a worker; the message's key says who was told.
ENDED = """
    SELECT 'exclusion-ended-' || x.id, jsonb_build_object('exclusion', x.id)
    FROM accounts_exclusion x
    WHERE x.until BETWEEN %(now)s - interval '14 days' AND %(now)s
      AND NOT EXISTS (SELECT 1 FROM config_outboxmessage m WHERE m.key = 'exclusion-ended-' || x.id)
    ORDER BY x.until, x.id LIMIT %(limit)s
"""


class Excluded(Forbidden):
    """The player gets no place now. `until` is when that ends, None for never."""

    def __init__(self, exclusion: Exclusion) -> None:
        if exclusion.until is None:
            message, until = phrase("Excluded from new places and payments for good."), None
        else:
            message = phrase("Excluded from new places and payments until {at:instant}.", at=exclusion.until)
            until = _told(exclusion.until)
        super().__init__(Code.EXCLUDED, message, {"until": until})


def exclusion_of(*, user_id: int, now: datetime) -> Exclusion | None:
    """The exclusion in force that ends last, if there is any."""
    return Exclusion.objects.of(user_id).in_force(now).order_by(F("until").desc(nulls_first=True)).first()


def refuse_excluded(*, user_id: int, now: datetime) -> None:
    """Refuses with EXCLUDED; else nobody can begin to exclude the player before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR KEY SHARE", [user_id])
    # A statement of its own: it sees what committed while the lock was waited for.
    found = exclusion_of(user_id=user_id, now=now)
    if found is not None:
        raise Excluded(found)


@transaction.atomic
def begin_exclusion(*, user: User, kind: ExclusionKind, days: int | None) -> Exclusion:
    """Keep the player out at their own wish, from this moment on; for good without `days`.

    A cooling-off has an end within weeks, a self-exclusion lasts half a year at least. There is no way back. Refuses
    with VALIDATION_ERROR other lengths. One that begins beside another shortens nothing.
    """
    if kind == ExclusionKind.COOLING_OFF:
        if days is None or not COOLING_OFF[0] <= days <= COOLING_OFF[1]:
            raise invalid(
                "days",
                phrase("A cooling-off lasts {least} to {longest} days.", least=COOLING_OFF[0], longest=COOLING_OFF[1]),
            )
    elif kind != ExclusionKind.SELF_EXCLUSION:
        raise invalid("kind", "A cooling-off or a self-exclusion.")
    elif days is not None and not SELF_EXCLUSION_AT_LEAST <= days <= LONGEST:
        raise invalid(
            "days",
            phrase(
                "A self-exclusion lasts {least} to {longest} days, or for good (null).",
                least=SELF_EXCLUSION_AT_LEAST,
                longest=LONGEST,
            ),
        )
    attribute(by=user)
    return _begin(Exclusion(user_id=user.pk, kind=kind, days=days))


@transaction.atomic
def exclude_player(*, user: User, days: int | None, by: User, reason: str) -> Exclusion:
    """Keep a player out by a decision of staff, with a reason that the player reads; for good without `days`.

    Staff cannot take it back either. Refuses an empty or too long reason and a length that is none.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH:
        raise invalid("reason", phrase("Say why, in 1 to {most} characters: the player reads it.", most=REASON_LENGTH))
    if days is not None and not 1 <= days <= LONGEST:
        raise invalid("days", phrase("From 1 to {longest} days, or none: for good.", longest=LONGEST))
    attribute(by=by, reason=reason)
    return _begin(Exclusion(user_id=user.pk, kind=ExclusionKind.STAFF, days=days, by=by, reason=reason))


def _begin(exclusion: Exclusion) -> Exclusion:
    exclusion.save(force_insert=True)
    # When it ends, and of one that continues everything, is the database's word.
    exclusion.refresh_from_db()
    email = User.objects.values_list("email", flat=True).get(pk=exclusion.user_id)
    ExcludedAddress.objects.create(exclusion=exclusion, digest=_digests(email)[0])
    outbox.post(kind=BEGAN, key=f"exclusion-began-{exclusion.pk}", payload={"exclusion": exclusion.pk})
    outbox.post(kind=BEGAN_MAIL, key=f"exclusion-mail-{exclusion.pk}", payload={"exclusion": exclusion.pk})
    return exclusion


@transaction.atomic
def follow_address(*, user: User, now: datetime) -> None:
    """An address has become this person's own: whoever was excluded under it stays so here.

    Also notes the new address of somebody who is excluded. Last in the transaction that proves the address.
    """
    digests = _digests(user.email)
    for earlier in Exclusion.objects.in_force(now).filter(addresses__digest__in=digests).exclude(user=user).distinct():
        if not Exclusion.objects.of(user.pk).filter(continues=earlier).exists():
            _begin(Exclusion(user_id=user.pk, kind=earlier.kind, continues=earlier))
    for exclusion in Exclusion.objects.of(user.pk).in_force(now).exclude(addresses__digest__in=digests):
        ExcludedAddress.objects.create(exclusion=exclusion, digest=digests[0])


def tell_ended(*, now: datetime, limit: int = 1000) -> int:
    """Have players told whose exclusion ended in the last fortnight, each once; how many."""
    with transaction.atomic():
        return outbox.post_many(kind=ENDED_MAIL, rows=ENDED, params={"now": now, "limit": limit})


@section("exclusions")
def own_exclusions(user: User) -> Iterator[Row]:
    """When they were kept out, since when, and why where staff did it."""
    yield from Exclusion.objects.of(user.pk).order_by("id").values("id", "kind", "begins_at", "until", "reason")


def _digests(email: str) -> list[str]:
    """The address under the present key, and under those it replaced, which know addresses and sign nothing."""
    keys = [settings.SECRET_KEY, *settings.PREVIOUS_SECRET_KEYS]
    return [salted_hmac(SALT, email, secret=key, algorithm="sha256").hexdigest() for key in keys]


def _told(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
