"""What is allowed but will surprise: said to staff before a pool opens, never refused."""

from collections.abc import Iterator

from pools.models import Game, LockPolicy, MissedPick, Payout, Pool, Round, Rules, Team
from pools.queries import first_lock_at
from pools.services.rules.contradictions import WHOLE_POT, Contest, contest_of
from pools.services.rules.switches import shown


def cautions(rules: Rules, pool: Pool) -> list[str]:
    """Sentences about what these rules do in this pool that somebody may not have meant; empty when there is nothing.

    They depend on the schedule as it stands: teams and spreads may still come.
    """
    contest = contest_of(pool)
    found = _of_losses(rules, contest), _of_teams(rules, contest, pool), _of_locks(rules, pool), _of_money(rules, pool)
    return [sentence for sentences in found for sentence in sentences]


def _of_losses(rules: Rules, contest: Contest) -> Iterator[str]:
    length = contest.length or 0
    if rules.strikes >= length > 0:
        yield f"With {rules.strikes} strikes in {length} rounds no lost pick ever eliminates an entry."
    for key in ("missed_pick", "missed_pick_then"):
        if getattr(rules, key) == MissedPick.STRIKE and not rules.strikes:
            yield f"There are no strikes, so {key}=strike eliminates as {key}=eliminate does."


def _of_teams(rules: Rules, contest: Contest, pool: Pool) -> Iterator[str]:
    teams = Team.objects.filter(competition_id=pool.competition_id).count()
    if not teams:
        return
    for numbers in _between_resets(rules, contest.numbers):
        needed = sum(picks_asked(rules, number) for number in numbers)
        # Never the same team twice in one round, whatever the limit.
        there = teams * min(rules.reuse_limit, len(numbers))
        if needed > there:
            asked = f"Rounds {numbers[0]} to {numbers[-1]} ask for {needed} picks"
            allowed = f"{teams} teams {_times(rules.reuse_limit)} make {there}"
            yield f"{asked}, and {allowed}: an entry that gets through runs out of teams and misses its picks."


def picks_asked(rules: Rules, number: int) -> int:
    """How many teams this round asks for."""
    return 2 if number in rules.two_pick_rounds else rules.picks_per_round


def _between_resets(rules: Rules, numbers: tuple[int, ...]) -> list[tuple[int, ...]]:
    reset = rules.reuse_reset_round
    if reset is None:
        return [numbers] if numbers else []
    parts = tuple(n for n in numbers if n < reset), tuple(n for n in numbers if n >= reset)
    return [part for part in parts if part]


def _times(limit: int) -> str:
    return "once each" if limit == 1 else f"{limit} times each"


def _of_locks(rules: Rules, pool: Pool) -> Iterator[str]:
    rounds = Round.objects.filter(
        competition_id=pool.competition_id, number__range=(pool.first_round_number, pool.last_round_number)
    )
    if rules.lock == LockPolicy.GAME:
        fixed = rounds.filter(fixed_locks_at__isnull=False).order_by("number").values_list("number", flat=True)
        if fixed:
            yield f"With lock=game the fixed lock of round {shown(list(fixed))} fixes no pick."
    needs_favourites = MissedPick.FAVOURITE in (rules.missed_pick, rules.missed_pick_then)
    if needs_favourites and not Game.objects.filter(round__in=rounds, home_spread__isnull=False).exists():
        yield "No game of the pool has a spread: as long as none has, there are no favourites to fill in."
    closes_at, locks_at = pool.registration_closes_at, first_lock_at(pool)
    if rules.late_entry_until == pool.first_round_number:
        yield f"late_entry_until={rules.late_entry_until} is the pool's first round: nobody comes in late."
    elif rules.late_entry_until is not None and closes_at is not None and (locks_at is None or closes_at <= locks_at):
        yield f"Registration closes at {closes_at:%Y-%m-%d %H:%M} UTC, before the first lock: nobody comes in late."


def _of_money(rules: Rules, pool: Pool) -> Iterator[str]:
    is_free = not pool.entry_fee_cents and not rules.buy_back_fee_cents
    if is_free and rules.payout == Payout.TABLE:
        yield "The pool is free: payout=table shares out nothing."
    if is_free and rules.house_fee_bp:
        yield "The pool is free: house_fee_bp takes nothing."
    elif rules.house_fee_bp == WHOLE_POT:
        yield "The house keeps every fee whole: nothing is left to win."
