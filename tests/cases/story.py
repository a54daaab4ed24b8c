"""The words in which the cases are told.

    story = Story(api, clock, strikes=2)
    a, b = story.entries(2)
    story.week(1, {a: "W", b: "L"})
    assert story.fates(a, b) == ["alive", "alive"]

A week is written as each entry's pick ends: `W` won, `L` lost, `T` tied, `?` not yet over, `-` no pick, `WL` one of
two won; `L3` lost by 3. The teams follow from it: players pick them through the API, a moderator enters the results,
and the clock goes from week to week. Games that nobody picked are won by the home side.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import chain

from entries.models import Entry
from entries.services.settlement import Settlement, settle_competition
from pools.models import Competition, Game, Pool
from pools.services.results import record_result
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, game_of, league
from tests.support.calls import call
from tests.support.clock import Clock

CLUBS = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX", "GNU", "HEN", "IBI", "JAY", "KOI", "LYN")
# By how much a game is won where nothing else is said.
MARGIN = 10
FATES = {"active": "alive", "winner": "won", "void": "void"}
Ends = Mapping[Entry, str]


class Story:
    """One pool, played week by week."""

    def __init__(
        self, api, clock: Clock, *, weeks: int = 3, competition: Competition | None = None, first_week: int = 1, **rules
    ) -> None:
        self.api, self.clock, self.moderator = api, clock, ModeratorFactory()
        competition = competition or league(rounds=weeks, codes=CLUBS)
        last_week = competition.rounds.order_by("number").last().number
        self.pool: Pool = PoolFactory(
            competition=competition, first_round_number=first_week, last_round_number=last_week, rules=rules
        )
        self._teams: dict[tuple[Entry, int], list[str]] = {}

    # --- Who plays --------------------------------------------------------------------------------------------------

    def entries(self, number: int, *, owner=None) -> list[Entry]:
        """So many entries, each of a player of its own, or all of one."""
        numbers = range(1, number + 1)
        return [
            EntryFactory(in_pool=self.pool, owner=owner or UserFactory(), number=n if owner else 1) for n in numbers
        ]

    # --- What they do -----------------------------------------------------------------------------------------------

    def pick(self, entry: Entry, week: int, *codes: str):
        """Ask for these teams, as the owner: status, and data or the code of the refusal."""
        body = {"team": codes[0]} if len(codes) == 1 else {"teams": list(codes)}
        return call(self.api(entry.user), "PUT", f"/entries/{entry.pk}/picks/{week}", body)

    def picks(self, week: int, ends: Ends) -> None:
        """Everybody picks, each a game of their own."""
        games = list(self.round(week).games.select_related("home", "away").order_by("id"))
        for entry, end in ends.items():
            chosen = [self._one_more(entry, games) for _ in parts(end) if end != "-"]
            self._teams[entry, week] = chosen
            if chosen:
                status, answer = self.pick(entry, week, *chosen)
                assert status == 200, answer

    def _one_more(self, entry: Entry, games: list[Game]) -> str:
        """A team that the entry has not used, of a game that nobody has this week."""
        used = set(chain.from_iterable(codes for (who, _), codes in self._teams.items() if who == entry))
        for game in games:
            for team in (game.home, game.away):
                if team.code not in used:
                    games.remove(game)
                    return team.code
        raise AssertionError(f"{entry} has used every team")

    # --- What happens -----------------------------------------------------------------------------------------------

    def week(self, number: int, ends: Ends) -> Settlement:
        """It is picked, played and settled."""
        self.picks(number, ends)
        self.kicks_off(number)
        return self.results(number, ends)

    def kicks_off(self, week: int) -> None:
        """All of its games have begun."""
        last = self.round(week).games.order_by("-kickoff_at")[0]
        self.clock.at(last.kickoff_at + timedelta(hours=3))

    def results(self, week: int, ends: Ends, *, but: Game | None = None) -> Settlement:
        """Its games end like this for those who picked them, and it is settled."""
        self.ends(week, ends, but=but)
        return self.settled()

    def ends(self, week: int, ends: Ends, *, but: Game | None = None) -> None:
        """The same, and nobody has settled it yet."""
        decided = {
            code: part
            for entry, end in ends.items()
            for code, part in zip(self._teams[entry, week], parts(end), strict=False)
        }
        for game in self.round(week).games.select_related("home", "away"):
            code = game.away.code if game.away.code in decided else game.home.code
            if (end := decided.get(code, "W")) != "?" and game.status != "final" and game != but:
                self.result(game, *score(end, is_home=code == game.home.code))

    def weekend(self, number: int, ends: Ends) -> Settlement:
        """Picked, and played from Friday to Sunday: nobody has picked Monday's game."""
        self.picks(number, ends)
        self.kicks_off(number)
        return self.results(number, ends, but=self.round(number).games.order_by("id").last())

    def monday(self, number: int) -> Settlement:
        """The game that was left."""
        return self.results(number, {})

    def result(self, game: Game, home: int, away: int) -> None:
        """A moderator enters it."""
        record_result(game_id=game.pk, status="final", home_score=home, away_score=away, by=self.moderator)

    def ruled(self, game: Game, home: int, away: int) -> None:
        """The score is corrected: one moderator proposes it, another confirms it, and that settles."""
        body = {
            "kind": "game", "game": game.pk, "reason": "The league corrected it.",
            "details": {"verdict": "score", "home_score": home, "away_score": away},
        }  # fmt: skip
        status, ruling = call(self.api(self.moderator), "POST", "/rulings", body)
        assert status == 201, ruling
        status, ruling = call(self.api(ModeratorFactory()), "POST", f"/rulings/{ruling['id']}/confirm")
        assert status == 200, ruling

    def settled(self, **how) -> Settlement:
        return settle_competition(competition_id=self.pool.competition_id, **how)

    # --- What is seen -----------------------------------------------------------------------------------------------

    def fates(self, *entries: Entry) -> list[str]:
        """`alive`, `out in 2`, `won`, `void`: as the owners are told."""
        shown = [self.shown(entry) for entry in entries]
        return [FATES.get(one["status"]) or f"out in {one['eliminated_round']}" for one in shown]

    def shown(self, entry: Entry) -> dict:
        """The entry, as its owner sees it."""
        return call(self.api(entry.user), "GET", f"/entries/{entry.pk}")[1]

    def shown_picks(self, entry: Entry, viewer=None) -> list[dict]:
        return call(self.api(viewer or entry.user), "GET", f"/entries/{entry.pk}/picks")[1]

    def strikes(self, entry: Entry) -> int:
        return self.shown(entry)["strikes"]

    def prizes(self, *entries: Entry) -> list[int | None]:
        return [self.shown(entry)["prize_cents"] for entry in entries]

    def is_over(self) -> bool:
        return call(self.api(), "GET", f"/pools/{self.pool.pk}")[1]["status"] == "finished"

    def team_of(self, entry: Entry, week: int) -> str:
        """The team that the entry picked."""
        return self._teams[entry, week][0]

    def round(self, week: int):
        return self.pool.competition.rounds.get(number=week)

    def game_of(self, entry: Entry, week: int) -> Game:
        """The game that the entry picked."""
        return game_of(self.round(week), self.team_of(entry, week))


def parts(end: str) -> list[str]:
    """`WL3` is `W` and `L3`."""
    return re.findall(r"[WLT?-]\d*", end)


def score(end: str, *, is_home: bool) -> tuple[int, int]:
    """Home side first."""
    letter, by = end[0], int(end[1:] or MARGIN)
    if letter == "T":
        return 17, 17
    return (17 + by, 17) if (letter == "W") == is_home else (17, 17 + by)
