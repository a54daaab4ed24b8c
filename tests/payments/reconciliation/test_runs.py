"""How a run goes on: one at a time, phase by phase, over kills, faults of the provider, and lost connections."""

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from django.db import connection

from config.clock import database_now
from payments.models import ReconciliationRun, ReconciliationRunChange, RunKind, RunPhase, RunStatus
from payments.providers.faults import NotThere, RateLimited
from payments.reconciliation import runs
from payments.reconciliation.runs import MOST_RESUMED, fail, resume, start_or_resume
from payments.reconciliation.windows import Window, deep_window, feed_window
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=2), NOON)
AT_WORK = [RunPhase.READING, RunPhase.COMPARING, RunPhase.HEALING, RunPhase.CHECKING]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


class Steps(dict):
    """Notes what is done; `trouble` is raised in its phase, as often as it is listed."""

    def __init__(self, trouble=()):
        self.done = []
        self.trouble = list(trouble)
        super().__init__({phase: self._step(phase) for phase in RunPhase})

    def _step(self, phase):
        def step(run):
            if self.trouble and self.trouble[0][0] == phase:
                raise self.trouble.pop(0)[1]
            self.done.append(phase)

        return step


def start(steps, kind=RunKind.FEED, **given):
    return start_or_resume(kind=kind, steps=steps, **{"provider": "stripe", "window": WINDOW, **given})


def grow_old(run, **ago):
    ReconciliationRun.objects.filter(pk=run.pk).update(touched_at=database_now() - timedelta(**ago))


class TestAWholeRun:
    def test_every_phase_comes_in_its_turn_and_the_run_is_finished(self, finance):
        steps = Steps()

        run = start(steps, by=finance)

        assert steps.done == [*AT_WORK, RunPhase.DONE]
        assert (run.status, run.phase, run.resumed) == (RunStatus.FINISHED, RunPhase.DONE, 0)
        assert (run.since, run.until, run.started_by) == (WINDOW.since, WINDOW.until, finance)
        assert run.finished_at >= run.started_at
        assert run.code_version
        changes = ReconciliationRunChange.objects.filter(subject_id=run.pk)
        assert list(changes.values_list("to_status", "actor_id")) == [("running", finance.pk), ("finished", None)]

    def test_a_layer_that_has_only_one_step_passes_the_others_over(self):
        done = []

        run = start({RunPhase.CHECKING: lambda run: done.append(run.phase)}, kind=RunKind.INVARIANTS, window=None)

        assert (run.status, run.since, done) == (RunStatus.FINISHED, None, [RunPhase.CHECKING])

    def test_the_next_one_is_a_run_of_its_own(self):
        assert start(Steps()).pk != start(Steps()).pk


class TestKilled:
    @pytest.mark.parametrize("phase", AT_WORK)
    def test_it_is_taken_up_where_it_was(self, phase):
        steps = Steps([(phase, Killed())])
        with pytest.raises(Killed):
            start(steps)
        cut_off = ReconciliationRun.objects.get()

        run = start(steps, window=Window(NOON, NOON + timedelta(hours=1)))

        assert (cut_off.status, cut_off.phase) == (RunStatus.RUNNING, phase)
        assert (run.pk, run.status, run.resumed, run.until) == (cut_off.pk, RunStatus.FINISHED, 1, WINDOW.until)
        assert steps.done == [*AT_WORK, RunPhase.DONE]

    def test_killed_while_it_ends_it_has_not_ended(self):
        steps = Steps([(RunPhase.DONE, Killed())])
        with pytest.raises(Killed):
            start(steps)

        assert ReconciliationRun.objects.get().phase == RunPhase.CHECKING
        assert start(steps).status == RunStatus.FINISHED

    def test_nothing_is_taken_up_where_nothing_was_cut_off(self):
        start(Steps())

        assert resume(kind=RunKind.FEED, steps=Steps(), provider="stripe") is None

    def test_only_runs_of_its_provider_and_kind_are(self):
        with pytest.raises(Killed):
            start(Steps([(RunPhase.READING, Killed())]))

        assert resume(kind=RunKind.FEED, steps=Steps(), provider="manual") is None
        assert resume(kind=RunKind.DEEP, steps=Steps(), provider="stripe") is None
        assert resume(kind=RunKind.FEED, steps=Steps(), provider="stripe").status == RunStatus.FINISHED

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda run: grow_old(run, hours=7), "too old"),
            (lambda run: ReconciliationRun.objects.filter(pk=run.pk).update(livemode=True), "other mode"),
            (lambda run: ReconciliationRun.objects.filter(pk=run.pk).update(resumed=MOST_RESUMED), "too often"),
        ],
    )
    def test_what_nobody_can_go_on_with_is_ended_and_another_begun(self, spoil, said):
        with pytest.raises(Killed):
            start(Steps([(RunPhase.HEALING, Killed())]))
        cut_off = ReconciliationRun.objects.get()
        spoil(cut_off)

        run = start(Steps())

        cut_off.refresh_from_db()
        assert (cut_off.status, run.status, run.resumed) == (RunStatus.FAILED, RunStatus.FINISHED, 0)
        assert said in cut_off.error
        assert run.pk != cut_off.pk


