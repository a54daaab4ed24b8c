"""What a ruling would change, before anybody has proposed it: all of it is done, and undone."""

from typing import Any

from django.db import transaction

from accounts.models import User
from config.locks import advisory_lock, allow_long_statements
from entries.queries.reveal import revealed_rounds
from entries.services.rulings.confirming import Preview, preview_ruling
from entries.services.rulings.proposing import draft_of, put_forward
from entries.services.rulings.tally import LISTED

# The proposal needs words, and these never stay.
UNSAID = "–"


class _Undo(Exception):
    """Takes all of it back."""


def rehearse_ruling(*, by: User, reason: str = "", listed: int = LISTED, **proposal: Any) -> Preview:
    """What `propose_ruling` with this `proposal` would change once confirmed, as things stand now; nothing stays of it.

    Refuses what proposing and confirming would refuse. The first `listed` lines of each sort are kept.
    """
    preview, ruling = None, draft_of(**proposal)
    # Not in the transaction: a reveal keeps players from their picks until its own has ended.
    revealed_rounds(ruling.competition_id)
    try:
        with transaction.atomic():
            allow_long_statements()
            # Before anything that is due meanwhile is revealed in here: settlements have it when they come to picks.
            advisory_lock("settle", ruling.competition_id)
            ruling = put_forward(ruling, by=by, reason=reason.strip() or UNSAID)
            preview = preview_ruling(ruling=ruling, by=by, listed=listed)
            raise _Undo
    except _Undo:
        assert preview is not None
        return preview
