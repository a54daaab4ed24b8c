"""Real seasons from schedule to winners: every round's survivors and every entry's fate, as they were published."""

import pytest
from django.db import transaction

from config.local.replay.play import Replay
from config.local.replay.season import ODD_ENTRIES, Fate, Season
from config.local.replay.staff import Ruled
from entries.models import Entry, EntryStatus, Pick, Ruling
from entries.services.settlement import settle_competition
from pools.models import Game, Pool
from tests.support.shared_data import FOLDER, shared_data

# What the data's own notes say: entries, picks that land, winners.
SEASONS = {
    "2020": (1_373, 6_992, 35),
    "2021": (4_073, 24_595, 5),
    "2024": (14_221, 29_451, 8),
}
EVERYDAY = ("2020",)


def replay_of(year: str) -> Replay:
    shared_data(f"circa/{year}/picks.csv.gz")
    return Replay(Season(year, folder=FOLDER))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "year", [pytest.param(year, marks=() if year in EVERYDAY else pytest.mark.slow) for year in SEASONS]
)
def test_a_season_ends_for_every_entry_as_it_was_published(year):
    entries, picks, winners = SEASONS[year]
    replay = replay_of(year)
    replay.open_pool()

    imported = replay.import_picks()
    rounds = list(replay.rounds())

    assert (imported.entries, imported.picks) == (entries, picks)
    assert [(r.number, r.name, r.alive_after) for r in rounds if not r.is_ok] == []
    assert [d for d in replay.differences() if not d.is_ok] == []
    assert {d.entry for d in replay.differences()} == set(ODD_ENTRIES.get(year, ()))
    assert Entry.objects.filter(status=EntryStatus.WINNER).count() == winners == rounds[-1].alive_after
    assert sum(entry.prize_cents or 0 for entry in Entry.objects.all()) == entries * 100_000
    assert settle_competition(competition_id=replay.pool.competition_id).difference.is_nothing
    assert settle_competition(competition_id=replay.pool.competition_id, afresh=True).difference.is_nothing
    assert [ruled.decided for ruled in replay.rulings] == list(replay.season.rulings)
    for ruled in replay.rulings:
        expect_ruled(replay.pool, ruled)


def expect_ruled(pool: Pool, ruled: Ruled) -> None:
    """Two names, and a game that later imports leave alone; its pickers who were still in are out, nobody else."""
    ruling = Ruling.objects.get(pk=ruled.number)
    game = Game.objects.get(competition=pool.competition, external_id=ruled.decided.game)
    assert (ruling.status, ruling.proposed_by_id == ruling.decided_by_id) == ("confirmed", False)
    assert (game.status, game.is_ruled, game.round.number) == ("postponed", True, ruled.decided.round_number)
    out = Entry.objects.filter(eliminated_round_number=ruled.decided.round_number, eliminated_code="game_cancelled")
    assert out.count() == ruled.eliminated
    assert set(out) == {pick.entry for pick in Pick.objects.filter(game=game).select_related("entry")}


@pytest.mark.django_db(transaction=True)
def test_importing_a_whole_season_again_changes_nothing_and_refuses_the_same_lines():
    replay = replay_of("2020")
    replay.open_pool()
    first = replay.import_picks()

    again = replay.import_picks()

    assert (again.players, again.entries, again.picks, again.unchanged) == (0, 0, 0, first.picks)
    assert again.refused == first.refused
    assert {refusal.reason for refusal in first.refused} == {"NE has no game in round 5"}
    assert Pick.objects.count() == 6_992


@pytest.mark.django_db
def test_a_season_of_which_one_result_differs_is_found_out():
    """So that the comparison cannot pass because it compares nothing."""
    replay = replay_of("2020")
    replay.open_pool()
    replay.import_picks()
    rounds = replay.rounds()
    assert next(rounds).is_ok

    entry = Entry.objects.filter(status=EntryStatus.ACTIVE).first()
    with transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(
            status="eliminated", eliminated_round_number=1, eliminated_code="pick_lost", reference="not-in-the-file"
        )

    found = {difference.entry: difference for difference in replay.differences()}
    assert found["not-in-the-file"].published is None
    assert found[entry.reference].ours is None
    assert not found["not-in-the-file"].is_ok
    assert found["329-3"].ours == Fate("active", None)
    assert not found["329-3"].is_ok
