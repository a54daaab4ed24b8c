"""Limits of what a player spends in a calendar month, by the clock of finance, each currency for itself.

Whoever keeps money of players says what it counts (`counts_spending`): what was started or received in the month,
less what came back of it. Whoever starts a payment calls `refuse_over_limit` in the transaction that writes it. That
holds the player's row, after every other lock, until it commits; the next one sees the payment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Subquery

from accounts.models import Exclusion, SpendingLimit, User
from accounts.services.exclusions import Excluded
from accounts.services.own_data import Row, section
from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, Refused, invalid
from config.money import CURRENCIES
from config.phrases import Money, phrase

LARGEST = 2**53
CHANGED_MAIL, RAISED_MAIL = "mail.spending_limit_changed", "mail.spending_limit_raised"

# As with exclusions. One that was replaced while it waited never began to hold.
RAISED = """
    SELECT 'spending-limit-raised-' || s.id, jsonb_build_object('limit', s.id)
    FROM accounts_spendinglimit s
    WHERE s.effective_at BETWEEN %(now)s - interval '14 days' AND %(now)s AND s.effective_at > s.asked_at
      AND NOT EXISTS (SELECT 1 FROM accounts_spendinglimit n WHERE (n.user_id, n.currency) = (s.user_id, s.currency)
                      AND n.id > s.id AND n.effective_at <= s.effective_at)
      AND NOT EXISTS (SELECT 1 FROM config_outboxmessage m WHERE m.key = 'spending-limit-raised-' || s.id)
    ORDER BY s.effective_at, s.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month where finance is."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """What holds for a player in one currency, what waits, and what this month has come to."""

    currency: str
    amount_cents: int | None
    pending: SpendingLimit | None
    spent_cents: int
    month: Month

    @property
    def left_cents(self) -> int | None:
        """None without a limit; 0 also where a lower limit came after the money."""
        return None if self.amount_cents is None else max(self.amount_cents - self.spent_cents, 0)


# (player, currency, month, payment to leave out) → minor units.
Counter = Callable[[int, str, Month, int | None], int]
_counters: list[Counter] = []


class SpendingLimitReached(Refused):
    """The player set a limit, and this would go beyond it."""

    def __init__(self, state: State) -> None:
        limit, until = state.amount_cents or 0, state.month.ends_at
        super().__init__(
            Code.SPENDING_LIMIT_REACHED,
            phrase(
                "The month's spending limit of {amount} leaves {left}.",
                amount=Money(limit, state.currency),
                left=Money(state.left_cents or 0, state.currency),
            ),
            {
                "limit_cents": limit,
                "spent_cents": state.spent_cents,
                "currency": state.currency,
                "until": until.isoformat(timespec="seconds").replace("+00:00", "Z"),
            },
        )


class LimitPending(Conflict):
    """A higher limit waits already."""

    def __init__(self, waiting: SpendingLimit) -> None:
        at = waiting.effective_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        super().__init__(
            Code.LIMIT_PENDING,
            phrase(
                "Another limit begins to hold at {at:instant}. Ask for the present one to take that back.",
                at=waiting.effective_at,
            ),
            {"amount_cents": waiting.amount_cents, "effective_at": at},
        )


def counts_spending(function: Counter) -> Counter:
    """Have the function asked what a player spent."""
    if function not in _counters:
        _counters.append(function)
    return function


def month_of(at: datetime) -> Month:
    """The month of an instant, as two instants in UTC."""
    local = at.astimezone(settings.FINANCE_TIME_ZONE)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (first + timedelta(days=31)).replace(day=1)
    # The difference to UTC of either is its own: the clock may change in between.
    return Month(*(one.astimezone(UTC) for one in (first, following)))


def state_of(*, user_id: int, currency: str, now: datetime, but_payment: int | None = None) -> State:
    """How things stand at `now`; without `but_payment`, if one is named."""
    rows = SpendingLimit.objects.of(user_id).filter(currency=currency).order_by("-id")
    standing = rows.filter(effective_at__lte=now).first()
    newest = rows.first()
    month = month_of(now)
    spent = sum(counter(user_id, currency, month, but_payment) for counter in _counters)
    is_waiting = newest is not None and newest.effective_at > now
    return State(currency, standing.amount_cents if standing else None, newest if is_waiting else None, spent, month)


def states_of(*, user_id: int, now: datetime) -> list[State]:
    """The same of each currency in which the player ever set a limit."""
    known = SpendingLimit.objects.of(user_id).order_by("currency").values_list("currency", flat=True).distinct()
    return [state_of(user_id=user_id, currency=currency, now=now) for currency in known]


def refuse_over_limit(
    *, user_id: int, currency: str, amount_cents: int, now: datetime, but_payment: int | None = None
) -> None:
    """Refuses with SPENDING_LIMIT_REACHED what would go beyond the month's limit; else no other payment of the player
    begins before this transaction ends.

    `now` says which month and which limit; `but_payment` is the payment that asks, where it is counted already.
    """
    hold_spender(user_id)
    refuse_unaffordable(user_id=user_id, currency=currency, amount_cents=amount_cents, now=now, but_payment=but_payment)


def refuse_payment(*, user_id: int, currency: str, amount_cents: int, now: datetime, but_payment: int | None) -> None:
    """Refuses with EXCLUDED, and with SPENDING_LIMIT_REACHED by the clock as it is here. The player's row is held.

    `but_payment` is the payment that is gone on with, if it is not a new one.
    """
    of_player = Exclusion.objects.of(user_id).in_force(now).order_by(F("until").desc(nulls_first=True))
    limits = SpendingLimit.objects.of(user_id).filter(currency=currency)
    # One question for both: nearly everybody has neither.
    found = User.objects.filter(pk=user_id).values_list(Subquery(of_player.values("pk")[:1]), Exists(limits)).get()
    exclusion_id, is_limited = found
    if exclusion_id is not None:
        raise Excluded(Exclusion.objects.get(pk=exclusion_id))
    if is_limited:
        refuse_unaffordable(user_id=user_id, currency=currency, amount_cents=amount_cents, but_payment=but_payment)


def refuse_unaffordable(
    *, user_id: int, currency: str, amount_cents: int, now: datetime | None = None, but_payment: int | None = None
) -> None:
    """The same without holding anything: for who holds the player's row already, or only asks for money later.

    Without `now`, by the clock as it is here: a limit that was set while the row was waited for holds.
    """
    if not SpendingLimit.objects.of(user_id).filter(currency=currency).exists():
        return
    state = state_of(user_id=user_id, currency=currency, now=now or database_now(), but_payment=but_payment)
    if state.left_cents is not None and amount_cents > state.left_cents:
        raise SpendingLimitReached(state)


def hold_spender(user_id: int) -> None:
    """Wait for whatever else the player is paying for at this moment, and have the next one wait for us."""
    User.objects.locked().only("pk").get(pk=user_id)


@transaction.atomic
def set_limit(*, user: User, currency: str, amount_cents: int | None, now: datetime) -> State:
    """Set what a month may cost at most, None for no limit. A lower one holds at once, a higher one in seven days.

    What is asked for is what will hold: a lower limit, or the present one again, takes back a higher one that waits.
    Refuses with LIMIT_PENDING a higher one while another waits; with VALIDATION_ERROR what is no amount or currency.
    """
    currency = currency.strip().lower()
    if currency not in CURRENCIES:
        raise invalid("currency", "There is no such currency.")
    if amount_cents is not None and not 0 <= amount_cents <= LARGEST:
        raise invalid("amount_cents", phrase("From 0 to {largest} minor units, or null: no limit.", largest=LARGEST))
    hold_spender(user.pk)
    # Whoever held the player before us has written rows that are younger than the `now` we came with.
    now = max(now, database_now())
    state = state_of(user_id=user.pk, currency=currency, now=now)
    is_same = amount_cents == state.amount_cents
    if is_same and state.pending is None:
        return state
    is_higher = state.amount_cents is not None and (amount_cents is None or amount_cents > state.amount_cents)
    if is_higher and state.pending is not None:
        raise LimitPending(state.pending)
    attribute(by=user)
    limit = SpendingLimit.objects.create(user_id=user.pk, currency=currency, amount_cents=amount_cents)
    outbox.post(kind=CHANGED_MAIL, key=f"spending-limit-{limit.pk}", payload={"limit": limit.pk})
    # By the clock that stamped it.
    return state_of(user_id=user.pk, currency=currency, now=max(now, database_now()))


def tell_raised(*, now: datetime, limit: int = 1000) -> int:
    """Have players told whose higher limit began to hold in the last fortnight, each once; how many."""
    with transaction.atomic():
        return outbox.post_many(kind=RAISED_MAIL, rows=RAISED, params={"now": now, "limit": limit})


@section("spending_limits")
def own_spending_limits(user: User) -> Iterator[Row]:
    """Every limit they ever asked for."""
    yield from (
        SpendingLimit.objects.of(user.pk)
        .order_by("id")
        .values("currency", "amount_cents", "asked_at", "effective_at")
        .iterator(chunk_size=500)
    )
