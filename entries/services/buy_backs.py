"""Buying back in: an entry that fell comes back for a fee, where the rules of the round it fell in allow it.

The rules decide, so nobody approves. The request is approved as it is made, names the round that the entry fell in and
the one in which it will play again, and is due at that round's lock. Paying for it is paying for any request; once
paid it brings the entry back (`places.bring_back`). It takes no place and no number: its entry has them.
"""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from accounts.models import User
from accounts.services.exclusions import refuse_excluded
from accounts.services.spending import refuse_unaffordable
from config.audit import attribute
from config.constraints import explain
from config.errors import Code, Forbidden, NotFound, Refused
from config.phrases import Name, phrase
from entries.models import Entry, EntryStatus, PaymentStatus, Request, RequestKind, RequestStatus
from entries.models.entry import EliminationReason
from entries.services.approvals import post_request_mail
from entries.services.places import OWING, PlaceRefused, bring_back
from entries.services.requests import check_eligible
from pools.models import Game, GameStatus, LockPolicy, Pool, PoolStatus, Round, Rules
from pools.queries import rules_of_round
from pools.queries.rounds import rounds_of, unlocked

explain("request_buy_back_once", Code.BUY_BACK_NOT_ALLOWED, "The entry has bought back in after this round already.")


class WhyNot(StrEnum):
    """Why an entry cannot buy back in; `details.because` of BUY_BACK_NOT_ALLOWED."""

    NOT_ELIMINATED = "not_eliminated"
    TIEBREAK = "tiebreak"
    NOT_IN_THE_RULES = "not_in_the_rules"
    FELL_TOO_LATE = "fell_too_late"
    LIMIT_REACHED = "limit_reached"
    BOUGHT_ALREADY = "bought_already"
    ROUND_NOT_COMPLETE = "round_not_complete"


class NotAllowed(Refused):
    """The rules of the pool, or the entry's fate, leave no way back."""

    def __init__(self, because: WhyNot, message: str) -> None:
        super().__init__(Code.BUY_BACK_NOT_ALLOWED, message, {"because": because})


@transaction.atomic
def ask_to_buy_back(*, entry_id: int, user: User, now: datetime) -> Request:
    """Ask for the return of the player's own fallen entry; the same request again while it waits for its money.

    Where it costs nothing, the entry is back at once. Refuses with NOT_FOUND somebody else's entry; NOT_ELIGIBLE a
    player whose account is closed, or who could not join the pool now; EXCLUDED one who is; POOL_CLOSED a pool that is
    over; BUY_BACK_NOT_ALLOWED, naming why; DEADLINE_PASSED when no round is left to come back for; ROUND_NOT_OPEN when
    the next one has no games yet; SPENDING_LIMIT_REACHED where the fee could not be paid this month.
    """
    entry = Entry.objects.of(user.pk).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(Code.NOT_FOUND, "There is no such entry of yours.")
    pool = Pool.objects.select_related("competition").locked().get(pk=entry.pool_id)
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise Refused(
            Code.POOL_CLOSED, phrase("The pool is {status}.", status=Name(pool.status)), {"status": str(pool.status)}
        )
    if not user.is_active:
        raise Forbidden(Code.NOT_ELIGIBLE, "The account is not active.")
    refuse_excluded(user_id=user.pk, now=now)
    check_eligible(pool, user, now)
    waiting = Request.objects.locked().filter(
        bought_entry=entry, status=RequestStatus.APPROVED, payment_status__in=OWING
    )
    entry = Entry.objects.locked().get(pk=entry.pk)
    fell_in = _fell_in(entry)
    rules = rules_of_round(pool, fell_in)
    if (live := waiting.filter(round_number=fell_in).first()) is not None:
        return _still_payable(live, pool, now)
    _check_rules(entry, fell_in, rules)
    if not _is_complete(pool, fell_in, rules):
        raise NotAllowed(
            WhyNot.ROUND_NOT_COMPLETE,
            phrase("Round {round} is not over yet: its results could still change.", round=fell_in),
        )
    resumes = _next_round(pool, fell_in, now)
    refuse_unaffordable(user_id=user.pk, currency=pool.currency, amount_cents=rules.buy_back_fee_cents, now=now)
    return _approve(entry, pool, fell_in, resumes, rules, now)


