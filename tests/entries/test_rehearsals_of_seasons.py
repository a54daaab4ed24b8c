"""A real season rehearsed with the picks that were really made: every round leaves as many as were published."""

import pytest

from config.local.replay.play import Replay
from config.local.replay.season import Season
from entries.models import EntryStatus
from entries.services.imports import RowFile
from entries.services.rehearsals import Wish, ask_rehearsal
from entries.services.rehearsals.playing import play
from tests.support.shared_data import FOLDER, shared_data

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_season_ends_as_it_was_published_from_the_pool_and_from_the_file(moderator):
    path = shared_data("circa/2020/picks.csv.gz")
    replay = Replay(Season("2020", folder=FOLDER))
    replay.open_pool()
    replay.import_picks()
    published = [(each.number, each.alive_after) for each in replay.rounds()]
    pool = replay.pool
    pool.refresh_from_db()
    rules = (f"pool:{pool.pk}",)
    of_pool = Wish(pool.competition, rules, origin="pool", pool=pool)
    of_file = Wish(
        pool.competition, rules, origin="file", rows=RowFile(path), goes_on=False,
        fee_cents=pool.entry_fee_cents, currency=pool.currency,
    )  # fmt: skip

    for wish in (of_pool, of_file):
        result = play(ask_rehearsal(wish=wish, by=moderator))
        (one,) = result["sets"]
        assert [(it["number"], it["left"]) for it in one["rounds"]] == published
        assert (one["entries"], one["winners"], one["pot_cents"]) == (1_373, 35, 1_373 * 100_000)
        assert one["winners"] == pool.entries.filter(status=EntryStatus.WINNER).count()
        assert result["made_up"] == 0
