"""A small season, a source of its results, and the server behind that."""

import pytest

from pools.models import Competition, FeedSource, Game
from pools.services.feeds import pull_source
from tests.support.bad_server import BadServer
from tests.support.bad_server import answer as sends
from tests.support.feeds import QUICK, as_csv, season
from tests.support.schedules import import_rows


@pytest.fixture
def server():
    with BadServer() as server:
        server.does(sends(as_csv(season())))
        yield server


@pytest.fixture
def competition(db, tmp_path) -> Competition:
    """`season()`, imported by hand, nothing of it played."""
    return import_rows(tmp_path, season()).competition


@pytest.fixture
def source(server, competition) -> FeedSource:
    return FeedSource.objects.create(
        competition=competition, kind="nflverse", url=server.address(), season="2024", every_seconds=60
    )


@pytest.fixture
def pull(server, source):
    """`pull(behaviour)` has the server do that, and pulls; the outcome."""

    def once(*behaviours):
        if behaviours:
            server.does(*behaviours)
        return pull_source(source_id=source.pk, limits=QUICK)

    return once


@pytest.fixture
def bring(pull):
    """`bring(rows)` pulls these rows; the outcome."""
    return lambda rows: pull(sends(as_csv(rows)))


def game(sides: str) -> Game:
    """By its sides, `AWAY_HOME`."""
    away, home = sides.split("_")
    return Game.objects.select_related("round").get(away__code=away, home__code=home)


def result(sides: str) -> tuple[str, int | None, int | None]:
    """Status and score, home side first."""
    found = game(sides)
    return found.status, found.home_score, found.away_score


def fresh(source: FeedSource) -> FeedSource:
    return FeedSource.objects.get(pk=source.pk)
