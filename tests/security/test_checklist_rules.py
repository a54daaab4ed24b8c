"""Rows 28, 29, 31, 32 and 33: the order of steps, all or nothing, the last place; and files and feeds that lie."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection

from config.clock import database_now
from config.errors import Code
from entries.queries.reveal import revealed_rounds
from entries.services.approvals import approve_request
from entries.services.picks.saving import save_pick
from entries.services.requests import ask_to_join, withdraw_request
from entries.services.settlement import settle_competition
from pools.models import GameChange
from tests.factories.accounts import FinanceFactory, ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, league, lock_round, play_round
from tests.pools.feeds.conftest import bring, competition, fresh, pull, result, server, source
from tests.races import test_requests as races
from tests.reports.test_spreadsheets import NASTY, is_formula
from tests.support import bad_server as bad
from tests.support.calls import call
from tests.support.feeds import as_csv, season
from tests.support.refunding import asked
from tests.support.reports import exported
from tests.support.threads import codes, run_together, successes

__all__ = ["bring", "competition", "pull", "server", "source"]
WON = {"score": (20, 17)}
PLAYED = season(KC_BUF=WON)


# --- 28: a feed that lies (in full: tests/pools/feeds) ----------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><html><script>alert(1)</script></html>",
        as_csv(PLAYED).replace(b"KC", b"XX"),
        as_csv(PLAYED).replace(b",20,", b",NaN,").replace(b",17,", b",NaN,"),
        as_csv(PLAYED).replace(b"2024,", b"1999,"),
        b"",
    ],
    ids=["HTML", "a team that is none", "NaN", "another season", "nothing"],
)
def test_row_28_what_is_no_season_of_ours_changes_nothing_and_is_told(pull, source, body):
    changes = GameChange.objects.count()

    pulled = pull(bad.answer(body))

    assert pulled.outcome == "refused"
    assert (GameChange.objects.count(), bool(fresh(source).last_error)) == (changes, True)


def test_row_28_a_score_that_is_taken_back_waits_for_a_person(bring):
    bring(season(KC_BUF=WON))
    assert result("KC_BUF") == ("final", 20, 17)

    pulled = bring(season())

    assert (result("KC_BUF"), pulled.pull.raised) == (("final", 20, 17), 1)


# --- 29: texts of players in files (in full, with LibreOffice: tests/reports/test_spreadsheets.py) --------------------


@pytest.mark.parametrize("kind", ["entries", pytest.param("payments", marks=pytest.mark.slow)])
def test_row_29_no_name_of_a_player_becomes_a_formula(db, kind):
    for name in NASTY:
        if "\x00" not in name and name.strip():
            request = RequestFactory(approved=True, user=UserFactory(display_name=name[:50]))
            paid_entry(request)

    text = exported(kind).decode("utf-8-sig")

    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert len(cells) > len(NASTY)
    assert [cell for cell in cells if is_formula(cell) and not cell.lstrip("-").replace(".", "").isdigit()] == []


# --- 31: the order of steps -------------------------------------------------------------------------------------------


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(first_kickoff_in=timedelta(days=30)), entry_fee_cents=5000)


def asks(api, user, path, data=None, key="step-by-step-1"):
    client = api(user)
    client.credentials(HTTP_IDEMPOTENCY_KEY=key)
    return call(client, "POST", path, data)


def digest() -> dict[str, tuple[int, int | None]]:
    """Every table, as a number of rows and a checksum of them; what only counts calls is left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
                       [["config_ratelimitcounter", "config_idempotencykey"]])  # fmt: skip
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)) FROM {name} t" for name in tables
            )
        )
        return {name: (count, summed) for name, count, summed in cursor.fetchall()}


@pytest.fixture
def unchanged(db):
    """At the end of the test the database is what `unchanged()` saw."""
    seen = []
    yield lambda: seen.append({name: it for name, it in digest().items() if not name.startswith("config_audit")})
    assert {name: it for name, it in digest().items() if not name.startswith("config_audit")} == seen[0]


def test_row_31_nobody_picks_before_they_have_paid(api, pool, unchanged):
    request = RequestFactory(pool=pool, approved=True)
    unchanged()

    status, code = call(api(request.user), "PUT", f"/entries/{request.pk}/picks/1", {"team": "ANT"})

    assert (status, code) == (404, "NOT_FOUND")


def test_row_31_nobody_pays_before_they_are_approved(api, pool, unchanged):
    request = RequestFactory(pool=pool)
    unchanged()

    assert asks(api, request.user, f"/requests/{request.pk}/payment") == (422, "PAYMENT_NOT_DUE")


