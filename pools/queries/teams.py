"""Finding teams by what people write: a code, or a name."""

from pools.models import Team


class TeamBook:
    """The teams of a competition under their codes and names, upper or lower case alike."""

    def __init__(self, teams: list[Team]) -> None:
        self.teams = teams
        self._by_label = {label.casefold(): team for team in teams for label in (team.name, team.code)}

    def find(self, label: str) -> Team | None:
        """The team called so; a code comes before another team's name."""
        return self._by_label.get(label.strip().casefold())


def team_book(competition_id: int) -> TeamBook:
    """All teams of the competition, read once."""
    return TeamBook(list(Team.objects.filter(competition_id=competition_id).order_by("code")))
