"""Writes a schedule: teams, rounds, games and results of one competition, in one transaction and a few statements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.locks import advisory_lock
from pools.models import Competition, Game, Pool, PoolStatus, Round, Team
from pools.services.arrivals import tell_results_arrived
from pools.services.schedule import plausible
from pools.services.schedule.changes import FIELDS, Changes
from pools.services.schedule.fixtures import Schedule, ScheduleError
from pools.services.schedule.matching import Match, match, place
from pools.services.schedule.outcomes import CautiousOutcomes, CorrectingOutcomes
from pools.services.schedule.reviews import BY_HAND, Origin, Reviews, let_stand_in
from pools.services.schedule.rounds import DrawnRounds, refuse_unknown_games


@dataclass
class Report:
    """What the competition has now, what of it is new or changed, and what a person should read."""

    competition: Competition
    teams: int = 0
    rounds: int = 0
    games: int = 0
    created: int = 0
    updated: int = 0
    results: int = 0
    raised: int = 0
    warnings: list[str] = field(default_factory=list)
    # Of a feed: what it calls final, by game, and how much of that may be taken later.
    finals: dict[int, str] = field(default_factory=dict)
    held: int = 0


@transaction.atomic
def apply_schedule(
    *,
    code: str,
    schedule: Schedule,
    now: datetime,
    drawn: DrawnRounds | None = None,
    results_through: int | None = None,
    allow_new_teams: bool = False,
    by: User | None = None,
    source: str = "schedule",
    origin: Origin = BY_HAND,
) -> Report:
    """Make the competition what the file says. A second time changes nothing.

    `results_through` is the last round whose scores are taken: 0 for none, None for all. Raises `ScheduleError` for a
    repeated game, a team that the competition does not have (unless `allow_new_teams`), or rounds that do not fit;
    then nothing is written. Games with picks that the file would move are raised for a ruling, as are games that it
    dropped and results that make no sense. `origin` says whether a person runs the import, or a feed came by itself:
    that one adds no teams, corrects no result, and is refused whole when it lacks or contradicts too many games.
    """
    advisory_lock(f"schedule:{code}")
    schedule.refuse_repeats()
    if drawn is not None:
        refuse_unknown_games(drawn, [fixture.external_id for fixture in schedule.fixtures])
    attribute(by=by, reason=f"import of {source}")
    competition = _competition(code, schedule)
    report = Report(competition, warnings=[*schedule.warnings])
    teams = _teams(competition, schedule, allow_new_teams=allow_new_teams)
    # Locked until the commit, so that no result recorded meanwhile is overwritten with an older one.
    games = Game.objects.filter(competition=competition).order_by("id").select_related("round").locked()
    matches, missing = match(schedule.fixtures, teams, games)
    matches = place(matches, competition, drawn, report.warnings)
    rounds = _rounds(competition, matches, drawn, schedule.league.round_word, may_rename=not origin.is_feed)
    outcomes, reviews = _judges(origin, schedule, competition, now)
    changes = Changes(
        rounds=rounds, locks=_first_kickoffs(matches), now=now, through=results_through,
        reviews=reviews, outcomes=outcomes,
    )  # fmt: skip
    _write(report, changes, matches, missing)
    if drawn is not None:
        _finish_drawing(report, rounds)
    report.warnings += reviews.warnings
    report.teams, report.rounds = competition.teams.count(), competition.rounds.count()
    report.games, report.results, report.raised = competition.games.count(), outcomes.results, len(reviews.raised)
    if isinstance(outcomes, CautiousOutcomes):
        report.finals, report.held = outcomes.finals, outcomes.held
        plausible.refuse_missing(changes.missing, report.games)
        plausible.refuse_raised(report.raised, report.games)
    if report.created or report.updated:
        tell_results_arrived(competition.pk)
    return report


def _judges(
    origin: Origin, schedule: Schedule, competition: Competition, now: datetime
) -> tuple[CautiousOutcomes | CorrectingOutcomes, Reviews]:
    reviews = Reviews(origin, let_stand_in(competition.pk))
    if origin.is_feed:
        return CautiousOutcomes(reviews, now, schedule.league), reviews
    return CorrectingOutcomes(reviews, now), reviews


def _competition(code: str, schedule: Schedule) -> Competition:
    """The competition of this code, made if there is none. Refuses one of another season."""
    league = schedule.league
    competition = Competition.objects.filter(code=code).first()
    if competition is None:
        competition = Competition(
            code=code, name=f"{league.name} {schedule.season}", season=schedule.season, time_zone=league.time_zone
        )
        try:
            competition.full_clean()
        except ValidationError as error:
            raise ScheduleError(f"--competition {code}: {' '.join(error.messages)}") from error
        competition.save()
    if competition.season != schedule.season:
        raise ScheduleError(f"{code} holds season {competition.season}, the file's is {schedule.season}.")
    return competition


def _teams(competition: Competition, schedule: Schedule, *, allow_new_teams: bool) -> dict[str, Team]:
    """The teams by the file's labels; new ones are made for a new competition, or when that is allowed."""
    existing = {team.code: team for team in competition.teams.all()}
    labels = {label: fixture.line for fixture in schedule.fixtures for label in (fixture.home, fixture.away)}
    names = schedule.league.name_teams(labels, {team.name: team.code for team in existing.values()})
    new = [label for label, name in names.items() if name.code not in existing]
    if existing and new and not allow_new_teams:
        raise ScheduleError(
            f"Line {labels[new[0]]}: {competition.code} has no team {new[0]}. If it is new, allow it with --new-teams."
        )
    Team.objects.bulk_create(
        Team(competition=competition, code=names[label].code, name=names[label].name) for label in sorted(new)
    )
    by_code = {team.code: team for team in competition.teams.all()}
    return {label: by_code[name.code] for label, name in names.items()}


