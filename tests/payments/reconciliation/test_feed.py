"""Reading the feed into staging, over kills and losses; what is read, how far, and how often."""

import random
import re
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from config.clock import database_now
from payments import providers, tasks
from payments.models import (
    Discrepancy,
    FeedCursor,
    Movement,
    Posting,
    ReconciliationRun,
    RunKind,
    RunPhase,
    RunStatus,
    StagedMovement,
    StagedObject,
)
from payments.providers import register
from payments.providers.base import Origin
from payments.providers.faults import Unreachable
from payments.providers.stripe import client
from payments.reconciliation import differences, feed, staging
from payments.reconciliation.feed import run_between, run_deep, run_deep_if_due, run_feed
from payments.reconciliation.runs import Overtaken
from payments.reconciliation.windows import Window, days_of, last_night
from tests.factories.entries import RequestFactory
from tests.support.charging import paid_receipt
from tests.support.copies import copy_of_the_database
from tests.support.reconciling import AHEAD
from tests.support.toy_provider import ToyProvider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]

NEW_YORK = ZoneInfo("America/New_York")
SOON = timedelta(minutes=5)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


@pytest.fixture
def day(api, double, monkeypatch):
    """Money that moved in most ways: told of, and not; ours, and not."""
    monkeypatch.setattr(client, "PAGE", 2)
    told = paid_receipt(api, RequestFactory(approved=True), double)
    other = paid_receipt(api, RequestFactory(approved=True), double)
    double.dashboard_refund(1000, charge=told.charge_id)
    double.dispute(charge=other.charge_id)
    double.foreign_charge(700, metadata={"order": "of somebody else"})
    return double


def run(**given):
    return run_feed(until=database_now() + AHEAD, **given)


def deep(**given):
    return run_deep(until=database_now() + AHEAD, **given)


def killed_after(statements, work):
    """Kill the work at that SQL statement, counted from its first; how many there were where it was over before."""
    made = count()

    def counted(execute, sql, params, many, context):
        if next(made) >= statements and "pg_advisory_unlock" not in sql:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counted):
        try:
            work()
        except Killed:
            return 0
    return next(made)


def state():
    """Everything that a run decides, less what has to differ: ids and instants."""
    run = ReconciliationRun.objects.get()
    queue = Discrepancy.objects.values_list("kind", "object_key", "status", "amount_cents", "currency")
    return {
        "run": [
            run.status,
            run.phase,
            run.pages,
            run.staged,
            run.found,
            run.healed,
            run.opened,
            run.closed,
            run.totals,
        ],
        "queue": sorted((kind, re.sub(r":[0-9]+$", "", key), *rest) for kind, key, *rest in queue),
        "movements": sorted(Movement.objects.values_list("reference", "kind", "net_cents", "currency")),
        "books": sorted(Posting.objects.values_list("journal_entry__event", "account__kind", "amount")),
        "staged": (StagedMovement.objects.count(), StagedObject.objects.count()),
        "cursor": FeedCursor.objects.exists(),
    }


