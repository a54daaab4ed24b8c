"""Ruling with two names, and everything about a pool that a ruling may change, to compare before and after."""

from typing import Any

from entries.models import Entry, Pick, Ruling
from entries.services.rulings import confirm_ruling, propose_reversal, propose_ruling
from pools.models import Game, Pool
from tests.factories.accounts import ModeratorFactory

FATE = ("status", "strikes", "eliminated_round_number", "eliminated_code", "rules_version", "prize_cents")


def propose(kind: str, *, by=None, game: Game | None = None, entry: Entry | None = None, reason="Seen.", **details):
    """A proposal, by somebody new unless said."""
    return propose_ruling(
        kind=kind, by=by or ModeratorFactory(), reason=reason, game_id=game and game.pk, entry_id=entry and entry.pk,
        details=details,
    )  # fmt: skip


def rule(kind: str, **about) -> Ruling:
    """Proposed, and confirmed by somebody else."""
    return confirm_ruling(ruling=propose(kind, **about), by=ModeratorFactory())


def reverse(ruling: Ruling) -> Ruling:
    """Undone by two other people."""
    proposal = propose_reversal(ruling=ruling, by=ModeratorFactory(), reason="It was wrong.")
    return confirm_ruling(ruling=proposal, by=ModeratorFactory())


def game_of(pool: Pool, number: int, code: str) -> Game:
    """The game of the round in which this home side plays."""
    return pool.competition.games.get(round__number=number, home__code=code)


def fate(entry: Entry) -> tuple[Any, ...]:
    """What became of the entry."""
    return Entry.objects.values_list(*FATE).get(pk=entry.pk)


def state_of(pool: Pool) -> dict[str, Any]:
    """Fates, prizes, the pool's end, picks to the nonce, and games, but not what is only remembered of changes."""
    return {
        "pool": Pool.objects.values_list("status", "ended_round_number").get(pk=pool.pk),
        "entries": list(Entry.objects.filter(pool=pool).order_by("pk").values("pk", *FATE)),
        "picks": list(Pick.objects.filter(entry__pool=pool).order_by("pk").values()),
        "games": list(pool.competition.games.order_by("pk").values()),
        "locks": list(pool.competition.rounds.order_by("number").values_list("number", "first_kickoff_at", "locks_at")),
    }