def _rounds(
    competition: Competition, matches: Iterable[Match], drawn: DrawnRounds | None, word: str, *, may_rename: bool
) -> dict[int, Round]:
    """The rounds by number, made and named as the file, or the rounds file, has them."""
    rounds = {round_.number: round_ for round_ in competition.rounds.all()}
    if drawn is None and competition.rounds_are_drawn:
        return rounds
    names = drawn.names if drawn else {found.number: f"{word} {found.number}" for found in matches}
    known = names.keys() & rounds.keys() if may_rename else ()
    renamed = [rounds[number] for number in known if rounds[number].name != names[number]]
    for round_ in renamed:
        round_.name = names[round_.number]
    Round.objects.bulk_update(renamed, ["name"])
    new = [Round(competition=competition, number=number, name=names[number]) for number in names.keys() - rounds.keys()]
    Round.objects.bulk_create(sorted(new, key=lambda round_: round_.number))
    return {round_.number: round_ for round_ in competition.rounds.all()}


def _first_kickoffs(matches: Iterable[Match]) -> Mapping[int, datetime]:
    found: dict[int, datetime] = {}
    for one in matches:
        found[one.number] = min(one.fixture.kickoff_at, found.get(one.number, one.fixture.kickoff_at))
    return found


def _write(report: Report, changes: Changes, matches: list[Match], missing: list[Game]) -> None:
    """One insert for the new games, one update for the changed ones: each round's lock then moves once, to its end."""
    changed = changes.update(matches, missing)
    new = changes.new_games(matches, report.competition.pk)
    Game.objects.bulk_create(new)
    Game.objects.bulk_update(changed, FIELDS)
    report.created, report.updated = len(new), len(changed)


def _finish_drawing(report: Report, rounds: Mapping[int, Round]) -> None:
    """Remember that a file drew the rounds, drop rounds that own nothing any more, and name pools that do not fit."""
    competition = report.competition
    if not competition.rounds_are_drawn:
        competition.rounds_are_drawn = True
        competition.save(update_fields=["rounds_are_drawn"])
    pools = Pool.objects.filter(competition=competition).exclude(status=PoolStatus.CANCELLED)
    last_played = max(pools.values_list("last_round_number", flat=True), default=0)
    empty = competition.rounds.filter(games__isnull=True)
    empty.filter(number__gt=last_played).delete()
    for round_ in empty:
        report.warnings.append(f"Round {round_.number} has no games any more, but a pool plays it.")
    last = max(competition.rounds.values_list("number", flat=True), default=0)
    for pool in pools.exclude(last_round_number=last).exclude(status=PoolStatus.FINISHED):
        report.warnings.append(
            f"Pool {pool.pk} plays rounds {pool.first_round_number} to {pool.last_round_number}"
            f" of now {last}; make sure that this is meant."
        )
