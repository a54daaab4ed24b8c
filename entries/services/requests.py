"""What a player does about a place: ask for one, and think better of it.

A full pool still takes requests; staff put them on the waiting list. Numbers 1 to the pool's limit are given out
lowest first, and a withdrawn or expired request gives its number back.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from accounts.services.eligibility import Law, NotEligible, check_place
from accounts.services.exclusions import refuse_excluded
from accounts.services.spending import refuse_unaffordable
from config.audit import attribute
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, NotFound, invalid
from config.locks import advisory_lock
from config.phrases import phrase
from entries.models import PaymentStatus, Request, RequestKind, RequestStatus
from entries.services.approvals import checked_reason, post_request_mail, promote_waiting
from entries.services.places import check_registration, lock_place, post_closed
from pools.models import Pool

# Met only when the pool's limit is lowered while somebody asks.
explain("request_number_limit", Code.REQUEST_LIMIT_REACHED, "The pool's limit of requests for one player is reached.")


class RequestLimitReached(Conflict):
    """The player has as many requests in the pool as it allows; rejected ones count."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            Code.REQUEST_LIMIT_REACHED,
            phrase("This pool takes {limit} requests of one player.", limit=limit),
            {"limit": limit},
        )


@transaction.atomic
def ask_to_join(*, pool_id: int, user: User, now: datetime) -> Request:
    """Ask for one place in the pool, under the player's next free number. Nothing is owed yet.

    Refuses with EMAIL_NOT_VERIFIED; EXCLUDED; as `check_eligible` a player too young or from elsewhere;
    POOL_CLOSED when registration has closed, late entry included; SPENDING_LIMIT_REACHED where the fee could not be
    paid this month; REQUEST_LIMIT_REACHED; NOT_FOUND for a draft.
    """
    # Two asks of one player in one pool come one after the other; those of others do not wait.
    advisory_lock("ask to join", pool_id, user.pk)
    pool = Pool.objects.public().select_related("competition").filter(pk=pool_id).first()
    if pool is None:
        raise NotFound(Code.NOT_FOUND, "There is no such pool.")
    if not user.email_verified:
        raise Forbidden(Code.EMAIL_NOT_VERIFIED, "Confirm your e-mail address first.")
    refuse_excluded(user_id=user.pk, now=now)
    check_eligible(pool, user, now)
    check_registration(pool, now)
    refuse_unaffordable(user_id=user.pk, currency=pool.currency, amount_cents=pool.entry_fee_cents, now=now)
    number = _free_number(pool, user)
    attribute(by=user)
    return Request.objects.create(pool=pool, user=user, number=number)


@transaction.atomic
def withdraw_request(*, request: Request, by: User, now: datetime, reason: str = "") -> Request:
    """Give up a request before it is paid for; a held place goes to the first on the waiting list at once.

    The player withdraws without a word. Staff may withdraw for a player, which undoes a mistaken approval: with a
    reason, which the player gets by mail. Refuses with ALREADY_PAID after payment, with INVALID_TRANSITION what has
    ended.
    """
    is_own = request.user_id == by.pk
    reason = "" if is_own else checked_reason(reason)
    pool, request = lock_place(request)
    held_a_place = request.status == RequestStatus.APPROVED
    if held_a_place and request.payment_status in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED):
        raise Conflict(Code.ALREADY_PAID, "This place is paid for. Ask for a refund instead.")
    request.move_to(RequestStatus.WITHDRAWN)
    attribute(by=by, reason=reason)
    request.reason, request.payment_status = reason, PaymentStatus.NOT_DUE
    request.save(update_fields=["status", "reason", "payment_status"])
    if not is_own:
        post_request_mail("withdrawn", request)
    if held_a_place:
        post_closed(request)
    if held_a_place and request.kind == RequestKind.ENTRY:
        promote_waiting(pool=pool, now=now)
    return request


def check_eligible(pool: Pool, user: User, now: datetime, *, law: Law | None = None) -> None:
    """Refuses with NOT_ELIGIBLE a player too young for the pool or where they live, and one outside its places.

    Age goes by the calendar where the competition is played. An unknown date of birth is not of age. The stricter of
    pool and place counts; where only the region decides and the player named none, VALIDATION_ERROR asks for it. Who
    asks about many brings the `law` where the player lives along.
    """
    _check_offered(pool, user)
    check_place(
        country=user.country,
        region=user.region,
        date_of_birth=user.date_of_birth,
        today=now.astimezone(ZoneInfo(pool.competition.time_zone)).date(),
        minimum_age=pool.minimum_age,
        what="This pool",
        law=law,
    )


def _check_offered(pool: Pool, user: User) -> None:
    if not pool.countries or user.country in pool.countries:
        return
    regions = {code for code in pool.countries if code.startswith(f"{user.country}-")}
    if regions and not user.region:
        raise invalid("region", "This pool is offered in parts of your country. Say in which region you live.")
    if f"{user.country}-{user.region}" not in regions:
        raise NotEligible("This pool is not offered where you live.", {"countries": sorted(pool.countries)})


def _free_number(pool: Pool, user: User) -> int:
    """The lowest number that no live or rejected request of the player has."""
    taken = set(pool.requests.of(user.pk).holding_a_number().values_list("number", flat=True))
    for number in range(1, pool.max_entries_per_user + 1):
        if number not in taken:
            return number
    raise RequestLimitReached(pool.max_entries_per_user)
