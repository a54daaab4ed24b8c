"""Each kind of ruling with what carries it out."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from config.phrases import phrase
from entries.models import Ruling, RulingKind, RulingStatus
from entries.services.rulings.decision import Decision, Stale
from entries.services.rulings.games import GameDecision
from entries.services.rulings.picks import PickDecision
from entries.services.rulings.places import Disqualification, Reinstatement

PLACES = (RulingKind.DISQUALIFY, RulingKind.REINSTATE)


class Reversal(Decision):
    """Undoes a confirmed ruling, unless a later one about the same stands on it.

    A reversal is not reversed itself: the original decision is proposed again, with its own reason.
    """

    def look(self) -> None:
        assert self.ruling.reverses_id is not None
        reversed_ = Ruling.objects.locked().get(pk=self.ruling.reverses_id)
        if reversed_.status != RulingStatus.CONFIRMED or reversed_.kind == RulingKind.REVERSAL:
            raise Stale("Only a confirmed ruling is reversed; instead of a reversal, propose the ruling again.")
        if reversals_of(reversed_).exists():
            raise Stale(phrase("Ruling {ruling} was reversed already.", ruling=reversed_.pk))
        later = _resting_on(reversed_)
        if later is not None:
            raise Stale(
                phrase("Ruling {later} came later and decides about the same: reverse it first.", later=later),
                ruling=later,
            )
        self.reversed = decision_of(reversed_)
        self.reversed.look_back()

    def carry_out(self) -> dict[str, Any]:
        self.reversed.undo(reversal=self.ruling)
        return {}

    def look_back(self) -> None:
        raise Stale("A reversal is not reversed: propose the ruling again.")

    def undo(self, *, reversal: Ruling) -> None:
        self.look_back()


DECISIONS: Mapping[str, type[Decision]] = {
    RulingKind.GAME: GameDecision,
    RulingKind.PICK: PickDecision,
    RulingKind.DISQUALIFY: Disqualification,
    RulingKind.REINSTATE: Reinstatement,
    RulingKind.REVERSAL: Reversal,
}


def decision_of(ruling: Ruling) -> Decision:
    """What carries this ruling out."""
    return DECISIONS[ruling.kind](ruling)


def reversals_of(ruling: Ruling) -> Any:
    """The confirmed reversal of the ruling, if there is one."""
    return Ruling.objects.filter(reverses=ruling, status=RulingStatus.CONFIRMED)


def _resting_on(ruling: Ruling) -> int | None:
    """A later confirmed ruling about the same game, pick or place that was not reversed."""
    later = Ruling.objects.filter(
        Q(game_id=ruling.game_id, entry_id=ruling.entry_id),
        status=RulingStatus.CONFIRMED,
        decided_at__gt=ruling.decided_at,
    ).exclude(reversals__status=RulingStatus.CONFIRMED)
    if ruling.kind == RulingKind.GAME:
        later = later.filter(kind=RulingKind.GAME)
    elif ruling.kind == RulingKind.PICK:
        later = later.filter(kind=RulingKind.PICK, details__round=ruling.details["round"])
    else:
        later = later.filter(kind__in=PLACES)
    return later.values_list("pk", flat=True).first()