class TestTrouble:
    def test_a_provider_that_asks_for_patience_is_asked_again_by_the_next(self):
        steps = Steps([(RunPhase.READING, RateLimited("too many calls"))])

        waiting = start(steps)

        assert (waiting.status, waiting.error) == (RunStatus.RUNNING, "RateLimited: too many calls")
        finished = resume(kind=RunKind.FEED, steps=steps, provider="stripe")
        assert (finished.pk, finished.status, finished.error) == (waiting.pk, RunStatus.FINISHED, "")

    def test_what_the_provider_refuses_for_good_fails_the_run(self):
        run = start(Steps([(RunPhase.READING, NotThere("no such list"))]))

        assert (run.status, run.error) == (RunStatus.FAILED, "NotThere: no such list")

    def test_a_fault_of_ours_fails_the_run_and_is_raised_without_its_words(self):
        with pytest.raises(ZeroDivisionError):
            start(Steps([(RunPhase.COMPARING, ZeroDivisionError("player@example.com"))]))

        run = ReconciliationRun.objects.get()
        assert (run.status, run.error) == (RunStatus.FAILED, "ZeroDivisionError while comparing")
        assert run.finished_at is not None
        assert start(Steps()).pk != run.pk

    def test_a_step_may_send_the_run_back(self):
        done = []

        def compare(run):
            done.append("compare")
            if len(done) < 4:
                ReconciliationRun.objects.filter(pk=run.pk).update(phase=RunPhase.READING)
                run.refresh_from_db()

        steps = {RunPhase.READING: lambda run: done.append("read"), RunPhase.COMPARING: compare}

        assert start(steps).status == RunStatus.FINISHED
        assert done == ["read", "compare", "read", "compare"]

    def test_but_not_for_ever(self):
        def back(run):
            ReconciliationRun.objects.filter(pk=run.pk).update(phase=RunPhase.READING)
            run.refresh_from_db()

        with pytest.raises(RuntimeError, match="in circles"):
            start({RunPhase.COMPARING: back})

        assert ReconciliationRun.objects.get().status == RunStatus.FAILED

    def test_who_has_been_overtaken_writes_nothing_more(self):
        """The connection broke, the lock went with it, and another process has taken the run up."""
        steps = Steps()

        def overtaken(run):
            ReconciliationRun.objects.filter(pk=run.pk).update(resumed=run.resumed + 1)

        run = start({**steps, RunPhase.HEALING: overtaken})

        assert (run.status, run.phase) == (RunStatus.RUNNING, RunPhase.HEALING)
        assert RunPhase.CHECKING not in steps.done

    def test_a_run_that_has_ended_does_not_end_again(self):
        run = start(Steps())

        with pytest.raises(runs.Overtaken):
            fail(run, "late")

    def test_the_end_and_what_belongs_to_it_are_one(self):
        def end(run):
            ReconciliationRun.objects.filter(pk=run.pk).update(code_version="written by the end")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            start({RunPhase.DONE: end})

        run = ReconciliationRun.objects.get()
        assert (run.status, run.phase) == (RunStatus.FAILED, RunPhase.CHECKING)
        assert run.code_version != "written by the end"


class TestWindows:
    def test_the_first_looks_far_back(self):
        assert feed_window(through=None, now=NOON) == Window(
            NOON - timedelta(days=35, minutes=1), NOON - timedelta(minutes=1)
        )

    def test_the_next_begin_before_where_the_last_one_ended(self):
        through = NOON - timedelta(hours=1)

        assert feed_window(through=through, now=NOON).since == through - timedelta(hours=2)

    def test_after_days_without_any_nothing_is_left_out(self):
        through = NOON - timedelta(days=9)

        assert feed_window(through=through, now=NOON).since == through - timedelta(hours=2)

    def test_a_clock_that_went_back_leaves_something_to_look_at(self):
        ahead = feed_window(through=NOON + timedelta(hours=1), now=NOON)

        assert ahead.until - ahead.since == timedelta(hours=2)

    def test_a_window_is_of_whole_seconds_and_holds_something(self):
        now = NOON.replace(microsecond=999_999)

        assert deep_window(days=3, now=now, until=now) == Window(NOON - timedelta(days=3), NOON)
        with pytest.raises(ValueError, match="holds nothing"):
            Window(NOON, NOON)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_of_two_at_once_one_works_and_the_other_goes_away(self):
        began, may_end = Event(), Event()

        def slowly(run):
            began.set()
            assert may_end.wait(30)

        def second():
            assert began.wait(30)
            try:
                # Of one provider, a deep run waits for the feed as well.
                return start(Steps()), start(Steps(), kind=RunKind.DEEP), start(Steps(), provider="toy").status
            finally:
                may_end.set()

        first, other = run_together([lambda: start({RunPhase.READING: slowly}), second])

        assert (first.error, other.error) == (None, None)
        assert first.value.status == RunStatus.FINISHED
        assert other.value == (None, None, RunStatus.FINISHED)
        assert start(Steps()).resumed == 0

    def test_who_dies_leaves_the_lock_to_the_next(self):
        """As a killed process does: its connection ends."""
        with pytest.raises(Killed):
            start(Steps([(RunPhase.READING, Killed())]))
        connection.close()

        (outcome,) = run_together([lambda: start(Steps()).resumed])

        assert outcome.value == 1
