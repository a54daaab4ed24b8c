"""Players of a built pool who save picks: their tokens, and the calls that they send."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from accounts.models import User
from accounts.services.sessions import begin_session
from config.local.benches.bigpools import Plan
from config.local.benches.wire import call
from entries.models import Entry, EntryStatus, Pick
from pools.models import Team


@dataclass(frozen=True)
class Player:
    """Somebody with an entry, signed in, and two teams that it may still take in each of two rounds."""

    entry_id: int
    user_id: int
    access: str
    refresh: str
    teams: tuple[str, str, str, str]

    def put(self, path: str, team: str, *, access: str = "") -> bytes:
        """The call that saves this team."""
        headers = [("Authorization", f"Bearer {access or self.access}")]
        return call("PUT", path, body=json.dumps({"team": team}).encode(), headers=headers)


def players(plan: Plan, count: int) -> list[Player]:
    """So many who are still in, each signed in."""
    used = dict(Pick.objects.filter(round__number=plan.round_number).values_list("entry_id", "team_id"))
    teams = list(Team.objects.order_by("pk"))
    entries = Entry.objects.filter(status=EntryStatus.ACTIVE).order_by("pk")[:count]
    people = User.objects.in_bulk([entry.user_id for entry in entries])
    found = []
    for number, entry in enumerate(entries):
        pair = begin_session(user=people[entry.user_id], address="", user_agent="", has_second_factor=False)
        at = 2 * number % len(teams)
        # Four of five, spread over the league: one may be used.
        first, second, third, fourth = [
            team.code for team in (teams[at:] + teams)[:5] if team.pk != used.get(entry.pk)
        ][:4]
        found.append(Player(entry.pk, entry.user_id, pair.access, pair.refresh, (first, second, third, fourth)))
    return found


def lanes(people: Sequence[Player], count: int) -> list[Iterator[tuple[Player, str]]]:
    """For each of so many connections, without end, people of its own and the team that changes that person's pick."""
    return [
        cycle([(player, player.teams[side]) for side in (0, 1) for player in people[lane::count]])
        for lane in range(count)
    ]
