"""Several pullers at once, and pullers that die: each source is pulled by one, and half a pull is none."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connections

from config.clock import database_now
from config.models import OutboxMessage
from pools.models import Competition, FeedPull, FeedSource, GameChange
from pools.services.feeds import change_source, pull_due_sources, pull_source, pulling
from tests.pools.feeds.conftest import fresh, result
from tests.support.bad_server import BadServer
from tests.support.bad_server import answer as sends
from tests.support.feeds import QUICK, as_csv, season
from tests.support.schedules import import_rows
from tests.support.threads import REPETITIONS, again_and_again, run_together

pytestmark = pytest.mark.django_db(transaction=True)

WON, CORRECTED = season(KC_BUF={"score": (20, 17)}), season(KC_BUF={"score": (20, 23)})


@pytest.fixture
def server():
    with BadServer() as server:
        server.does(sends(as_csv(WON)))
        yield server


@pytest.fixture
def competition(tmp_path) -> Competition:
    return import_rows(tmp_path, season()).competition


def make_source(competition, server, path="/games.csv") -> FeedSource:
    return FeedSource.objects.create(
        competition=competition, kind="nflverse", url=server.address(path), season="2024", every_seconds=3600
    )


def test_two_pullers_at_once_ask_once(server, competition):
    source = make_source(competition, server)

    @again_and_again
    def race():
        FeedSource.objects.update(next_pull_at=database_now())
        before = len(server.asked)
        outcomes = run_together([lambda: pull_due_sources(limits=QUICK)] * 2)
        assert [outcome.error for outcome in outcomes] == [None, None]
        assert sorted(len(outcome.value) for outcome in outcomes) == [0, 1]
        assert len(server.asked) == before + 1

    race()
    assert FeedPull.objects.count() == 1
    assert (fresh(source).claims, fresh(source).claimed_until) == (REPETITIONS, None)
    assert OutboxMessage.objects.filter(kind="results.arrived").count() == 2


def test_two_pullers_share_the_sources(server, competition):
    for number in range(6):
        make_source(competition, server, f"/{number}.csv")
    outcomes = run_together([lambda: pull_due_sources(limits=QUICK)] * 2)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert sum(len(outcome.value) for outcome in outcomes) == 6
    assert sorted(asked.path for asked in server.asked) == [f"/{number}.csv" for number in range(6)]


class Held:
    """A pull that has been asked for and whose answer is on its way: it arrives when `let_go` is called."""

    def __init__(self, server: BadServer, source: FeedSource, body: bytes) -> None:
        self._arrived, self._go = threading.Event(), threading.Event()
        self.pulled: list = []

        def behave(connection, asked, closing):
            self._arrived.set()
            self._go.wait(10)
            sends(body)(connection, asked, closing)

        server.does(behave, sends(as_csv(CORRECTED)))
        slow = QUICK.__class__(connect=1, read=10, total=10, attempts=1)

        def work():
            try:
                self.pulled.append(pull_source(source_id=source.pk, limits=slow))
            finally:
                connections.close_all()

        self._thread = threading.Thread(target=work)
        self._thread.start()
        assert self._arrived.wait(10)

    def let_go(self) -> None:
        self._go.set()
        self._thread.join(10)


def test_a_puller_that_lost_its_claim_writes_nothing(server, competition):
    source = make_source(competition, server)
    held = Held(server, source, as_csv(WON))
    FeedSource.objects.update(claimed_until=database_now() - timedelta(seconds=1))
    assert pull_source(source_id=source.pk, limits=QUICK).outcome == "applied"
    held.let_go()
    assert held.pulled == [None]
    assert result("KC_BUF") == ("final", 20, 23)
    assert FeedPull.objects.count() == 1


def test_a_source_that_is_changed_meanwhile_is_not_written_for_its_old_address(server, competition, moderator):
    source = make_source(competition, server)
    held = Held(server, source, as_csv(WON))
    change_source(source_id=source.pk, by=moderator, url=server.address("/other.csv"))
    held.let_go()
    assert held.pulled == [None]
    assert (result("KC_BUF"), fresh(source).digest) == (("scheduled", None, None), "")


def in_a_child(work) -> int:
    """Run it in a forked process with a connection of its own; the signal that ended the child."""
    child = os.fork()
    if child == 0:
        try:
            for alias in connections:
                # The parent's own: neither used nor closed here.
                connections[alias].inherited = connections[alias].connection
                connections[alias].connection = None
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@pytest.mark.parametrize("moment", ["before it writes", "before it commits"])
def test_a_puller_that_is_killed_has_done_nothing(server, competition, monkeypatch, moment):
    source = make_source(competition, server)
    adapter = pulling.ADAPTERS["nflverse"]
    changes = GameChange.objects.count()

    def die(*arguments):
        if moment == "before it commits":
            adapter(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patched:
        patched.setitem(pulling.ADAPTERS, "nflverse", die)
        assert in_a_child(lambda: pull_source(source_id=source.pk, limits=QUICK)) == signal.SIGKILL
    assert len(server.asked) == 1
    assert (GameChange.objects.count(), FeedPull.objects.count(), fresh(source).digest) == (changes, 0, "")
    assert pull_due_sources(limits=QUICK) == []
    FeedSource.objects.update(claimed_until=database_now() - timedelta(seconds=1))
    assert [pulled.outcome for pulled in pull_due_sources(limits=QUICK)] == ["applied"]
    assert result("KC_BUF") == ("final", 20, 17)
