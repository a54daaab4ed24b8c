"""Reading an entry's fallback list. It is for the owner alone, before a lock and after it."""

from datetime import datetime
from typing import NamedTuple

from entries.models import Entry, Fallback
from pools.models import Team


class FallbackList(NamedTuple):
    """Codes of the teams, best first, and since when it stands so; empty where none was ever saved."""

    teams: list[str]
    saved_at: datetime | None


def fallback_of(entry: Entry) -> FallbackList:
    """The list as it stands now."""
    found = Fallback.objects.filter(entry=entry).first()
    if found is None:
        return FallbackList([], None)
    codes = Team.objects.in_bulk(found.team_ids)
    return FallbackList([codes[team_id].code for team_id in found.team_ids], found.saved_at)
