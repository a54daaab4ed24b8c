"""Real seasons through a feed: every result is taken, once, and nothing is raised without reason."""

import csv
import io

import pytest

from config.clock import database_now
from config.http import Limits
from pools.models import FeedSource, Game, GameChange
from pools.services.feeds import pull_source
from pools.services.schedule import apply_schedule, open_rows, read_rounds, read_schedule
from tests.support.bad_server import BadServer, marked
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def games() -> str:
    return str(shared_data("nfl/games.csv"))


def body_of(path: str, season: int, through: int) -> bytes:
    """The season's rows, the scores of later weeks left out, as the file was at the time."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["season"] == str(season)]
    for row in rows:
        if int(row["week"]) > through:
            row |= {"home_score": "", "away_score": "", "result": "", "total": ""}
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(("season", "rounds"), [(2020, 18), (2024, 20)])
def test_a_season_arrives_week_by_week_in_its_drawn_rounds(games, season, rounds):
    with open_rows(str(shared_data(f"circa/{season}/rounds.csv"))) as found:
        drawn = read_rounds(found)
    schedule = read_schedule(games, season=str(season))
    competition = apply_schedule(
        code=f"nfl-{season}", schedule=schedule, now=database_now(), drawn=drawn, results_through=0
    ).competition
    played = 0
    with BadServer() as server:
        source = FeedSource.objects.create(
            competition=competition, kind="nflverse", url=server.address(), season=str(season)
        )
        for week in (1, 9, 18):
            server.does(marked(body_of(games, season, week), f'"{week}"'))
            pulled = pull_source(source_id=source.pk, limits=Limits())
            assert (pulled.outcome, pulled.pull.raised) == ("applied", 0), pulled.pull.warnings
            played += pulled.pull.results
            changes = GameChange.objects.count()
            assert pull_source(source_id=source.pk, limits=Limits()).outcome == "unchanged"
            assert GameChange.objects.count() == changes
    assert played == Game.objects.filter(status="final").count() == competition.games.count()
    assert competition.rounds.count() == rounds


def test_a_pull_of_a_season_takes_a_constant_number_of_statements(games, django_assert_max_num_queries):
    schedule = read_schedule(games, season="2023")
    competition = apply_schedule(code="nfl-2023", schedule=schedule, now=database_now(), results_through=0).competition
    with BadServer() as server:
        server.does(marked(body_of(games, 2023, 18), '"1"'))
        source = FeedSource.objects.create(
            competition=competition, kind="nflverse", url=server.address(), season="2023"
        )
        with django_assert_max_num_queries(35):
            assert pull_source(source_id=source.pk, limits=Limits()).pull.results == 272