class TestReading:
    def test_what_moved_is_read_compared_and_forgotten(self, day):
        found = run()

        assert (found.kind, found.provider, found.status, found.error) == (RunKind.FEED, "stripe", "finished", "")
        assert (found.staged, found.pages, found.page_cursors) == (5, 3, {"movement": None})
        assert (StagedMovement.objects.count(), StagedObject.objects.count()) == (0, 0)
        assert FeedCursor.objects.get().through == found.until
        usd = found.totals["usd"]
        assert usd["charges"]["theirs"] == [3, 10_700]
        assert (usd["refunds"]["theirs"], usd["disputes"]["theirs"]) == ([1, -1000], [1, -5000])
        assert usd["fees"]["theirs"] == [4, 175 + 175 + 50 + 1500]

    def test_after_healing_both_sides_have_the_same(self, day):
        usd = run().totals["usd"]

        assert {what for what, sides in usd.items() if sides["ours"] != sides["theirs"]} <= {
            "charges",
            "fees",
            "matched",
        }
        assert usd["refunds"]["ours"] == [1, -1000]

    def test_a_second_run_finds_nothing_new(self, day):
        run()

        again = run()

        assert (again.opened, again.closed, again.healed) == ({}, {}, {})

    def test_a_deep_run_reads_the_other_lists_as_well(self, day, monkeypatch):
        kept = []
        monkeypatch.setattr(staging, "forget", lambda run: kept.append(None))

        found = deep()

        assert found.page_cursors == dict.fromkeys(["movement", "session", "charge", "refund", "dispute", "payout"])
        counted = {kind: StagedObject.objects.filter(kind=kind).count() for kind in ("session", "charge", "refund")}
        assert counted == {"session": 2, "charge": 3, "refund": 1}
        assert found.staged == StagedMovement.objects.count() + StagedObject.objects.count()
        assert not FeedCursor.objects.exists()

    def test_the_cursor_never_goes_back(self, double):
        FeedCursor.objects.create(provider="stripe", through=database_now() + timedelta(hours=1))

        found = run()

        assert FeedCursor.objects.get().through > found.until

    def test_marks_that_are_not_ours_are_left_out(self, double):
        strange = Origin(ref="order\x00 12", env="x" * 99, request_id=2**70, pool_id=-1, payment_id=7)

        assert staging._of_both(1, "ch_1", False, strange) == (1, "ch_1", False, "", "x" * 40, None, None, 7)

    def test_a_row_that_a_moving_list_shows_twice_is_kept_once(self, day):
        begun = ReconciliationRun.objects.create(kind="feed", provider="stripe")
        begun.refresh_from_db()
        given = {"since": database_now() - SOON, "until": database_now() + AHEAD}
        page = providers.online_provider().movements_page(**given, after=None)

        staging.put_movements(begun, "movement", page)
        staging.put_movements(begun, "movement", page)

        assert (begun.pages, begun.staged, StagedMovement.objects.count()) == (2, 2, 2)
        assert staging.is_whole(begun)

    def test_a_page_that_another_process_has_noted_is_not_noted_again(self, day):
        begun = ReconciliationRun.objects.create(kind="feed", provider="stripe")
        begun.refresh_from_db()
        given = {"since": database_now() - SOON, "until": database_now() + AHEAD}
        page = providers.online_provider().movements_page(**given, after=None)
        # What the late one was told has other rows: the list has moved meanwhile.
        moved = providers.online_provider().movements_page(**given, after=page.after)
        late = ReconciliationRun.objects.get()
        staging.put_movements(begun, "movement", page)

        with pytest.raises(Overtaken):
            staging.put_movements(late, "movement", moved)

        assert StagedMovement.objects.count() == 2
        assert staging.is_whole(begun)


@pytest.mark.slow
class TestKilled:
    def test_at_ten_points_the_result_is_that_of_one_that_was_not(self, day):
        """Each time over the same world, at some statement in whatever phase that is; the next goes on."""
        with copy_of_the_database():
            statements = killed_after(10**6, run)
            expected = state()
        dice = random.Random("killed")

        for _ in range(10):
            point = dice.randrange(statements)
            with copy_of_the_database():
                assert killed_after(point, run) == 0
                run()

                found = state()
                differing = {what: (found[what], expected[what]) for what in found if found[what] != expected[what]}
                assert differing == {}, point

    def test_killed_again_and_again_it_comes_to_the_same(self, day):
        with copy_of_the_database():
            run()
            expected = state()

        kills = 0
        # A little further each time, or it would never get past its longest transaction.
        while killed_after(4 + 5 * kills, run) == 0:
            kills += 1

        assert state() == expected
        assert kills > 10
        assert ReconciliationRun.objects.get().resumed > 10


class TestLost:
    @pytest.mark.parametrize("phase", [RunPhase.READING, RunPhase.COMPARING, RunPhase.HEALING, RunPhase.CHECKING])
    def test_what_the_database_lost_in_a_crash_is_read_again(self, day, monkeypatch, phase):
        steps = feed._steps("stripe")
        broken = {**steps, phase: _kill_once(steps[phase])}
        monkeypatch.setattr(feed, "_steps", lambda provider: broken)
        with pytest.raises(Killed):
            run()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE payments_stagedmovement, payments_stagedobject")

        found = run()

        assert (found.status, found.resumed, found.staged, found.pages) == (RunStatus.FINISHED, 1, 5, 3)
        assert found.totals["usd"]["charges"]["theirs"] == [3, 10_700]

    def test_what_failed_runs_have_left_goes_with_the_next(self, day, monkeypatch):
        monkeypatch.setattr(differences, "compare", _fail)
        with pytest.raises(ZeroDivisionError):
            run()
        left = StagedMovement.objects.count()
        assert not FeedCursor.objects.exists()
        monkeypatch.undo()

        run()

        assert (left, StagedMovement.objects.count()) == (5, 0)

    def test_a_provider_that_goes_away_between_two_pages(self, day):
        day.fault(action="error_before", status=503, path="/v1/balance_transactions", times=None)
        waiting = run()
        day.control("DELETE", "/faults")

        found = feed.go_on("stripe")

        assert (waiting.status, waiting.pages) == (RunStatus.RUNNING, 0)
        assert "Unreachable" in waiting.error
        assert (found.pk, found.status, found.staged) == (waiting.pk, RunStatus.FINISHED, 5)
        assert feed.go_on("stripe") is None


