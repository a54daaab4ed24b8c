"""Picks: all of an own entry; of another's, to staff, what is revealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from config.graphql.batches import for_each, together
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from entries import models
from entries.queries.grades import PickResult
from entries.queries.picks import ShownPick, picks_by_entry
from entries.services.slips import make_slip
from pools.graphql.schedules import Game
from pools.models import Game as GameRow

strawberry.enum(models.PickSource, name="PickSource")
strawberry.enum(PickResult, name="PickResult")


@reads("picks:read")
@strawberry.type(description="The signed receipt of a saved pick.")
class Slip:
    entry: BigInt
    round: int
    team: str
    rules_version: int
    saved_at: str = strawberry.field(description="As it was signed, to the last microsecond.")
    nonce: str
    signature: str


@reads("picks:read")
@strawberry.type(description="A pick, or one that was missed: then there is no team, game, source or slip.")
class Pick:
    pk: strawberry.Private[tuple[int, int]]
    saved: strawberry.Private[ShownPick]
    entry_id: strawberry.Private[int]
    is_own: strawberry.Private[bool]

    round: int
    team: str | None = strawberry.field(description="The team's code.")
    result: PickResult
    source: models.PickSource | None
    locked: bool
    picked_at: datetime | None

    @field("What was picked on.")
    def game(self, info: Asking) -> Game | None:
        found: Game | None = for_each(self, "game", _games, info)
        return found

    @field("For the owner alone.")
    def slip(self) -> Slip | None:
        saved = self.saved
        if not (self.is_own and saved.team and saved.picked_at and saved.rules_version and saved.nonce):
            return None
        return Slip(
            **make_slip(
                entry_id=self.entry_id,
                round_number=saved.round,
                team_code=saved.team,
                rules_version=saved.rules_version,
                saved_at=saved.picked_at,
                nonce=saved.nonce,
            )
        )


def picks_for(entries: Sequence[models.Entry], viewer_id: int) -> dict[int, list[Pick]]:
    """The picks of these entries that the viewer may see, in play order."""
    found = picks_by_entry(entries, viewer_id=viewer_id)
    owners = {entry.pk: entry.user_id for entry in entries}
    shown = together(
        _shown(pick, entry_id, place, is_own=owners[entry_id] == viewer_id)
        for entry_id, picks in found.items()
        for place, pick in enumerate(picks)
    )
    by_entry: dict[int, list[Pick]] = {entry.pk: [] for entry in entries}
    for pick in shown:
        by_entry[pick.entry_id].append(pick)
    return by_entry


def _shown(pick: ShownPick, entry_id: int, place: int, *, is_own: bool) -> Pick:
    source: Any = pick.source
    result: Any = pick.result
    return Pick(
        pk=(entry_id, place),
        saved=pick,
        entry_id=entry_id,
        is_own=is_own,
        round=pick.round,
        team=pick.team,
        result=result,
        source=source,
        locked=pick.locked,
        picked_at=pick.picked_at,
    )


def _games(picks: Sequence[Pick]) -> dict[tuple[int, int], Any]:
    wanted = {pick.saved.game for pick in picks if pick.saved.game is not None}
    games = GameRow.objects.select_related("home", "away").in_bulk(wanted)
    return {pick.pk: games.get(pick.saved.game or 0) for pick in picks}
