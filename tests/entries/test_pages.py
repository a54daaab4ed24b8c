"""Kept pages of a real pool: what the rows say, given up with what changes them, and silent about what is secret."""

import json
import re
import threading

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from config.clock import database_now
from config.models import PageChange
from config.pages import keeping
from config.pages.changes import TABLE
from config.pages.looking import KEEPER
from entries.api import pages
from entries.api.serializers.standings import StandingOut
from entries.models import Entry, EntryStatus
from entries.models.pick import LATE_SETTING
from entries.queries.standings import Standings
from entries.services.reveal import reveal_due_rounds
from entries.services.summaries import recount
from pools.api.pages import versions_of
from pools.api.serializers import PoolOut
from pools.models import Game, GameStatus, Pool, PoolStatus, Round, Team
from pools.queries import pool_cards, pools_with_facts
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, league, lock_round, play_round
from tests.support.deadlines import soon, wait_past
from tests.support.pages import ask, rows
from tests.support.playing import enter, play, void
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(transactional_db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


@pytest.fixture
def paths(pool):
    base = f"/api/v1/pools/{pool.pk}"
    return {
        "pool": base, "standings": f"{base}/standings", "rounds": f"{base}/rounds", "round": f"{base}/rounds/1",
        "distribution": f"{base}/rounds/1/distribution", "report": f"{base}/rounds/1/report.json",
    }  # fmt: skip


def version(pool):
    return versions_of(frozenset((pool.pk,)))[pool.pk].text


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


def of_another_league():
    other = PoolFactory(competition=league(rounds=1, codes=("YAK", "ZEB"), code="other"))
    enter(other, "YAK")
    play(other, 1)


def rename(pool):
    User.objects.filter(pk=Entry.objects.filter(pool=pool).first().user_id).update(display_name="Somebody Else")


def correct(pool):
    game = Game.objects.filter(round__number=1).first()
    game.home_score, game.away_score = game.away_score, game.home_score
    game.save()


CHANGES = {
    "a new entry": lambda pool: enter(pool),
    "a place taken back": lambda pool: void(Entry.objects.filter(pool=pool).first()),
    "a settlement": lambda pool: play(pool, 2, "BAT"),
    "a corrected score": correct,
    "an edited pool": lambda pool: Pool.objects.filter(pk=pool.pk).update(name="Other"),
    "a round renamed": lambda pool: Round.objects.filter(number=3).update(name="Final"),
    "a game postponed": lambda pool: Game.objects.filter(round__number=3).update(status=GameStatus.POSTPONED),
    "a team renamed": lambda pool: Team.objects.filter(code="ANT").update(code="ANTS"),
    "a player renamed": rename,
    "a lock that passes": lambda pool: lock_round(Round.objects.get(number=2)),
}
SHOWN_ON = {
    "a new entry": {"pool", "standings", "rounds", "round", "report"},
    "a place taken back": {"pool", "standings", "rounds", "round", "report"},
    "a settlement": {"pool", "standings", "rounds"},
    "a corrected score": {"standings", "rounds", "round", "distribution", "report"},
    "an edited pool": {"pool"},
    "a round renamed": {"rounds"},
    "a game postponed": {"rounds"},
    "a team renamed": {"standings", "rounds", "round", "distribution", "report"},
    "a player renamed": {"standings", "report"},
    "a lock that passes": {"pool", "standings", "rounds"},
}


# Sums that the guards of entries, picks and postings keep; and what pages see only through its lines in the ledger,
# which tell of the pot.
TOLD_BY_OTHERS = {
    "entries_entrytally", "entries_picktally", "payments_checkpoint",
    "payments_account", "payments_journalentry", "payments_prizebooking",
}  # fmt: skip


def tables_read(paths):
    """By all kinds of pages; inside a transaction they ask by Django's cursors alone."""
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert None not in [rows(path) for path in paths.values()]
    words = {word for one in asked.captured_queries for word in re.findall(r"\w+", one["sql"])}
    return words & set(connection.introspection.table_names())


def tables_that_tell():
    """Those with a guard that counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
               WHERE f.prosrc LIKE %s""",
            [f"%INSERT INTO {TABLE}%"],
        )
        return {table for (table,) in cursor.fetchall()}


