"""Limits of what a month may cost: lower at once, higher in a week, whoever asks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import SpendingLimit
from accounts.services import spending
from accounts.services.spending import Month, month_of, refuse_over_limit, set_limit, state_of
from config.clock import database_now
from config.errors import Code, DomainError
from config.models import AuditEntry
from tests.accounts.test_models import run
from tests.support.attacks import attack

WEEK = timedelta(days=7)
INSERT = """
    INSERT INTO accounts_spendinglimit (user_id, currency, amount_cents, asked_at, effective_at)
    VALUES (%s, %s, %s, %s, %s)
"""


@pytest.fixture
def spent(monkeypatch):
    """What the player has spent, by currency, as somebody who keeps money would tell it."""
    sums = {}
    monkeypatch.setattr(spending, "_counters", [lambda user_id, currency, month, but: sums.get(currency, 0)])
    return sums


def limit(user, amount_cents, currency="usd"):
    return set_limit(user=user, currency=currency, amount_cents=amount_cents, now=database_now())


def in_force(user, now=None, currency="usd"):
    return state_of(user_id=user.pk, currency=currency, now=now or database_now()).amount_cents


def refused(user, amount_cents, currency="usd"):
    """What the payment is refused with; None where it may begin."""
    try:
        refuse_over_limit(user_id=user.pk, currency=currency, amount_cents=amount_cents, now=database_now())
    except DomainError as refusal:
        return refusal.code, refusal.details
    return None


def test_without_a_limit_anything_goes(user, spent):
    spent["usd"] = 10**12
    assert refused(user, 10**12) is None


def test_a_first_limit_holds_at_once(user, spent):
    state = limit(user, 10_000)

    assert (state.amount_cents, state.pending, state.left_cents) == (10_000, None, 10_000)
    assert refused(user, 10_000) is None
    assert refused(user, 10_001)[0] is Code.SPENDING_LIMIT_REACHED


def test_what_was_spent_counts(user, spent):
    limit(user, 10_000)
    spent["usd"] = 6_000

    assert refused(user, 4_000) is None
    code, details = refused(user, 4_001)
    assert code is Code.SPENDING_LIMIT_REACHED
    assert details == {
        "limit_cents": 10_000,
        "spent_cents": 6_000,
        "currency": "usd",
        "until": month_of(database_now()).ends_at.isoformat().replace("+00:00", "Z"),
    }


def test_currencies_are_apart(user, spent):
    limit(user, 100)
    spent["eur"] = 5_000

    assert refused(user, 10_000, "eur") is None
    assert refused(user, 101, "usd") is not None


def test_players_are_apart(user, stranger, spent):
    limit(user, 0)
    assert refused(stranger, 5_000) is None
    assert refused(user, 1) is not None


def test_a_lower_one_holds_at_once_also_below_what_was_spent(user, spent):
    limit(user, 10_000)
    spent["usd"] = 6_000

    state = limit(user, 5_000)

    assert (state.amount_cents, state.left_cents) == (5_000, 0)
    assert refused(user, 1) is not None


@pytest.mark.parametrize("higher", [10_001, 10**9, None])
def test_a_higher_one_holds_a_week_later(user, spent, higher, clock):
    limit(user, 10_000)

    state = limit(user, higher)

    asked = SpendingLimit.objects.first()
    assert state.pending == asked
    assert asked.effective_at - asked.asked_at == WEEK
    assert state.amount_cents == 10_000
    clock.just_before(asked.effective_at)
    assert refused(user, 10_001) is not None
    clock.at(asked.effective_at)
    assert in_force(user) == higher
    assert refused(user, 10_001) is None


def test_a_second_higher_one_waits_for_the_first(user):
    limit(user, 10_000)
    waiting = limit(user, 20_000).pending

    with pytest.raises(DomainError) as caught:
        limit(user, 30_000)

    assert caught.value.code is Code.LIMIT_PENDING
    assert caught.value.details["amount_cents"] == 20_000
    assert caught.value.details["effective_at"][:19] == waiting.effective_at.isoformat()[:19]
    assert SpendingLimit.objects.count() == 2


@pytest.mark.parametrize("present_or_lower", [10_000, 9_999, 0])
def test_the_present_or_a_lower_one_takes_back_what_waits(user, present_or_lower):
    limit(user, 10_000)
    waiting = limit(user, 20_000).pending

    state = limit(user, present_or_lower)

    assert (state.amount_cents, state.pending) == (present_or_lower, None)
    assert in_force(user, waiting.effective_at + WEEK) == present_or_lower


def test_the_same_again_writes_nothing(user):
    limit(user, 10_000)
    limit(user, 10_000)
    limit(user, None, "eur")

    assert SpendingLimit.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"amount_cents": -1}, "amount_cents"),
        ({"amount_cents": 2**53 + 1}, "amount_cents"),
        ({"currency": "xxx"}, "currency"),
    ],
)
def test_nonsense_is_refused(user, asked, field):
    with pytest.raises(DomainError) as caught:
        limit(user, **{"amount_cents": 100, **asked})
    assert (caught.value.code, list(caught.value.details)) == (Code.VALIDATION_ERROR, [field])


def test_the_audit_knows(user):
    limit(user, 10_000)

    entry = AuditEntry.objects.get(action="spending_limit.asked")
    assert (entry.person_id, entry.actor_id) == (user.pk, user.pk)
    assert "10000" not in str(entry.data)


class TestRawSql:
    """The wait is the database's: no row says another."""

    def test_a_looser_limit_waits_whatever_is_written(self, user):
        limit(user, 10_000)
        past = database_now() - timedelta(days=30)

        assert attack(INSERT, user.pk, "usd", 20_000, past, past) is None
        assert attack(INSERT, user.pk, "usd", None, past, past) is None

        assert in_force(user) == 10_000
        assert all(
            row.effective_at - row.asked_at == WEEK for row in SpendingLimit.objects.exclude(amount_cents=10_000)
        )

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE accounts_spendinglimit SET effective_at = clock_timestamp()",
            "UPDATE accounts_spendinglimit SET amount_cents = 1000000",
            "DELETE FROM accounts_spendinglimit WHERE amount_cents = 10000",
        ],
    )
    def test_no_row_changes_or_goes(self, user, sql):
        limit(user, 10_000)
        limit(user, 20_000)

        assert attack(sql) == "append_only"
        assert in_force(user) == 10_000

    def test_the_table_is_not_emptied(self, user):
        limit(user, 10_000)

        run("SET CONSTRAINTS ALL IMMEDIATE")
        assert attack("TRUNCATE accounts_spendinglimit") == "append_only_truncate"