def test_row_31_nobody_approves_their_own_request(api, pool, unchanged):
    request = RequestFactory(pool=pool, user=ModeratorFactory())
    unchanged()

    assert asks(api, request.user, f"/requests/{request.pk}/approve") == (403, "FORBIDDEN")


def test_row_31_nobody_joins_after_the_lock(api, pool, player, unchanged):
    lock_round(pool.competition.rounds.get(number=1))
    unchanged()

    status, code = asks(api, player, f"/pools/{pool.pk}/requests")

    assert (status, code) == (422, "POOL_CLOSED")


def test_row_31_nothing_is_withdrawn_that_is_over(api, pool, unchanged):
    request = RequestFactory(pool=pool, status="rejected", decided_at=database_now())
    unchanged()

    assert asks(api, request.user, f"/requests/{request.pk}/withdraw") == (409, "INVALID_TRANSITION")


# --- 32: all or nothing -----------------------------------------------------------------------------------------------


class Torn(Exception):
    """The process is gone, as far as the operation can tell."""


class TearAt:
    """Lets so many statements through, and fails at the next; what is only undone is let through as well."""

    def __init__(self, number: int) -> None:
        self.left, self.is_torn = number, False

    def __call__(self, execute, sql, params, many, context):
        if not self.is_torn and not str(sql).startswith(("ROLLBACK", "RELEASE", "SAVEPOINT")):
            if self.left == 0:
                self.is_torn = True
                raise Torn
            self.left -= 1
        return execute(sql, params, many, context)


def joining():
    pool, user = PoolFactory(competition=league(first_kickoff_in=timedelta(days=30))), UserFactory()
    return lambda: ask_to_join(pool_id=pool.pk, user=user, now=database_now())


def approving():
    request, staff = RequestFactory(), ModeratorFactory()
    return lambda: approve_request(request=request, by=staff, now=database_now())


def withdrawing():
    request = RequestFactory(approved=True)
    return lambda: withdraw_request(request=request, by=request.user, now=database_now())


def entering():
    request = RequestFactory(approved=True)
    return lambda: paid_entry(request)


def picking():
    entry = EntryFactory(in_pool=PoolFactory(competition=league(first_kickoff_in=timedelta(days=30))))
    return lambda: save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT"])


def settling():
    pool = PoolFactory(competition=league(rounds=2))
    for _ in range(3):
        EntryFactory(in_pool=pool)
    play_round(pool.competition.rounds.get(number=1), winners=set())
    # Revealed is a fact of its own, before anything is settled, and stays.
    revealed_rounds(pool.competition_id)
    return lambda: settle_competition(competition_id=pool.competition_id)


def refunding():
    entry, staff = paid_entry(), FinanceFactory()
    receipt = entry.request.payments.get().receipts.get()
    return lambda: asked(receipt, staff)


@pytest.mark.parametrize(
    "prepare",
    [
        joining,
        approving,
        withdrawing,
        entering,
        picking,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (settling, refunding)),
    ],
    ids=lambda one: one.__name__,
)
def test_row_32_an_operation_that_is_torn_at_any_statement_leaves_nothing(db, prepare):
    operation = prepare()
    before, torn = digest(), 0
    while True:
        tear = TearAt(torn)
        try:
            with connection.execute_wrapper(tear):
                operation()
            break
        except Torn:
            assert digest() == before, f"after {torn} statements"
            torn += 1
    assert torn >= 2
    assert digest() != before


# --- 33: the last place -----------------------------------------------------------------------------------------------

CLIENTS, ROUNDS = 50, 30


@pytest.mark.slow
@pytest.mark.sliced
@pytest.mark.django_db(transaction=True)
def test_row_33_of_fifty_for_the_last_place_one_gets_it_thirty_times_over():
    competition, staff = league(first_kickoff_in=timedelta(days=60)), ModeratorFactory()
    for number in range(ROUNDS):
        pool = PoolFactory(competition=competition, capacity=1)
        requests = [RequestFactory(pool=pool) for _ in range(CLIENTS)]

        outcomes = run_together([races.approving(request, staff) for request in requests])

        assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.POOL_FULL] * (CLIENTS - 1)), number
        assert pool.requests.holding_a_place().count() == 1


@pytest.mark.django_db(transaction=True)
def test_row_33_without_the_lock_the_last_place_is_given_twice():
    """The control: were the race not lost here, the test above would prove nothing."""
    races.test_without_the_lock_before_the_look_a_pool_is_oversold(league(first_kickoff_in=timedelta(days=60)))
