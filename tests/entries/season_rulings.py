"""Rulings in a random season: proposed by one, confirmed by another, undone by a third decision, all by the services.

What a ruling does to the oracle's world is said here once more in plain words; the settlement that comes with it must
then agree. A ruling that the services refuse changes nothing on either side.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from hypothesis import strategies as st

from config.errors import DomainError
from entries.models import Ruling
from entries.services.rulings import confirm_ruling, propose_reversal, propose_ruling
from tests import oracle
from tests.entries.season import SCORES, Season
from tests.oracle.worlds import TEAMS


@dataclass
class Made:
    """A confirmed ruling, and how the oracle's world goes back to before it.

    `until`: the kickoff that it put off. The ruling remembers it as an instant to come, and the mirror lets such
    instants pass only where they stand in tables: afterwards the ruling is not reversed here.
    """

    row: Ruling
    undo: Callable[[], None]
    until: int | None = None


class RuledSeason(Season):
    """A season whose staff also rule."""

    EVENTS = (
        *Season.EVENTS,
        *("staff_rule_on_a_game", "staff_rule_on_a_game", "staff_rule_on_a_pick", "staff_disqualify"),
        *("staff_reverse", "staff_reverse"),
    )

    def __init__(self, *world) -> None:
        super().__init__(*world)
        self.rulings: list[Made] = []

    def rule(self, do: Callable[[], None], undo: Callable[[], None], until: int | None = None, **what) -> None:
        """Propose and confirm; then the same happens to the oracle's world, and both are compared."""
        row = self.confirmed(lambda by: propose_ruling(by=by, reason="It rained", **what))
        if row is not None:
            do()
            self.rulings.append(Made(row, undo, until))
            self.compare()

    def confirmed(self, propose: Callable[..., Ruling]) -> Ruling | None:
        """None where the services refuse."""
        first, second = self.stage.staff
        try:
            with transaction.atomic():
                row = confirm_ruling(ruling=propose(first), by=second)
        except DomainError:
            return None
        self.looked_at = max(self.locked_rounds(), default=1)
        return row

    def staff_reverse(self, draw) -> None:
        """The latest ruling that was not reversed, or the one before."""
        if not self.rulings:
            return
        made = self.rulings[-draw(st.integers(1, min(2, len(self.rulings))))]
        if made.until is not None and made.until <= self.now:
            return
        if self.confirmed(lambda by: propose_reversal(ruling=made.row, by=by, reason="It did not")) is not None:
            made.undo()
            self.rulings.remove(made)
            self.compare()

    # --- What is ruled ----------------------------------------------------------------------------------------------

    def staff_rule_on_a_game(self, draw) -> None:
        game, verdict = (
            draw(st.sampled_from(self.league.games)),
            draw(st.sampled_from(("not_played", "score", "moved"))),
        )
        details = {"verdict": verdict}
        if verdict == "not_played":
            details["status"] = draw(st.sampled_from(("postponed", "cancelled")))
            facts = {"status": details["status"], "home_score": None, "away_score": None}
        elif verdict == "score":
            details["home_score"], details["away_score"] = draw(st.sampled_from(SCORES))
            facts = {"status": "final", "home_score": details["home_score"], "away_score": details["away_score"]}
        else:
            facts = self.another_weekend(game, draw)
            if facts is None:
                return
            details |= {"to_round": facts["round"], "kickoff_at": self.mirror.at(facts["kickoff"]).isoformat()}
        stood = {name: getattr(game, name) for name, value in facts.items() if getattr(game, name) != value}
        self.rule(
            lambda: self.set_game(game, facts), lambda: self.set_game(game, stood),
            kind="game", game_id=self.mirror.games[game.id].pk, details=details,
            until=game.kickoff if game.kickoff > self.now and "kickoff" in stood else None,
        )  # fmt: skip

    def another_weekend(self, game: oracle.Game, draw) -> dict | None:
        """A round that has games and has not locked, and when this one would be played there."""
        others = {other.round for other in self.league.games} - {game.round}
        coming = sorted(number for number in others if not self.league.has_locked(number, self.now))
        if not coming or len(self.league.games_of(game.round)) == 1:
            return None
        to = draw(st.sampled_from(coming))
        kickoff = max(other.kickoff for other in self.league.games_of(to))
        return {"status": "scheduled", "home_score": None, "away_score": None, "round": to, "kickoff": kickoff}

    def set_game(self, game: oracle.Game, facts: dict) -> None:
        """Only what is named changes."""
        now = {name: getattr(game, name) for name in ("status", "home_score", "away_score", "round", "kickoff")} | facts
        game.report(now["status"], now["home_score"], now["away_score"])
        self.league.move(game, now["round"], now=self.now, kickoff=now["kickoff"])
        self.mirror.date_game(game)

    def staff_rule_on_a_pick(self, draw) -> None:
        _, pool, entry = self.some_entry(draw)
        number = draw(st.sampled_from(list(pool.rounds)))
        used = [pick.team for pick in entry.picks if pick.round != number]
        free = [
            team for team in TEAMS if team not in used and any(team in g.teams for g in self.league.games_of(number))
        ]
        asked = pool.book_of(number).asks_for(number)
        if entry.is_void or number < entry.first_round or not free:
            return
        teams = draw(st.lists(st.sampled_from(free), max_size=asked, unique=True))
        before, after = entry.picks_of(number), self.ruled_picks(entry, number, teams)

        def put(picks: list[oracle.Pick]) -> None:
            entry.picks = [pick for pick in entry.picks if pick.round != number] + picks
            entry.tried.add(number)  # what a ruling takes away is not filled in

        self.rule(
            lambda: put(after), lambda: put(before),
            kind="pick", entry_id=self.mirror.entries[entry.id].pk, details={"round": number, "teams": teams},
        )  # fmt: skip

    def ruled_picks(self, entry: oracle.Entry, number: int, teams: list[str]) -> list[oracle.Pick]:
        """Teams that stay keep their slot; the others replace those that go, lowest slot first."""
        present = entry.picks_of(number)
        stay = [pick for pick in present if pick.team in teams]
        going = [pick.slot for pick in present if pick.team not in teams]
        slots = going + [slot for slot in (1, 2) if slot not in {pick.slot for pick in present}]
        coming = [team for team in teams if team not in {pick.team for pick in present}]
        made = []
        for slot, team in zip(slots, coming, strict=False):
            games = [game for game in self.league.games_of(number) if team in game.teams]
            game = min(games, key=lambda game: (game.kickoff, game.id))
            made.append(oracle.Pick(number, team, game.id, slot, "staff"))
        return stay + made

    def staff_disqualify(self, draw) -> None:
        _, _, entry = self.some_entry(draw)

        def be(is_void: bool) -> None:
            entry.is_void = is_void

        if not entry.is_void and not any(fee.is_refunded for fee in entry.fees):
            self.rule(lambda: be(True), lambda: be(False), kind="disqualify", entry_id=self.mirror.entries[entry.id].pk)
