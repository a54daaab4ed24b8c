"""What saving a plain pick costs, what is counted of it, and how often somebody may."""

import re
import time

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from accounts.models import Session
from config.api import counting
from config.api.arrival import CAME_AT
from config.connections import cache
from entries.models import Pick
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.doors import Door, token_of

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def entry(db):
    return EntryFactory(in_pool=PoolFactory(competition=league(rounds=4, codes=CODES)))


class TestLimits:
    @pytest.fixture(autouse=True)
    def _few(self, monkeypatch):
        monkeypatch.setattr("config.api.ratelimit.Policy.allowed", property(lambda policy: 3))

    def left(self, said):
        return said.headers.get("x-ratelimit-remaining")

    def test_calls_are_counted_together_whoever_answers_them(self, direct, django, entry, token):
        left = [
            self.left(door.put(entry.pk, 1, {"team": team}, token=token))
            for door, team in ((direct, "ANT"), (django, "BAT"), (direct, "CAT"))
        ]
        assert left == ["2", "1", "0"]
        assert direct.reached_django == 0

    def test_one_too_many_is_refused_and_counted_once(self, direct, entry, token):
        for team in ("ANT", "BAT", "CAT"):
            assert direct.put(entry.pk, 1, {"team": team}, token=token).status == 200
        said = direct.put(entry.pk, 1, {"team": "DOG"}, token=token)
        assert (said.status, said.code, self.left(said)) == (429, "RATE_LIMITED", "0")
        assert "retry-after" in said.headers
        assert Pick.objects.get().team.code == "CAT"

    def test_a_refused_pick_is_counted_once(self, direct, entry, token):
        assert self.left(direct.put(entry.pk, 1, {"team": "NOBODY"}, token=token)) == "2"
        assert self.left(direct.put(entry.pk, 1, {"team": "ANT"}, token=token)) == "1"

    def test_a_token_that_ended_uses_up_nothing_of_its_owner(self, direct, entry, token):
        stolen = token_of(entry.user)
        newest = Session.objects.filter(user=entry.user).latest("created_at")
        Session.objects.filter(pk=newest.pk).update(revoked_at="2026-01-01T00:00Z", revoked_because="signed_out")
        for _ in range(3):
            assert direct.put(entry.pk, 1, {"team": "ANT"}, token=stolen).status == 401
        assert self.left(direct.put(entry.pk, 1, {"team": "ANT"}, token=token)) == "2"

    def test_picks_are_saved_without_redis(self, direct, entry, token, settings):
        dead = cache("redis://127.0.0.1:1/0", environment="local", forgiving=False)
        settings.CACHES = {**settings.CACHES, "limits": dead}
        said = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)
        counting.reset_pause()
        assert (said.status, direct.reached_django, self.left(said)) == (200, 0, None)


# --- What it costs -------------------------------------------------------------------------------------------------


def sent(door, entry, body, token, folder) -> list[str]:
    """What goes over the wire to PostgreSQL for one call, by the client library's own trace."""
    connection.ensure_connection()
    with (folder / "wire").open("w+b") as trace:
        wire = connection.connection.pgconn
        wire.trace(trace.fileno())
        assert door.put(entry.pk, 1, body, token=token).status == 200
        wire.untrace()
        trace.seek(0)
        lines = trace.read().decode(errors="replace").splitlines()
    # A simple query, or a prepared one that is carried out. A statement of several lines begins with such a one, too.
    asked = [line for line in lines if re.match(r"[^\t]*\tF\t[0-9]+\t(Query|Execute)\b", line)]
    return [line for line in asked if not re.search(r'"(BEGIN|COMMIT)', line)]


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_pick_takes_one_statement_and_four_through_django(direct, django, entry, token, tmp_path, rounds):
    for number in range(1, rounds + 1):
        assert direct.put(entry.pk, number, {"team": CODES[2 + number]}, token=token).status == 200

    ours = sent(direct, entry, {"team": "ANT"}, token, tmp_path)
    theirs = sent(django, entry, {"team": "BAT"}, token, tmp_path)

    assert (len(ours), direct.reached_django) == (1, 0)
    assert 1 < len(theirs) <= 4


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_a_statement_that_waited_in_vain_is_not_tried_again(direct, entry, token, limit):
    assert direct.put(entry.pk, 2, {"team": "FOX"}, token=token).status == 200
    asked_django, before = direct.reached_django, refusals(limit)
    with psycopg.connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]) as other:
        other.execute("SELECT 1 FROM entries_entry WHERE id = %s FOR UPDATE", [entry.pk])
        with connection.cursor() as cursor:
            cursor.execute(f"SET {limit} = 50")
        try:
            with CaptureQueriesContext(connection) as asked:
                said = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)
        finally:
            connection.close()

    assert (said.status, said.code, said.headers["retry-after"]) == (503, "SERVICE_UNAVAILABLE", "1")
    assert (direct.reached_django - asked_django, len(asked)) == (1, 0)
    assert refusals(limit) == before + 1
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200


def refusals(because):
    return REGISTRY.get_sample_value("outlast_db_refusals_total", {"because": because})


# --- What is counted ------------------------------------------------------------------------------------------------


def counted(result):
    return REGISTRY.get_sample_value("outlast_picks_total", {"result": result}) or 0


@pytest.mark.parametrize("is_direct", [True, False])
def test_what_comes_of_a_wish_is_counted_from_its_arrival(entry, token, is_direct):
    door = Door(is_direct=is_direct)
    before = {result: counted(result) for result in ("saved", "unchanged", "refused", "late")}
    taken = REGISTRY.get_sample_value("outlast_pick_edge_to_decision_seconds_count")

    for number, team in ((1, "ANT"), (1, "ANT"), (2, "ANT")):
        door.put(entry.pk, number, {"team": team}, token=token, **{CAME_AT: time.monotonic() - 1})
    lock_round(entry.pool.competition.rounds.get(number=1))
    door.put(entry.pk, 1, {"team": "BAT"}, token=token)

    assert {result: counted(result) - was for result, was in before.items()} == dict.fromkeys(before, 1)
    assert REGISTRY.get_sample_value("outlast_pick_edge_to_decision_seconds_count") - taken == 3
