"""An entry's fate is a function of rules, picks and results, whatever the order in which results arrive.

Random small seasons with results in random order, corrections of what was final, and settlements in between: after
each step the database agrees with an oracle that shares no code with it, and settling again changes nothing.
"""

import secrets

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries.models import Entry, Pick, PickSource
from entries.models.pick import LATE_SETTING
from entries.services.settlement import settle_competition
from pools.models import Game, GameStatus
from tests.entries.oracle import Book, Fate, Played, grade
from tests.factories.entries import EntryFactory
from tests.factories.pools import CODES, PoolFactory, league, lock_round

TEAMS, ROUNDS = CODES[:6], 4
PAIRS = list(zip(TEAMS[::2], TEAMS[1::2], strict=True))

outcomes = st.one_of(st.just("cancelled"), st.tuples(st.integers(0, 3), st.integers(0, 3)))
news = st.tuples(st.integers(0, ROUNDS - 1), st.integers(0, len(PAIRS) - 1), outcomes)
books = st.builds(
    Book,
    strikes=st.integers(0, 2),
    tie=st.sampled_from(["loss", "win"]),
    missed_pick=st.sampled_from(["eliminate", "strike"]),
    cancelled_game=st.sampled_from(["loss", "win"]),
    all_out=st.sampled_from(["split", "revive"]),
)


@st.composite
def seasons_of_picks(draw):
    """One entry's picks: for each round a team not used before, or none."""
    order = draw(st.permutations(TEAMS))
    return [draw(st.sampled_from([team, team, team, None])) for team in order[:ROUNDS]]


def build(book: Book, all_picks):
    pool = PoolFactory(competition=league(rounds=ROUNDS, codes=TEAMS), entry_fee_cents=1001, rules=vars(book))
    for this in pool.competition.rounds.all():
        lock_round(this)
    games = {}
    for game in Game.objects.filter(competition=pool.competition).select_related("home", "away", "round"):
        games[game.round.number - 1, PAIRS.index((game.home.code, game.away.code))] = game
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'import', true)", [LATE_SETTING])
    entries = []
    for picks in all_picks:
        entries.append(EntryFactory(in_pool=pool))
        for number, code in enumerate(picks):
            if code is None:
                continue
            game = games[number, next(i for i, pair in enumerate(PAIRS) if code in pair)]
            Pick.objects.create(
                entry=entries[-1], round=game.round, game=game, source=PickSource.IMPORT, nonce=secrets.token_hex(8),
                team=game.home if game.home.code == code else game.away,
            )  # fmt: skip
    return pool, games, entries


def report(game: Game, outcome) -> None:
    game.status = GameStatus.CANCELLED if outcome == "cancelled" else GameStatus.FINAL
    game.home_score, game.away_score = (None, None) if outcome == "cancelled" else outcome
    game.save(update_fields=["status", "home_score", "away_score"])


def standing(entries) -> list[Fate]:
    rows = {e.pk: e for e in Entry.objects.filter(pk__in=[e.pk for e in entries])}
    return [
        Fate(r.status, r.eliminated_round_number, r.eliminated_code, r.strikes, r.prize_cents)
        for r in (rows[e.pk] for e in entries)
    ]


def check_season(book, all_picks, all_news):
    with transaction.atomic():
        pool, games, entries = build(book, all_picks)
        rounds = [[Played(*pair) for pair in PAIRS] for _ in range(ROUNDS)]
        pot = 1001 * len(entries)
        for number, index, outcome in all_news:
            report(games[number, index], outcome)
            rounds[number][index].outcome = outcome
            settle_competition(competition_id=pool.competition_id)
            assert standing(entries) == grade(book, rounds, all_picks, pot)
        assert settle_competition(competition_id=pool.competition_id).difference.is_nothing
        transaction.set_rollback(True)


no_deadline = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


@pytest.mark.django_db
@settings(no_deadline, max_examples=25)
@given(books, st.lists(seasons_of_picks(), min_size=1, max_size=6), st.lists(news, min_size=1, max_size=10))
def test_fate_agrees_with_the_oracle_after_every_result(book, all_picks, all_news):
    check_season(book, all_picks, all_news)


@pytest.mark.slow
@pytest.mark.django_db
@settings(no_deadline, max_examples=400)
@given(books, st.lists(seasons_of_picks(), min_size=1, max_size=8), st.lists(news, min_size=1, max_size=24))
def test_fate_agrees_with_the_oracle_over_many_seasons(book, all_picks, all_news):
    check_season(book, all_picks, all_news)