class TestWhen:
    def test_the_clock_of_finance_strikes_three_also_where_it_is_put_forward(self):
        spring = database_now().replace(year=2027, month=3, day=14, hour=7, minute=30)

        assert last_night(spring, NEW_YORK).isoformat() == "2027-03-14T07:00:00+00:00"
        assert last_night(spring - timedelta(minutes=31), NEW_YORK).isoformat() == "2027-03-13T08:00:00+00:00"
        assert (days_of(last_night(spring, NEW_YORK), NEW_YORK), days_of(spring + timedelta(days=1), NEW_YORK)) == (
            35,
            3,
        )

    def test_the_run_of_a_night_is_made_once_and_whenever_somebody_is_there(self, double):
        found = run_deep_if_due()

        assert found.kind == RunKind.DEEP
        assert (found.until - found.since).days >= 3
        assert run_deep_if_due() is None

    def test_one_over_a_shorter_time_does_not_stand_for_it(self, double):
        run_between(window=Window(database_now() - timedelta(hours=1), database_now()))

        assert run_deep_if_due() is not None

    def test_a_night_that_fails_again_and_again_is_left_to_people(self, double, monkeypatch):
        monkeypatch.setattr(differences, "compare", _fail)
        for _ in range(feed.MOST_FAILURES):
            with pytest.raises(ZeroDivisionError):
                run_deep_if_due()

        assert run_deep_if_due() is None

    def test_a_deep_run_that_was_cut_off_is_finished_before_another_is_made(self, double, monkeypatch):
        monkeypatch.setattr(differences, "compare", _kill_once(differences.compare))
        with pytest.raises(Killed):
            deep(days=1)

        found = deep(days=5)

        assert [one.status for one in ReconciliationRun.objects.all()] == ["finished", "finished"]
        assert ((found.until - found.since).days, found.resumed) == (5, 0)


class TestProviders:
    @pytest.fixture
    def toy(self, monkeypatch):
        monkeypatch.setattr(providers, "_registered", {})
        made = ToyProvider()
        register("toy", lambda: made)
        return made

    def test_who_has_taken_money_before_is_still_read(self, double, toy):
        FeedCursor.objects.create(provider="toy", through=database_now() - timedelta(days=1))
        FeedCursor.objects.create(provider="gone", through=database_now() - timedelta(days=1))

        assert tasks.reconcile_feed() == 2
        assert set(ReconciliationRun.objects.values_list("provider", flat=True)) == {"stripe", "toy"}
        assert (tasks.reconcile_deep(), tasks.continue_reconciliations()) == (2, 0)

    def test_one_in_trouble_does_not_keep_the_others(self, double, toy, monkeypatch):
        FeedCursor.objects.create(provider="another", through=database_now() - timedelta(days=1))
        register("another", _fail)

        assert tasks.reconcile_feed() == 1

    def test_money_by_hand_has_no_other_side(self, double, settings):
        settings.PAYMENT_PROVIDER = "manual"

        found = run()

        assert (found.provider, found.status, found.staged) == ("manual", RunStatus.FINISHED, 0)

    def test_another_adapter_is_read_the_same_way(self, double, toy):
        toy.movements_page = lambda **given: (_ for _ in ()).throw(Unreachable("away"))

        assert run(provider="toy").error == "Unreachable: away"


def _fail(*args):
    raise ZeroDivisionError


def _kill_once(step):
    times = iter([True])

    def killed(run):
        if next(times, False):
            raise Killed
        return step(run)

    return killed
