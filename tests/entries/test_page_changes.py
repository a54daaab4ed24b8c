"""Kept pages are given up with what changes them: every table that they read tells of it, and of nothing else."""

import re
import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from config.models import PageChange
from config.pages.changes import TABLE
from entries.models import Entry
from entries.models.pick import LATE_SETTING
from entries.services.summaries import recount
from pools.api.pages import versions_of
from pools.models import Game, GameStatus, Pool, Round, Team
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.pages import ask, paths_of, rows
from tests.support.playing import enter, play, void
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool(transactional_db):
    return PoolFactory(competition=league(rounds=3, codes=("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")))


@pytest.fixture
def paths(pool):
    return paths_of(pool)


def version(pool):
    return versions_of(frozenset((pool.pk,)))[pool.pk].text


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
