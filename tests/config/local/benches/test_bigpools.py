"""Big pools are built past the guards; what comes out is what the guards would have let in."""

import pytest
from django.db import connection, transaction
from django.db.models import Count

from config.local.benches.bigpools import FALL, MISS, Plan, build
from entries.models import Entry, EntryChange, Pick
from entries.services.settlement import settle_competition
from pools.models import Competition, Pool, Round

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_row_that_was_built_is_one_that_the_guards_let_in():
    build(Plan("tried", entries=200, pools=2, earlier=1))

    connection.check_constraints()
    with transaction.atomic(), connection.cursor() as cursor:
        # An update of the guarded columns asks the guards of each entry again; picks are made once more, as imports.
        cursor.execute("UPDATE entries_entry SET pool_id = pool_id, request_id = request_id, number = number")
        cursor.execute("CREATE TEMP TABLE again ON COMMIT DROP AS SELECT * FROM entries_pick")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM entries_pick")
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("UPDATE again SET source = 'import'")
        cursor.execute("SELECT set_config('outlast.late_picks', 'import', true)")
        cursor.execute("INSERT INTO entries_pick SELECT * FROM again")
        assert cursor.rowcount == Pick.objects.count() > 200


def test_entries_are_dealt_out_evenly_and_each_is_born_once():
    build(Plan("tried", entries=90, pools=3))

    assert list(Pool.objects.annotate(n=Count("entries")).values_list("n", flat=True)) == [30, 30, 30]
    assert EntryChange.objects.filter(from_status="").count() == 90


def test_the_share_that_falls_and_the_share_that_missed_are_as_said():
    build(Plan("tried", entries=5_000))
    settle_competition(competition_id=Competition.objects.get().pk)

    fallen = Entry.objects.filter(status="eliminated")
    assert fallen.count() / 5_000 == pytest.approx(FALL, abs=0.02)
    assert fallen.filter(eliminated_code="no_pick").count() / 5_000 == pytest.approx(MISS, abs=0.003)


def test_picks_are_spread_unevenly_over_all_games():
    build(Plan("tried", entries=5_000))

    picks = list(Pick.objects.values_list("game").annotate(n=Count("id")).order_by("-n").values_list("n", flat=True))
    assert len(picks) == 16
    assert picks[0] > 4 * picks[8]


def test_in_mid_season_earlier_rounds_are_settled_and_survivors_alone_have_picked():
    build(Plan("tried", entries=1_000, earlier=2))

    fallen = [Entry.objects.filter(eliminated_round_number=number).count() for number in (1, 2, 3)]
    assert min(fallen[:2]) > 50
    assert fallen[2] == 0
    assert Pick.objects.filter(round=Round.objects.get(number=3), entry__status="eliminated").count() == 0
    assert settle_competition(competition_id=Competition.objects.get().pk).difference.eliminated > 200
