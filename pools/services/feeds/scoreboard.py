"""A scoreboard as a feed: only results, only of games we know, found by their two sides and their day.

A scoreboard shows a week or a day, so a game that it does not have says nothing. It moves no game and calls none off:
where it has one at another time or as not played, the game is raised for a ruling.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from config.audit import attribute
from config.locks import advisory_lock
from pools.models import Competition, FeedSource, Game, GameStatus, Team
from pools.services.arrivals import tell_results_arrived
from pools.services.feeds.batches import Batch, origin_of
from pools.services.feeds.events import Event, State, read_events
from pools.services.schedule import plausible
from pools.services.schedule.fixtures import ScheduleError
from pools.services.schedule.nflverse import LEAGUE
from pools.services.schedule.outcomes import CautiousOutcomes, Said
from pools.services.schedule.reviews import Reviews, let_stand_in

SAME_GAME = timedelta(days=1)
FIELDS = ("status", "home_score", "away_score", "review", "review_origin", "review_difference")
NOT_PLAYED = {State.POSTPONED: GameStatus.POSTPONED, State.CANCELLED: GameStatus.CANCELLED}


def apply(source: FeedSource, body: bytes, now: datetime) -> Batch:
    """Take the results of the scoreboard. Raises `ScheduleError` and then has written nothing."""
    events = read_events(body)
    competition = source.competition
    advisory_lock(f"schedule:{competition.code}")
    games = list(Game.objects.filter(competition=competition).order_by("id").select_related("round").locked())
    found, warnings = _matched(events, competition, games)
    scores = Scores(source, competition, now)
    scores.reviews.warnings += warnings
    changed = scores.take(found)
    plausible.refuse_raised(len(scores.reviews.raised), len(games))
    attribute(reason=f"pull of {source}")
    Game.objects.bulk_update(changed, FIELDS)
    if scores.outcomes.results:
        tell_results_arrived(competition.pk)
    return Batch(
        games=len(found),
        changed=len(changed),
        results=scores.outcomes.results,
        raised=len(scores.reviews.raised),
        held=scores.outcomes.held,
        finals=scores.outcomes.finals,
        warnings=scores.reviews.warnings,
    )


def _matched(
    events: Iterable[Event], competition: Competition, games: Iterable[Game]
) -> tuple[list[tuple[Game, Event]], list[str]]:
    """The games that the events are about. Raises `ScheduleError` for an unknown team, or one game twice."""
    teams = {team.code: team for team in Team.objects.filter(competition=competition)}
    by_sides: dict[frozenset[int], list[Game]] = defaultdict(list)
    for game in games:
        by_sides[frozenset((game.home_id, game.away_id))].append(game)
    found: dict[int, tuple[Game, Event]] = {}
    unknown = 0
    for event in events:
        sides = _sides(event, teams, competition)
        one = _game_of(event, by_sides[frozenset(team.pk for team in sides)], sides)
        if one is None:
            unknown += 1
        elif one.pk in found:
            raise ScheduleError(f"Event {event.number} is the game of event {found[one.pk][1].number} again.")
        else:
            found[one.pk] = (_by_codes(one, teams), event)
    warnings = [f"{unknown} games are none of ours and are left out."] if unknown else []
    return list(found.values()), warnings


def _sides(event: Event, teams: dict[str, Team], competition: Competition) -> tuple[Team, Team]:
    for code in (event.home, event.away):
        if code not in teams:
            raise ScheduleError(f"Event {event.number}: {competition.code} has no team {code[:20]}.")
    if event.home == event.away:
        raise ScheduleError(f"Event {event.number}: {event.home} against itself.")
    return teams[event.home], teams[event.away]


def _game_of(event: Event, candidates: list[Game], sides: tuple[Team, Team]) -> Game | None:
    """The game of that day, wherever it is played; else the one meeting with these sides at home and away, moved."""
    near = [game for game in candidates if abs(game.kickoff_at - event.kickoff_at) <= SAME_GAME]
    if near:
        return min(near, key=lambda game: abs(game.kickoff_at - event.kickoff_at))
    home, away = sides
    meetings = [game for game in candidates if (game.home_id, game.away_id) == (home.pk, away.pk)]
    return meetings[0] if len(meetings) == 1 and meetings[0].status != GameStatus.FINAL else None


def _by_codes(game: Game, teams: dict[str, Team]) -> Game:
    """The game with its sides at hand."""
    by_id = {team.pk: team for team in teams.values()}
    game.home, game.away = by_id[game.home_id], by_id[game.away_id]
    return game


class Scores:
    """What the events change about the games; nothing is written here."""

    def __init__(self, source: FeedSource, competition: Competition, now: datetime) -> None:
        self.now = now
        self.reviews = Reviews(origin_of(source, "scoreboard"), let_stand_in(competition.pk))
        self.outcomes = CautiousOutcomes(self.reviews, now, LEAGUE)

    def take(self, found: Iterable[tuple[Game, Event]]) -> list[Game]:
        """The games that differ from before."""
        changed = []
        for game, event in found:
            if game.is_ruled or self.reviews.is_anothers(game):
                continue
            before = [getattr(game, name) for name in FIELDS]
            self.reviews.close(game)
            self._take(game, event)
            if before != [getattr(game, name) for name in FIELDS]:
                changed.append(game)
        return changed

    def _take(self, game: Game, event: Event) -> None:
        if abs(game.kickoff_at - event.kickoff_at) > SAME_GAME:
            when = f"{event.kickoff_at:%Y-%m-%d %H:%M} UTC"
            self.reviews.ask(game, f"kickoff > {when}", f"The scoreboard has it at {when} now.")
        elif event.state in NOT_PLAYED:
            self._called_off(game, NOT_PLAYED[event.state])
        elif event.state is State.RUNNING and self._may_run(game):
            game.status = GameStatus.IN_PROGRESS
            game.home_score, game.away_score = _scores(game, event) if _has_both(event) else (None, None)
        elif event.state is not State.UNCLEAR:
            self.outcomes.take(game, _said(game, event))

    def _called_off(self, game: Game, status: GameStatus) -> None:
        if game.status != status:
            self.reviews.ask(game, f"{game.status} > {status}", f"The scoreboard has it as {status}.")

    def _may_run(self, game: Game) -> bool:
        """Shown while it runs, but never back from an outcome, and not while its round can still be picked."""
        is_open = game.round.locks_at is None or game.round.locks_at > self.now
        return game.status in (GameStatus.SCHEDULED, GameStatus.IN_PROGRESS) and not is_open


def _said(game: Game, event: Event) -> Said:
    lock_at = game.round.locks_at or game.kickoff_at
    if event.state is not State.FINAL:
        return Said(event.kickoff_at, lock_at)
    if not _has_both(event):
        return Said(event.kickoff_at, lock_at, fault="it as final, but without both scores")
    return Said(event.kickoff_at, lock_at, *_scores(game, event))


def _has_both(event: Event) -> bool:
    return event.home_score is not None and event.away_score is not None


def _scores(game: Game, event: Event) -> tuple[int | None, int | None]:
    """By our own sides: on neutral ground the two may call different ones the home side."""
    if game.home.code == event.home:
        return event.home_score, event.away_score
    return event.away_score, event.home_score