class TestGivenUp:
    def test_every_table_that_a_page_reads_tells_of_its_changes(self, pool, paths):
        enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        read = tables_read(paths)
        assert {"pools_pool", "entries_entry", "entries_pick", "accounts_user"} <= read
        assert read - tables_that_tell() == TOLD_BY_OTHERS

    @pytest.mark.parametrize("change", CHANGES)
    def test_each_change_shows_at_once_everywhere_it_shows(self, pool, paths, change):
        enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT"), enter(pool, "BAT", "DOG")
        play(pool, 1)
        before = {kind: ask(path).data for kind, path in paths.items()}

        CHANGES[change](pool)

        after = {kind: ask(path).data for kind, path in paths.items()}
        assert after == {kind: rows(path) for kind, path in paths.items()}
        assert {kind for kind in paths if after[kind] != before[kind]} >= SHOWN_ON[change]

    def test_nothing_is_given_up_for_what_does_not_show(self, pool, paths):
        entry = enter(pool, "ANT")
        play(pool, 1)
        kept = version(pool)
        pick(entry, 2, "CAT")
        pick(entry, 3, "DOG")
        of_another_league()
        Pool.objects.filter(pk=pool.pk).update(name=pool.name)
        assert version(pool) == kept

    def test_picks_that_come_in_after_the_lock_show_and_a_thousand_count_as_one(self, pool, paths):
        late = [enter(pool), enter(pool)]
        play(pool, 1, "BAT")
        before, topic = ask(paths["standings"]).data, f"competition:{pool.competition_id}"
        counted = sum(PageChange.objects.filter(topic=topic).values_list("raised", flat=True))

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'import', true)", [LATE_SETTING])
            for entry in late:
                pick(entry, 1, "CAT", source="import")

        after = ask(paths["standings"]).data
        assert [line["picks"] for line in before] == [[], []]
        assert [line["picks"][0]["team"] for line in after] == ["CAT", "CAT"]
        assert after == rows(paths["standings"])
        assert sum(PageChange.objects.filter(topic=topic).values_list("raised", flat=True)) == counted + 1

    def test_counting_everything_anew_gives_up_every_page(self, pool, paths):
        before = version(pool)
        recount()
        assert version(pool) != before

    def test_what_is_not_committed_changes_nothing_and_what_is_taken_back_neither(self, pool, paths):
        before = version(pool)
        with transaction.atomic():
            enter(pool)
            transaction.set_rollback(True)
        assert version(pool) == before

    def test_two_who_commit_the_other_way_round_are_both_seen(self, pool):
        """The later row is committed first: a version that were the highest id would miss the earlier one."""
        began, may_end = threading.Event(), threading.Event()
        seen = [version(pool)]

        def slow():
            with transaction.atomic():
                Pool.objects.filter(pk=pool.pk).update(description="slow")
                began.set()
                assert may_end.wait(10)

        def quick():
            assert began.wait(10)
            enter(pool)
            seen.append(version(pool))
            may_end.set()

        assert all(outcome.worked for outcome in run_together([slow, quick]))
        seen.append(version(pool))
        assert len(set(seen)) == 3

    def test_folding_what_has_piled_up_changes_no_version(self, pool):
        def raised():
            return list(PageChange.objects.filter(topic=f"pool:{pool.pk}").values_list("raised", flat=True))

        before = sum(raised())
        for number in range(140):
            Pool.objects.filter(pk=pool.pk).update(description=str(number))
        assert sum(raised()) == before + 140
        assert len(raised()) < 70


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
