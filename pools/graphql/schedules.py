"""Competitions with their teams, rounds and games."""

from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from django.db.models import Prefetch
from strawberry import auto

from config.clock import database_now
from config.graphql.connections import FIRST, After, Connection, First, Slice, one_of
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from pools import models
from pools.queries import RoundStatus, rounds_in_full

strawberry.enum(models.GameStatus, name="GameStatus")
strawberry.enum(RoundStatus, name="RoundStatus")


def _teams(info: Asking) -> "Prefetch[str]":
    return Prefetch("teams", models.Team.objects.order_by("code"))


def _rounds(info: Asking) -> "Prefetch[str]":
    """By the rounds' own locks, of all competitions at once."""
    return Prefetch("rounds", rounds_in_full(models.Round.objects.all(), database_now()))


@reads("pools:read")
@strawberry_django.type(models.Team, description="A side in a competition.")
class Team:
    code: auto
    name: auto


@reads("pools:read")
@strawberry_django.type(models.Game, description="A fixture between two teams.")
class Game:
    id: BigInt
    home: Team
    away: Team
    kickoff: datetime = strawberry_django.field(field_name="kickoff_at")
    status: models.GameStatus
    home_score: int | None
    away_score: int | None


@reads("pools:read")
@strawberry_django.type(models.Round, description="What one pick is for, in play order.")
class Round:
    number: int
    name: auto
    opens_at: datetime | None = strawberry.field(description="Null: it opens when the round before it locks.")
    locks_at: datetime | None
    status: RoundStatus

    @field("In the order of kickoffs.", most=20)
    def games(self: Any) -> list[Game]:
        return list(self.games.all())


@reads("pools:read")
@strawberry_django.type(models.Competition, description="One league in one season.")
class Competition:
    code: auto
    name: auto
    season: auto
    time_zone: str = strawberry.field(description="IANA name of the zone players think in.")

    @field("By code.", most=40, prefetch=_teams)
    def teams(self: Any) -> list[Team]:
        return list(self.teams.all())

    @field("In play order, each by its own lock.", most=25, prefetch=_rounds)
    def rounds(self: Any) -> list[Round]:
        return list(self.rounds.all())


@reads("pools:read")
@strawberry.type(description="A page of competitions.")
class CompetitionConnection(Connection):
    @field("By code.")
    def nodes(self, info: Asking) -> list[Competition]:
        return self.slice.nodes(info)


@strawberry.type
class ScheduleQuery:
    """What is asked about competitions. Public."""

    @field("Leagues in a season.", cost=10)
    def competitions(self, info: Asking, first: First = FIRST, after: After = None) -> CompetitionConnection | None:
        rows = models.Competition.objects.all()
        found = Slice(rows, of=["competitions"], info=info, first=first, after=after, ordering=("code", "id"))
        return CompetitionConnection(slice=found)

    @field("One of them. NOT_FOUND where there is none of the code.", cost=10)
    def competition(self, info: Asking, code: str) -> Competition | None:
        found: Competition = one_of(models.Competition.objects.filter(code=code), info)
        return found
