"""What staff have ruled in the demo: one entry is back in by two names, another waits for the second."""

from collections.abc import Mapping

from accounts.models import Role, User
from entries.models import RulingKind
from entries.models.entry import EliminationReason, EntryQuerySet
from entries.services.rulings import confirm_ruling, propose_ruling


def rule(*, staff: Mapping[Role, User], fallen: EntryQuerySet) -> None:
    """Reinstate who missed a pick through no fault of theirs; propose it for somebody else."""
    missed = fallen.filter(eliminated_code=EliminationReason.NO_PICK).order_by("-eliminated_round_number", "id")
    moderator, admin = staff[Role.MODERATOR], staff[Role.ADMIN]
    entries = [
        *missed[:1],
        *fallen.exclude(pk__in=missed[:1].values("pk")).order_by("-eliminated_round_number", "id")[:1],
    ]
    rulings = [
        propose_ruling(kind=RulingKind.REINSTATE, entry_id=entry.pk, by=moderator, reason=reason)
        for entry, reason in zip(
            entries,
            (
                "The form answered with an error in the hour before the lock; the log shows four tries.",
                "Says that the app showed another team than the one that was saved. Slip attached to ticket 2107.",
            ),
            strict=False,
        )
    ]
    if rulings:
        confirm_ruling(ruling=rulings[0], by=admin)
