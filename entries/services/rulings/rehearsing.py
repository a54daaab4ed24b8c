"""What a ruling would change, before anybody has proposed it: all of it is done, and undone."""

from typing import Any

from django.db import transaction

from accounts.models import User
from entries.services.rulings.confirming import Preview, preview_ruling
from entries.services.rulings.proposing import propose_ruling
from entries.services.rulings.tally import LISTED

# The proposal needs words, and these never stay.
UNSAID = "–"


class _Undo(Exception):
    """Takes all of it back."""


def rehearse_ruling(*, by: User, reason: str = "", listed: int = LISTED, **proposal: Any) -> Preview:
    """What `propose_ruling` with this `proposal` would change once confirmed, as things stand now; nothing stays of it.

    Refuses what proposing and confirming would refuse. The first `listed` lines of each sort are kept.
    """
    preview = None
    try:
        with transaction.atomic():
            ruling = propose_ruling(by=by, reason=reason.strip() or UNSAID, **proposal)
            preview = preview_ruling(ruling=ruling, by=by, listed=listed)
            raise _Undo
    except _Undo:
        assert preview is not None
        return preview