def _fell_in(entry: Entry) -> int:
    """The round that put it out. Refuses an entry that is not out, or that a tiebreak put out."""
    if entry.status != EntryStatus.ELIMINATED or entry.eliminated_round_number is None:
        raise NotAllowed(
            WhyNot.NOT_ELIMINATED,
            phrase("The entry is {status}: only one that is out can buy back in.", status=Name(entry.status)),
        )
    if entry.eliminated_code == EliminationReason.TIEBREAK:
        raise NotAllowed(WhyNot.TIEBREAK, "A tiebreak at the end decides for good.")
    return entry.eliminated_round_number


def _check_rules(entry: Entry, fell_in: int, rules: Rules) -> None:
    until, limit = rules.buy_back_until, rules.buy_back_limit
    if until is None:
        raise NotAllowed(WhyNot.NOT_IN_THE_RULES, "This pool has no buying back in.")
    if fell_in > until:
        raise NotAllowed(
            WhyNot.FELL_TOO_LATE, phrase("Only who fell up to round {until} may buy back in.", until=until)
        )
    bought = Request.objects.filter(bought_entry=entry, status=RequestStatus.APPROVED).not_given_back()
    if bought.filter(round_number=fell_in).exists():
        raise NotAllowed(
            WhyNot.BOUGHT_ALREADY, phrase("The entry has bought back in after round {round} already.", round=fell_in)
        )
    if bought.filter(payment_status=PaymentStatus.COMPLETED).count() >= limit:
        raise NotAllowed(
            WhyNot.LIMIT_REACHED, phrase("An entry may buy back in {limit} times, and this one has.", limit=limit)
        )


def _is_complete(pool: Pool, number: int, rules: Rules) -> bool:
    """Whether every game of the round has come to something, and no pick of it can arrive any more."""
    games = Game.objects.filter(round__competition=pool.competition_id, round__number=number).exclude(
        status__in=(GameStatus.CANCELLED, GameStatus.POSTPONED)
    )
    if games.exclude(status=GameStatus.FINAL).exists():
        return False
    return rules.lock == LockPolicy.ROUND or not games.filter(revealed_at__isnull=True).exists()


def _next_round(pool: Pool, fell_in: int, now: datetime) -> Round:
    """The round to come back for: the first after the fall that has not locked."""
    found = rounds_of(pool).filter(unlocked(now), number__gt=fell_in).first()
    if found is None:
        raise Refused(Code.DEADLINE_PASSED, "Every round is locked that the entry could come back for.")
    if found.locks_at is None:
        raise Refused(
            Code.ROUND_NOT_OPEN, phrase("Round {round} has no games yet. Try again once it has.", round=found.number)
        )
    return found


def _still_payable(request: Request, pool: Pool, now: datetime) -> Request:
    """A request whose time is over waits for the sweep, which first makes sure that no money is on its way."""
    resumes = rounds_of(pool).filter(unlocked(now), number=request.resumes_round_number or 0)
    if request.pay_by is None or request.pay_by <= now or not resumes.exists():
        raise Refused(Code.DEADLINE_PASSED, "The time to pay is over. Ask again in a few minutes for a later round.")
    return request


def _approve(entry: Entry, pool: Pool, fell_in: int, resumes: Round, rules: Rules, now: datetime) -> Request:
    attribute(by=entry.user, reason=f"buys back in after round {fell_in}")
    is_free = rules.buy_back_fee_cents == 0
    request = Request.objects.create(
        pool=pool,
        user_id=entry.user_id,
        kind=RequestKind.BUY_BACK,
        number=entry.number,
        bought_entry=entry,
        round_number=fell_in,
        resumes_round_number=resumes.number,
        status=RequestStatus.APPROVED,
        payment_status=PaymentStatus.COMPLETED if is_free else PaymentStatus.PENDING,
        fee_cents=rules.buy_back_fee_cents,
        currency=pool.currency,
        pay_by=resumes.locks_at,
        decided_at=now,
    )
    if not is_free:
        post_request_mail("approved", request)
        return request
    try:
        bring_back(request)
    except PlaceRefused as refusal:
        raise Refused(Code.DEADLINE_PASSED, phrase("Round {round} has just locked.", round=resumes.number)) from refusal
    return request
