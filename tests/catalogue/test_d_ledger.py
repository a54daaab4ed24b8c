"""61. When money counts: clocks that are wrong, hours that come twice, and the last second of a month."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction

from config.clock import database_now
from payments.ledger import rules
from payments.ledger.balances import trial_balance
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Receipt
from payments.reports.base import Narrowing
from payments.services.inbox import sweep_events
from tests.support.calls import call
from tests.support.payments import deliver, started

pytestmark = pytest.mark.django_db(transaction=True)

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def in_new_york(settings):
    settings.FINANCE_TIME_ZONE = NEW_YORK


def booked(at, name):
    with transaction.atomic():
        entry = post(rules.charge_received("stripe", name, Sum(100, "usd", False, at)))
    return JournalEntry.objects.get(pk=entry)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        # The last second of October in New York is November in UTC; the first of November there is not the first here.
        ("2026-11-01T03:59:59.999999+00:00", "2026-10-31"),
        ("2026-11-01T04:00:00+00:00", "2026-11-01"),
        # The year's end, in winter time.
        ("2027-01-01T04:59:59+00:00", "2026-12-31"),
        ("2027-01-01T05:00:00+00:00", "2027-01-01"),
        # The hour that comes twice: both are of the same day, an hour apart.
        ("2026-11-01T05:30:00+00:00", "2026-11-01"),
        ("2026-11-01T06:30:00+00:00", "2026-11-01"),
        # The hour that is left out; and the day of 23 hours ends where the next one begins.
        ("2026-03-08T06:59:59+00:00", "2026-03-08"),
        ("2026-03-08T07:00:00+00:00", "2026-03-08"),
        ("2026-03-09T03:59:59+00:00", "2026-03-08"),
        ("2026-03-09T04:00:00+00:00", "2026-03-09"),
        # A leap second is the second after it.
        ("2016-12-31T23:59:60+00:00", "2016-12-31"),
    ],
)
def test_61_the_day_of_money_is_that_of_the_finance_zone(in_new_york, instant, day):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [instant])
        (at,) = cursor.fetchone()

    entry = booked(at, "ch_1")

    assert entry.finance_date == date.fromisoformat(day)
    assert entry.effective_at == at


def test_61_the_day_is_written_once_and_stays_when_the_zone_is_changed(in_new_york, settings):
    at = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    entry = booked(at, "ch_1")
    settings.FINANCE_TIME_ZONE = ZoneInfo("UTC")

    with transaction.atomic():
        assert post(rules.charge_received("stripe", "ch_1", Sum(100, "usd", False, at))) is None

    entry.refresh_from_db()
    assert entry.finance_date == date(2026, 10, 31)
    assert booked(at, "ch_2").finance_date == date(2026, 11, 1)


def test_61_months_are_half_open_so_that_no_instant_is_in_two_or_in_none(in_new_york):
    october = Narrowing(None, date(2026, 10, 1), date(2026, 10, 31)).parameters()
    november = Narrowing(None, date(2026, 11, 1), date(2026, 11, 30)).parameters()

    assert october["until"] == november["since"]
    border = october["until"]
    last, first = booked(border - timedelta(microseconds=1), "ch_1"), booked(border, "ch_2")
    assert (last.finance_date, first.finance_date) == (date(2026, 10, 31), date(2026, 11, 1))


@pytest.mark.parametrize("hours", [-30, 30])
def test_61_a_provider_whose_clock_is_wrong_moves_the_day_and_never_the_order(hours):
    """When it counts is the provider's word; when it was written is ours, and the past is asked by ours."""
    before = database_now()
    entry = booked(before + timedelta(hours=hours), "ch_1")
    after = database_now()

    assert before < entry.posted_at < after
    assert trial_balance(as_of=before, livemode=False).rows == []
    assert [row.debit for row in trial_balance(as_of=after, livemode=False).rows] == [100, 0]


def test_61_an_application_whose_clock_is_wrong_writes_the_databases_instant(time_machine_far_ahead):
    entry = booked(database_now(), "ch_1")

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert abs(entry.posted_at - now) < timedelta(minutes=1)
    assert datetime.now(UTC) - entry.posted_at > timedelta(days=300)


@pytest.fixture
def time_machine_far_ahead():
    with time_machine.travel(database_now() + timedelta(days=365), tick=True):
        yield


def test_61_money_that_was_paid_over_http_counts_from_the_providers_instant(api, player, finance, unpaid, double):
    payment = started(api(player), unpaid)
    assert double.pay(payment.checkout_url)[0] == 200
    deliver(double)
    sweep_events()

    receipt = Receipt.objects.get()
    entry = JournalEntry.objects.get(source_type="charge", event="received")
    assert entry.effective_at == receipt.received_at
    status, data = call(api(finance), "GET", "/ledger/trial-balance", as_of=database_now().isoformat())
    assert status == 200
    stands = {row["kind"]: row["balance_cents"] for row in data["rows"]}
    assert (stands["unallocated"], stands["prize_pot"]) == (0, -5000)
    assert data["proof"] == [{"currency": "usd", "difference_cents": 0}]
    early = (receipt.received_at - timedelta(days=1)).isoformat()
    assert call(api(finance), "GET", "/ledger/trial-balance", as_of=early)[1]["rows"] == []