@pytest.mark.parametrize(
    ("at", "begins", "ends"),
    [
        ("2026-11-22T12:00Z", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("2026-12-31T23:59Z", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2028-02-29T00:00Z", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("2026-03-01T00:00Z", "2026-03-01T00:00", "2026-04-01T00:00"),
    ],
)
def test_months_are_those_of_the_calendar(at, begins, ends, settings):
    settings.FINANCE_TIME_ZONE = ZoneInfo("UTC")
    month = month_of(datetime.fromisoformat(at))

    assert month == Month(
        datetime.fromisoformat(begins).replace(tzinfo=UTC), datetime.fromisoformat(ends).replace(tzinfo=UTC)
    )


def test_months_begin_and_end_by_the_clock_of_finance(settings):
    """In New York the clock changes on 8 March and 1 November 2026."""
    settings.FINANCE_TIME_ZONE = ZoneInfo("America/New_York")

    march = month_of(datetime(2026, 3, 1, 4, 59, tzinfo=UTC))
    assert march == Month(datetime(2026, 2, 1, 5, tzinfo=UTC), datetime(2026, 3, 1, 5, tzinfo=UTC))
    assert month_of(datetime(2026, 3, 1, 5, tzinfo=UTC)).ends_at == datetime(2026, 4, 1, 4, tzinfo=UTC)
    november = month_of(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    assert november == Month(datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC))
    assert month_of(datetime(2026, 11, 1, 6, 30, tzinfo=UTC)) == november
