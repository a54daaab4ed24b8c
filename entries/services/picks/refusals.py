"""Why a pick cannot be saved or taken back, in the codes of the contract and a sentence for people."""

from collections.abc import Sequence

from django.db import IntegrityError

from config.constraints import explain
from config.errors import Code, Refused, invalid
from config.phrases import Name, phrase, phrase_of
from entries.models import EntryStatus
from entries.services.picks.facts import OFF, RoundFacts, TeamFacts, uses
from pools.models import PoolStatus, Team

# Whatever else writes a pick, and does not say it better.
explain("pick_before_lock", Code.DEADLINE_PASSED, "The pick has locked.")
explain("pick_team_within_limit", Code.TEAM_ALREADY_USED, "This entry has already used the team.")
explain("pick_team_once_a_round", Code.TEAM_ALREADY_USED, "This entry has the team in this round already.")
explain("pick_entry_suspended", Code.ENTRY_SUSPENDED, "This entry is suspended while its payment is disputed.")
explain("pick_team_plays", Code.TEAM_NOT_PLAYING, "The team has no game in this round.")


def check_open(facts: RoundFacts, *, round_number: int) -> None:
    """Refuse an entry that is out or suspended, a pool that is not in play, and a round not played or closed."""
    if facts.entry_status != EntryStatus.ACTIVE:
        raise Refused(
            Code.ENTRY_NOT_ACTIVE,
            phrase("This entry is {status}.", status=Name(facts.entry_status)),
            {"status": str(facts.entry_status)},
        )
    if facts.may_not_pick:
        raise suspended()
    if facts.pool_status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise Refused(
            Code.ROUND_NOT_OPEN,
            phrase("The pool is {status}.", status=Name(facts.pool_status)),
            {"round": round_number},
        )
    if facts.round_id is None or facts.closes_at is None or facts.rules_version is None:
        raise Refused(
            Code.ROUND_NOT_OPEN,
            phrase("Round {round} cannot be picked in this pool.", round=round_number),
            {"round": round_number},
        )
    if facts.is_closed:
        locked_at = facts.closes_at.isoformat().replace("+00:00", "Z")
        raise Refused(
            Code.DEADLINE_PASSED,
            phrase("Round {round} locked at {at:instant}.", round=round_number, at=facts.closes_at),
            {"round": round_number, "locked_at": locked_at},
        )


def check_number(facts: RoundFacts, codes: Sequence[str]) -> None:
    """Refuse another number of teams than the round asks for, and one team twice."""
    asked = facts.asked or 1
    if len(codes) != asked or len(set(codes)) != asked:
        raise invalid("teams", "This round takes two different teams." if asked > 1 else "This round takes one team.")


def check_fixed(facts: RoundFacts, chosen: Sequence[TeamFacts]) -> None:
    """Refuse to give up a team whose game has begun."""
    given_up = set(facts.fixed) - {team.team_id for team in chosen}
    for code in Team.objects.filter(pk__in=given_up).values_list("code", flat=True)[:1] if given_up else ():
        raise Refused(
            Code.GAME_STARTED,
            phrase("The game of {code} has started, so this pick is fixed.", code=code),
            {"team": code},
        )


def check_team(facts: RoundFacts, team: TeamFacts, *, entry_id: int, round_number: int) -> None:
    """Refuse a team without a game that can be picked, and one that was used as often as the rules allow."""
    if team.game_id is None or team.game_status in OFF:
        raise not_playing(team.code, round_number)
    if not team.is_playable:
        raise Refused(
            Code.GAME_STARTED,
            phrase("The game of {team} has started.", team=team.code),
            {"team": team.code, "game": team.game_id},
        )
    limit = facts.reuse_limit or 1
    # Picked that often before, void picks and those before the count began again included: look closer.
    if team.picked_in >= limit and team.team_id is not None and facts.round_id is not None:
        used_in = uses(entry_id=entry_id, round_id=facts.round_id, team_id=team.team_id)
        if len(used_in) >= limit:
            raise already_used(team.code, used_in)


def suspended() -> Refused:
    """The entry's money is disputed."""
    return Refused(
        Code.ENTRY_SUSPENDED, "This entry is suspended while its payment is disputed: its picks cannot be changed."
    )


def not_playing(code: str, round_number: int) -> Refused:
    """The team has no game in the round that could be picked."""
    return Refused(
        Code.TEAM_NOT_PLAYING,
        phrase("{code} has no game in round {round}.", code=code, round=round_number),
        {"round": round_number, "team": code},
    )


def already_used(code: str, rounds: Sequence[int]) -> Refused:
    """The team is used up; `rounds` says where, as far as that is known."""
    message = phrase("This entry has already used {team}.", team=code)
    if rounds:
        message = phrase_of(
            len(rounds),
            "This entry has already used {team} in round {rounds}.",
            "This entry has already used {team} in rounds {rounds} and {last}.",
            team=code,
            rounds=", ".join(map(str, rounds[:-1] or rounds)),
            last=rounds[-1],
        )
    return Refused(
        Code.TEAM_ALREADY_USED,
        message,
        {"team": code, "round": rounds[-1] if rounds else None, "rounds": list(rounds)},
    )


def told(error: IntegrityError, *, round_number: int, code: str) -> Exception:
    """The refusal behind a guard's name; the error itself where it tells of a fault and not of a rule."""
    guard = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    match guard:
        case "pick_before_lock":
            return Refused(
                Code.DEADLINE_PASSED,
                phrase("The pick for round {round} has locked.", round=round_number),
                {"round": round_number},
            )
        case "pick_team_within_limit" | "pick_team_once_a_round":
            return already_used(code, [])
        case "pick_entry_suspended":
            return suspended()
        case "pick_team_plays":
            return not_playing(code, round_number)
        case _:
            return error
