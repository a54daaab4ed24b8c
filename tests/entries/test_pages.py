"""Kept pages of a real pool: what the rows say, silent about what is secret, and sent no more than once."""

import json
import threading

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.clock import database_now
from config.pages import keeping
from config.pages.looking import KEEPER
from entries.api import pages
from entries.api.serializers.standings import StandingOut
from entries.models import EntryStatus
from entries.queries.standings import Standings
from entries.services.reveal import reveal_due_rounds
from pools.api.pages import versions_of
from pools.api.serializers import PoolOut
from pools.models import Pool, PoolStatus, Round
from pools.queries import pool_cards, pools_with_facts
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, league, lock_round, play_round
from tests.support.deadlines import soon, wait_past
from tests.support.pages import ask, paths_of, rows
from tests.support.playing import enter, play, void
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(transactional_db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


@pytest.fixture
def paths(pool):
    return paths_of(pool)


def plain(data):
    return json.loads(json.dumps(data, default=str))


class TestWhatTheyShow:
    @pytest.mark.parametrize("by_game", [False, True])
    def test_the_page_of_a_pool_is_what_its_card_says_all_season_long(self, by_game, transactional_db):
        pool = PoolFactory(
            competition=league(rounds=3, codes=CODES),
            rules={"lock": "game" if by_game else "round", "strikes": 1, "late_entry_until": 2},
        )
        path = f"/api/v1/pools/{pool.pk}"
        enter(pool, "ANT", "CAT"), enter(pool, "BAT")
        for number in (0, 1, 2, 3):
            if number:
                play(pool, number)
            (card,) = pool_cards(pools_with_facts(Pool.objects.filter(pk=pool.pk), database_now()))
            assert rows(path) == json.loads(json.dumps(PoolOut(card).data)), number

    def test_standings_are_what_the_view_says(self, pool, paths):
        enter(pool, "ANT", "CAT"), enter(pool, "BAT"), enter(pool), void(enter(pool, "ANT")), enter(pool, "DOG", "ANT")
        for number in (1, 2):
            play(pool, number)
            found = Standings(Pool.objects.get(pk=pool.pk))
            for status in (None, EntryStatus.ACTIVE, EntryStatus.ELIMINATED):
                said = StandingOut(found.of(list(found.entries(status).order_by("standing", "id"))), many=True).data
                assert rows(paths["standings"], f"status={status}" if status else "") == plain(said)

    def test_a_page_goes_on_where_the_cursor_of_its_reader_says(self, pool, paths, api, player):
        for _ in range(25):
            enter(pool)
        whole = rows(paths["standings"], "limit=50")
        for client in (APIClient(), api(player)):
            first = client.get(paths["standings"]).json()
            more = client.get(paths["standings"], {"cursor": first["meta"]["pagination"]["next_cursor"]}).json()
            assert first["meta"]["pagination"]["total"] == 25
            assert first["data"] + more["data"] == whole

    def test_what_the_reader_answers_is_what_django_answers(self, pool, paths):
        enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        for kind, path in paths.items():
            KEEPER.forget()
            theirs = APIClient().get(path)
            ours = ask(path)
            assert (kind, ours.is_kept, ours.status) == (kind, True, "200 OK")
            assert ours.data == theirs.json()["data"]
            own = {"X-Request-ID", "traceparent", "Content-Length", "X-RateLimit-Limit", "X-RateLimit-Remaining",
                   "X-RateLimit-Reset"}  # fmt: skip
            assert {name: value for name, value in ours.headers.items() if name not in own} == {
                name: value for name, value in theirs.items() if name not in own
            }


class TestSecrecy:
    def test_no_page_tells_a_pick_before_its_lock(self, pool, paths):
        enter(pool, "ANT"), enter(pool, "BAT")
        assert not ask(paths["distribution"]).is_kept
        assert not ask(paths["report"]).is_kept
        for line in (ask(paths["round"]).data, *ask(paths["rounds"]).data):
            assert [line[name] for name in ("picks_total", "missed", "eliminated", "alive_after")] == [None] * 4
        assert [line["picks"] for line in ask(paths["standings"]).data] == [[], []]

    def test_a_page_kept_before_the_lock_is_not_shown_after_it_and_the_other_way_round(self, pool, paths):
        enter(pool, "ANT"), enter(pool, "BAT")
        assert [line["picks"] for line in ask(paths["standings"]).data] == [[], []]
        lock_round(Round.objects.get(number=1))
        assert [len(line["picks"]) for line in ask(paths["standings"]).data] == [1, 1]
        assert ask(paths["distribution"]).is_kept

    def test_while_a_pick_is_on_its_way_in_nothing_is_kept_and_nothing_shown(self, pool, paths):
        entry = enter(pool)
        enter(pool, "BAT")
        saved, may_end = threading.Event(), threading.Event()
        locks_at = soon()
        Round.objects.filter(number=1).update(fixed_locks_at=locks_at)

        def late():
            with transaction.atomic():
                pick(entry, 1, "ANT")
                saved.set()
                assert may_end.wait(20)

        def look():
            assert saved.wait(10)
            wait_past(locks_at)
            during = [line["picks"] for line in ask(paths["standings"]).data]
            at_hand = KEEPER.at_hand(f"{paths['standings']}?", versions_of(frozenset((pool.pk,)))[pool.pk])
            may_end.set()
            return during, at_hand

        outcomes = run_together([late, look])
        assert all(outcome.worked for outcome in outcomes), outcomes
        assert outcomes[1].value == ([[], []], None)
        reveal_due_rounds()
        assert sorted(len(line["picks"]) for line in ask(paths["standings"]).data) == [1, 1]

    def test_a_draft_is_nobodys_page(self, pool, paths):
        draft = PoolFactory(competition=pool.competition, status=PoolStatus.DRAFT)
        enter(pool, "ANT")
        play(pool, 1)
        theirs = [path.replace(f"/{pool.pk}", f"/{draft.pk}", 1) for path in paths.values()]
        assert [path for path in theirs if ask(path).is_kept] == []


class TestSentOnce:
    def test_who_has_it_already_is_told_so_and_no_row_is_looked_at(self, pool, paths):
        enter(pool, "ANT")
        tag = ask(paths["standings"]).headers["ETag"]
        with CaptureQueriesContext(connection) as statements:
            answer = ask(paths["standings"], HTTP_IF_NONE_MATCH=f'"x", {tag}')
        assert (answer.status, answer.body, answer.headers["ETag"]) == ("304 Not Modified", b"", tag)
        # The one statement that reads the version does not go through Django's cursors.
        assert statements.captured_queries == []
        assert {"Content-Type", "Content-Length"} & answer.headers.keys() == set()

    def test_the_version_is_read_from_counters_alone(self, pool):
        from pools.api.pages import VERSION

        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + VERSION.sql.replace("$1::bigint", str(pool.pk)))
            plan = " ".join(row[0] for row in cursor.fetchall())
        assert "entries_" not in plan
        assert "pools_round" not in plan

    def test_a_report_is_not_read_for_who_has_it(self, pool, paths):
        enter(pool, "ANT")
        play(pool, 1)
        path = f"{paths['round']}/report.json"
        tag = APIClient().get(path)["ETag"]
        with CaptureQueriesContext(connection) as statements:
            answer = APIClient().get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 304
        assert not any("entries_entry" in one["sql"] for one in statements.captured_queries)
        enter(pool)
        assert APIClient().get(path, headers={"If-None-Match": tag}).status_code == 200

    def test_a_report_too_large_to_be_kept_is_sent_while_it_is_read_and_says_the_same(self, pool, paths, monkeypatch):
        enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        kept = APIClient().get(paths["report"])
        monkeypatch.setattr(pages, "LARGEST_REPORT", 1)
        KEEPER.forget()
        caches["limits"].clear()
        sent = APIClient().get(paths["report"])
        assert not ask(paths["report"]).is_kept
        assert (kept.streaming, sent.streaming) == (False, True)
        assert json.loads(b"".join(sent.streaming_content))["data"] == kept.json()["data"]

    def test_one_builds_while_the_others_wait(self, pool, paths, monkeypatch):
        enter(pool, "ANT")
        play_round(Round.objects.get(number=1), winners=set())
        reveal_due_rounds()
        monkeypatch.setattr(keeping, "PATIENCE", 10)
        built = []
        build = KEEPER._build

        def counted(*args):
            built.append(args[1])
            return build(*args)

        monkeypatch.setattr(KEEPER, "_build", counted)
        outcomes = run_together([lambda: ask(paths["standings"]).data] * 8)
        assert all(outcome.worked for outcome in outcomes), outcomes
        assert len({json.dumps(outcome.value) for outcome in outcomes}) == 1
        assert len(built) == 1

    def test_who_says_who_they_are_is_left_to_django(self, pool, paths):
        for header in ("HTTP_AUTHORIZATION", "HTTP_COOKIE"):
            assert not ask(paths["pool"], **{header: "x"}).is_kept

    @pytest.mark.parametrize("query", ["page=51", "limit=7", "search=x", "page=1&page=2", "fields=rank", "status=void"])
    def test_what_is_not_kept_is_left_to_django(self, pool, paths, query):
        assert not ask(paths["standings"], query).is_kept

    def test_head_is_the_same_without_a_body(self, pool, paths):
        head, got = ask(paths["pool"], method="HEAD"), ask(paths["pool"])
        assert (head.body, head.headers["ETag"]) == (b"", got.headers["ETag"])

    def test_gzip_is_the_same_page(self, pool, paths):
        for _ in range(20):
            enter(pool)
        packed = ask(paths["standings"], HTTP_ACCEPT_ENCODING="gzip")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.data == ask(paths["standings"]).data
