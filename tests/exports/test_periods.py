"""Closed months: two names, one after another, sealed; what is learned later lands in the first open day."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from config.errors import DomainError
from payments.ledger.bulk import post_set
from payments.ledger.models import JournalEntry
from payments.models import PeriodClose
from payments.services.periods import broken_periods, close_period, propose_period, withdraw_period
from tests.support.ledger import Books, draft, posted
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture(autouse=True)
def zone(settings):
    settings.FINANCE_TIME_ZONE = ZoneInfo("America/New_York")


def at(month, day, hour=12):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def closed(first_day, finance, colleague):
    period = propose_period(first_day=first_day, by=finance, now=database_now())
    return close_period(period_id=period.pk, by=colleague, now=database_now())


def refused(do, *arguments, **named):
    with pytest.raises(DomainError) as refusal:
        do(*arguments, **named)
    return refusal.value.code


def test_what_the_books_had_come_to_is_sealed(finance, colleague):
    posted(5000, at=at(1, 10))
    posted(700, currency="jpy", at=at(1, 31))
    # In New York it is still January.
    posted(1, at=at(2, 1, 4))
    posted(9999, at=at(2, 1))

    period = closed(JANUARY, finance, colleague)

    assert (period.status, period.entries, period.previous_digest) == ("closed", 3, "")
    assert [(line["currency"], line["kind"], line["debit"], line["credit"]) for line in period.trial_balance] == [
        ("jpy", "clearing", 700, 0), ("jpy", "unallocated", 0, 700),
        ("usd", "clearing", 5001, 0), ("usd", "unallocated", 0, 5001),
    ]  # fmt: skip
    february = closed(FEBRUARY, finance, colleague)
    assert february.previous_digest == period.digest != february.digest
    assert broken_periods() == []


def test_what_is_learned_later_is_booked_on_the_first_open_day(finance, colleague):
    posted(at=at(1, 10))
    before = closed(JANUARY, finance, colleague)

    late, open_ = posted(250, at=at(1, 20)), posted(300, at=at(3, 5))
    with transaction.atomic():
        post_set(
            """
            SELECT n AS row_id, 'set' AS source_type, n::text AS source_id, 'received' AS event, 'usd' AS currency,
                false AS livemode, timestamptz '2026-01-15 12:00Z' AS effective_at, s AS place,
                CASE s WHEN 1 THEN 'clearing' ELSE 'unallocated' END AS kind, NULL::bigint AS pool_id,
                NULL::bigint AS player_id, CASE s WHEN 1 THEN 'stripe' ELSE '' END AS provider,
                CASE s WHEN 1 THEN 10 ELSE -10 END AS amount
            FROM generate_series(1, 2) n, generate_series(1, 2) s
            """,
            {},
        )

    days = dict(JournalEntry.objects.values_list("id", "finance_date"))
    assert (days[late], days[open_]) == (FEBRUARY, date(2026, 3, 5))
    assert set(JournalEntry.objects.filter(source_type="set").values_list("finance_date", flat=True)) == {FEBRUARY}
    assert JournalEntry.objects.get(pk=late).effective_at == at(1, 20)
    assert broken_periods() == []
    assert PeriodClose.objects.get(pk=before.pk).digest == before.digest


def test_two_names_and_one_after_another(finance, colleague):
    now = at(3, 15)
    period = propose_period(first_day=JANUARY, by=finance, now=now)
    assert refused(close_period, period_id=period.pk, by=finance, now=now) == "SECOND_NAME_NEEDED"
    assert refused(propose_period, first_day=JANUARY, by=colleague, now=now) == "PERIOD_CLOSED"
    withdraw_period(period_id=period.pk, by=colleague, reason="Not yet.")
    assert refused(close_period, period_id=period.pk, by=colleague, now=now) == "INVALID_TRANSITION"
    assert refused(propose_period, first_day=date(2026, 1, 2), by=finance, now=now) == "VALIDATION_ERROR"
    assert refused(propose_period, first_day=date(202, 6, 1), by=finance, now=now) == "VALIDATION_ERROR"
    for later in (date(2026, 3, 1), date(9999, 12, 1)):
        assert refused(propose_period, first_day=later, by=finance, now=now) == "PERIOD_CLOSED"
    # The month is over in the finance zone, not in UTC.
    assert refused(propose_period, first_day=FEBRUARY, by=finance, now=at(3, 1, 4)) == "PERIOD_CLOSED"

    closed(JANUARY, finance, colleague)
    assert refused(propose_period, first_day=JANUARY, by=finance, now=now) == "PERIOD_CLOSED"
    assert refused(propose_period, first_day=date(2025, 12, 1), by=finance, now=now) == "PERIOD_CLOSED"


def test_nobody_writes_into_a_closed_month_past_the_service(finance, colleague):
    books = Books()
    closed(JANUARY, finance, colleague)
    into = books.header().replace("now(), now()", "'2026-01-05', '2026-01-05'")
    assert "2026-01-05" in into
    assert books.refused(into) == "journal_period_open"


def test_what_was_closed_is_never_changed(finance, colleague):
    period = closed(JANUARY, finance, colleague)
    later = propose_period(first_day=FEBRUARY, by=finance, now=database_now())
    for row, change, guard in [
        (period, {"trial_balance": []}, "period_stays"),
        (period, {"status": "withdrawn"}, "period_stays|status_map"),
        (later, {"first_day": date(2026, 3, 1)}, "period_stays"),
        (later, {"status": "closed", "closed_by": colleague, "closed_at": at(3, 1), "digest": "0" * 64,
                 "previous_digest": "0" * 64}, "period_follows"),
        (later, {"status": "closed", "closed_by": finance, "closed_at": at(3, 1), "digest": "0" * 64,
                 "previous_digest": period.digest}, "period_two_names"),
    ]:  # fmt: skip
        with pytest.raises(DatabaseError) as error, transaction.atomic():
            PeriodClose.objects.filter(pk=row.pk).update(**change)
        assert error.value.__cause__.diag.constraint_name in guard.split("|")


def test_a_broken_seal_is_found(finance, colleague):
    posted(at=at(1, 10))
    period = closed(JANUARY, finance, colleague)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_posting SET amount = amount * 2")
        cursor.execute("SET session_replication_role = origin")
    assert [(one.period, "come to something else" in one.because) for one in broken_periods()] == [(period, True)]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_periodclose SET entries = entries + 1")
        cursor.execute("SET session_replication_role = origin")
    assert [one.because for one in broken_periods()] == ["its digest does not fit"]


def test_all_seals_are_checked_in_one_look(finance, colleague):
    periods, costs = [], set()
    for month in (1, 2, 3):
        posted(100 * month, at=at(month, 10)), posted(700, currency="jpy", at=at(month, 11))
        periods.append(closed(date(2026, month, 1), finance, colleague))
        with CaptureQueriesContext(connection) as asked:
            assert broken_periods() == []
        costs.add(len(asked))
    assert len(costs) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payments_posting SET amount = amount * 2 FROM payments_journalentry j"
            " WHERE j.id = journal_entry_id AND j.finance_date = '2026-02-10'"
        )
        cursor.execute("SET session_replication_role = origin")
    assert [one.period for one in broken_periods()] == periods[1:]


def test_who_proposes_a_month_at_the_same_time_is_told(finance, colleague):
    outcomes = run_together(
        [lambda by=by: propose_period(first_day=JANUARY, by=by, now=database_now()) for by in (finance, colleague)]
    )

    assert sorted(outcome.worked for outcome in outcomes) == [False, True]
    assert [outcome.error.code for outcome in outcomes if not outcome.worked] == ["PERIOD_CLOSED"]


def test_who_posts_while_a_month_is_closed_is_in_it_or_after_it(finance, colleague):
    """Many write into January while it is closed: each entry is sealed, or stands in February; none in between."""
    posted(at=at(1, 10))
    period = propose_period(first_day=JANUARY, by=finance, now=database_now())

    def write():
        for _ in range(15):
            posted(at=at(1, 20))

    def close():
        for _ in range(50):
            try:
                return close_period(period_id=period.pk, by=colleague, now=database_now())
            except DomainError as refusal:
                if refusal.code != "SERVICE_UNAVAILABLE":
                    raise
        raise TimeoutError

    outcomes = run_together([write, write, close])

    assert all(outcome.worked for outcome in outcomes), outcomes
    period.refresh_from_db()
    in_january = JournalEntry.objects.filter(finance_date__lte=date(2026, 1, 31)).count()
    assert in_january == period.entries
    assert in_january + JournalEntry.objects.filter(finance_date=FEBRUARY).count() == 31
    assert broken_periods() == []


def test_books_that_do_not_balance_are_not_closed(finance, colleague):
    posted(at=at(1, 10))
    period = propose_period(first_day=JANUARY, by=finance, now=database_now())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_posting SET amount = amount + 1 WHERE amount > 0")
        cursor.execute("SET session_replication_role = origin")
    assert refused(close_period, period_id=period.pk, by=colleague, now=database_now()) == "PERIOD_CLOSED"


def test_a_draft_is_dated_once(finance, colleague):
    """Posting the same event again after its month was closed changes nothing, and is not refused."""
    from payments.ledger.posting import post

    same = draft(at=at(1, 10), source=("test", "same"))
    with transaction.atomic():
        assert post(same)
    closed(JANUARY, finance, colleague)
    with transaction.atomic():
        assert post(same) is None
    assert JournalEntry.objects.get().finance_date == date(2026, 1, 10)
