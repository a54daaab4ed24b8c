"""Reading how picks changed. What may be seen by whom is decided in `entries.queries.reveal`; nothing here lifts the
secret."""

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import User
from entries.models import PickChange
from entries.queries.reveal import is_revealed, revealed_rounds
from pools.models import Team

__all__ = ["is_revealed", "pick_history", "revealed_rounds"]


def pick_history(*, entry_id: int, round_id: int) -> QuerySet[PickChange]:
    """Every change of the entry's pick for the round, oldest first. For the owner, or once the round is revealed.

    Adds the codes `from_team` and `to_team` (None for no pick), and `by`, the name of who did it (None: the system).
    """
    return (
        PickChange.objects.filter(entry_id=entry_id, round_id=round_id)
        .annotate(
            from_team=Subquery(Team.objects.filter(pk=OuterRef("from_team_id")).values("code")),
            to_team=Subquery(Team.objects.filter(pk=OuterRef("to_team_id")).values("code")),
            by=Subquery(User.objects.filter(pk=OuterRef("actor_id")).values("display_name")),
        )
        .order_by("id")
    )
