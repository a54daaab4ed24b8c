"""Many picks in one transaction: an answer for each wish, or all or nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.errors import Code, DomainError, Refused
from entries.models import Pick, PickChange
from entries.services.picks import Wish, save_picks
from pools.models import PoolStatus
from tests.entries.test_picks import entry
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory

__all__ = ["entry"]


def test_bulk_answers_each_wish_and_keeps_the_good_ones(entry):
    wishes = [Wish(entry.pk, 2, ["ANT"]), Wish(entry.pk, 1, ["ZEBRA"]), Wish(entry.pk, 1, ["BAT"])]

    good, bad, fine = save_picks(user=entry.user, wishes=wishes, atomic=False)

    assert (good.team_code, bad.code, fine.team_code) == ("ANT", Code.TEAM_NOT_PLAYING, "BAT")
    assert Pick.objects.count() == 2


def test_atomic_bulk_keeps_nothing_when_one_is_refused(entry):
    wishes = [Wish(entry.pk, 1, ["ANT"]), Wish(entry.pk, 2, ["ANT"])]

    with pytest.raises(Refused):
        save_picks(user=entry.user, wishes=wishes, atomic=True)

    assert not Pick.objects.exists()


class TestManyEntriesAtOnce:
    @pytest.fixture
    def entries(self, entry):
        others = [PoolFactory(competition=entry.pool.competition, status=PoolStatus.OPEN) for _ in range(5)]
        return [entry, *(EntryFactory(in_pool=pool, owner=entry.user) for pool in others)]

    def save(self, entries, *teams, atomic=False):
        wishes = [Wish(one.pk, 1, [team]) for one, team in zip(entries, teams, strict=True)]
        return save_picks(user=entries[0].user, wishes=wishes, atomic=atomic)

    def test_each_has_its_slip_and_its_line_of_history(self, entries):
        answers = self.save(entries[:3], "ANT", "BAT", "ANT")

        assert [(one.team_code, one.changed, one.locked) for one in answers] == [
            ("ANT", True, False), ("BAT", True, False), ("ANT", True, False),
        ]  # fmt: skip
        kept = {pick.entry_id: pick for pick in Pick.objects.all()}
        assert [one.slip["nonce"] for one in answers] == [kept[one.entry_id].nonce for one in answers]
        assert len({one.nonce for one in answers}) == 3
        assert PickChange.objects.filter(actor_id=entries[0].user.pk).count() == 3

    def test_what_stood_stands(self, entries):
        first = self.save(entries[:2], "ANT", "BAT")
        again = self.save(entries[:2], "ANT", "CAT")

        assert again[0] == first[0]._replace(changed=False)
        assert (again[1].team_code, again[1].changed) == ("CAT", True)
        assert PickChange.objects.count() == 3

    def test_six_cost_as_many_statements_as_one(self, entries):
        costs = []
        for number, team in ((1, "ANT"), (3, "BAT"), (6, "CAT")):
            with CaptureQueriesContext(connection) as queries:
                self.save(entries[:number], *[team] * number)
            costs.append(len(queries))
        assert costs == [costs[0]] * 3

    def test_the_first_refusal_by_entry_undoes_all_where_asked(self, entries):
        with pytest.raises(DomainError) as refusal:
            self.save(entries[:3], "ANT", "ZEBRA", "BAT", atomic=True)
        assert (refusal.value.code, Pick.objects.count()) == (Code.TEAM_NOT_PLAYING, 0)

    def test_a_guard_that_refuses_one_leaves_the_others_standing(self, entries):
        """What a guard finds that our own look has not: an entry that was suspended in between."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION pg_temp.spoil() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN RAISE unique_violation USING CONSTRAINT = ''pick_entry_suspended''; END'"
            )
            cursor.execute(
                "CREATE TRIGGER spoiled BEFORE INSERT ON entries_pick FOR EACH ROW"
                f" WHEN (NEW.entry_id = {entries[1].pk}) EXECUTE FUNCTION pg_temp.spoil()"
            )
        good, spoiled, fine = self.save(entries[:3], "ANT", "BAT", "CAT")
        assert (good.team_code, spoiled.code, fine.team_code) == ("ANT", Code.ENTRY_SUSPENDED, "CAT")
        assert set(Pick.objects.values_list("entry_id", flat=True)) == {entries[0].pk, entries[2].pk}
