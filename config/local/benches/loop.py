"""The loop over model objects that everybody writes first: per entry its pick, the pick's game, and a save."""

from django.db import transaction

from config.audit import attribute
from entries.models import Entry, EntryStatus, Pick
from entries.models.entry import EliminationReason


@transaction.atomic
def settle_by_loop(round_number: int) -> int:
    """Settle the round; how many fell."""
    attribute(reason="settlement")
    entries = Entry.objects.filter(status=EntryStatus.ACTIVE).order_by("id").locked()
    return sum(_settle_one(entry, round_number) for entry in entries)


def _settle_one(entry: Entry, round_number: int) -> bool:
    code = _reason(Pick.objects.select_related("game").filter(entry=entry, round__number=round_number).first())
    if code is None:
        return False
    entry.move_to(EntryStatus.ELIMINATED)
    entry.eliminated_round_number, entry.eliminated_code, entry.rules_version = round_number, code, 1
    entry.save(update_fields=["status", "eliminated_round_number", "eliminated_code", "rules_version"])
    return True


def _reason(pick: Pick | None) -> EliminationReason | None:
    if pick is None:
        return EliminationReason.NO_PICK
    home_won = (pick.game.home_score or 0) > (pick.game.away_score or 0)
    won = pick.team_id == (pick.game.home_id if home_won else pick.game.away_id)
    return None if won else EliminationReason.PICK_LOST
