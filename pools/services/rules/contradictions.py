"""Which rules cannot be meant: values that no switch has, and switches that contradict each other or the pool.

A switch that could decide nothing is refused like one that contradicts: whoever set it meant something else. What the
rule book gives a meaning to is never refused, however odd; `cautions` speaks of that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from config.errors import Code, Malformed
from config.money import charge_fault
from config.phrases import Faults as SaidFaults
from config.phrases import phrase
from pools.models import MissedPick, MissedPickThen, Payout, Pool, Round
from pools.services.rules.switches import SWITCHES, BadValue

Faults = dict[str, list[str]]
Contradiction = tuple[str, str]
WHOLE_POT = 10_000


@dataclass(frozen=True)
class Contest:
    """The rounds that a pool plays; without `numbers`, all from the first to the last, which may be unknown.

    And the currency of its fees; without it, they are not looked at.
    """

    first_round: int = 1
    last_round: int | None = None
    numbers: tuple[int, ...] = ()
    currency: str = ""

    def plays(self, number: int) -> bool:
        """Whether this round is one of the pool's."""
        if self.numbers:
            return number in self.numbers
        return number >= self.first_round and (self.last_round is None or number <= self.last_round)

    def rounds_before(self, number: int) -> int:
        """How many of its rounds come before this one."""
        if self.numbers:
            return sum(played < number for played in self.numbers)
        return number - self.first_round

    @property
    def length(self) -> int | None:
        """How many rounds it plays, where that is known."""
        if self.numbers:
            return len(self.numbers)
        return None if self.last_round is None else self.last_round - self.first_round + 1


def contest_of(pool: Pool) -> Contest:
    """The rounds that are there for the pool, and its currency."""
    first, last = pool.first_round_number, pool.last_round_number
    there = Round.objects.filter(competition_id=pool.competition_id, number__range=(first, last))
    return Contest(first, last, tuple(there.order_by("number").values_list("number", flat=True)), pool.currency)


def check_rules(
    values: Mapping[str, Any],
    *,
    first_round: int = 1,
    last_round: int | None = None,
    contest: Contest | None = None,
) -> dict[str, Any]:
    """All switches, the given ones read (text as from a command line is understood) and the others at their default.

    Raises VALIDATION_ERROR with `rules.<key>` → messages for an unknown switch, a bad value and a contradiction.
    """
    contest = contest or Contest(first_round, last_round)
    faults: Faults = {key: [f"Unknown. The switches are {', '.join(SWITCHES)}."] for key in values.keys() - SWITCHES}
    rules: dict[str, Any] = {}
    for key, switch in SWITCHES.items():
        try:
            # A copy: the default of a list must not be everybody's.
            rules[key] = switch.read(values.get(key, switch.default))
        except BadValue as bad:
            faults[key] = [bad.args[0]]
    if rules.keys() == SWITCHES.keys():
        rules["two_pick_rounds"].sort()
        for key, message in contradictions(rules, contest):
            faults.setdefault(key, []).append(message)
    if faults:
        raise refusal(faults)
    return rules


def refusal(faults: Mapping[str, Sequence[str]]) -> Malformed:
    """The error that tells all faults at once, each under `rules.<key>`."""
    details = {f"rules.{key}": list(messages) for key, messages in faults.items()}
    return Malformed(
        Code.VALIDATION_ERROR, phrase("The rules are not possible. {faults}", faults=SaidFaults(faults)), details
    )


def contradictions(rules: Mapping[str, Any], contest: Contest) -> Iterator[Contradiction]:
    """Each contradiction as the switch to blame and the reason, a sentence."""
    for key in ("late_entry_until", "buy_back_until", "reuse_reset_round"):
        if rules[key] is not None and not contest.plays(rules[key]):
            yield key, phrase("The pool does not play round {rounds}.", rounds=rules[key])
    yield from _of_picks(rules, contest)
    yield from _of_teams(rules, contest)
    yield from _of_coming_late(rules, contest)
    yield from _of_buying_back(rules, contest)
    yield from _of_payout(rules)


def _of_picks(rules: Mapping[str, Any], contest: Contest) -> Iterator[Contradiction]:
    if rules["missed_pick_then"] != MissedPickThen.ELIMINATE and rules["missed_pick"] != MissedPick.FALLBACK:
        yield "missed_pick_then", "Says what follows a fallback list, but missed_pick is not `fallback`."
    numbers = rules["two_pick_rounds"]
    strange = [number for number in dict.fromkeys(numbers) if not contest.plays(number)]
    if strange:
        yield "two_pick_rounds", phrase("The pool does not play round {rounds}.", rounds=", ".join(map(str, strange)))
    twice = [number for number in dict.fromkeys(numbers) if numbers.count(number) > 1]
    if twice:
        yield "two_pick_rounds", phrase("Names round {rounds} more than once.", rounds=", ".join(map(str, twice)))
    if numbers and rules["picks_per_round"] > 1:
        yield "two_pick_rounds", "Names rounds of two teams, but picks_per_round asks for two in every round already."


def _of_teams(rules: Mapping[str, Any], contest: Contest) -> Iterator[Contradiction]:
    reset = rules["reuse_reset_round"]
    if reset is None or not contest.plays(reset):
        return
    if not contest.rounds_before(reset):
        yield (
            "reuse_reset_round",
            phrase("The pool begins with round {round}: there is no count to start again.", round=reset),
        )
    elif contest.length is not None and rules["reuse_limit"] >= contest.length:
        unused = (
            "With reuse_limit {limit} no team is ever used up in {length} rounds: there is no count to start again."
        )
        yield "reuse_reset_round", phrase(unused, limit=rules["reuse_limit"], length=contest.length)


def _of_coming_late(rules: Mapping[str, Any], contest: Contest) -> Iterator[Contradiction]:
    until = rules["late_entry_until"]
    if not rules["late_entry_strikes"]:
        return
    if until is None:
        yield "late_entry_strikes", "Counts rounds missed by late entries, but late_entry_until is not given."
        return
    missed = contest.rounds_before(until)
    if contest.plays(until) and missed > rules["strikes"]:
        reason = phrase(
            "An entry that comes in round {round} would be out at once: it has missed {missed} rounds, "
            "and strikes is {strikes}.",
            round=until,
            missed=missed,
            strikes=rules["strikes"],
        )
        yield "late_entry_strikes", reason


def _of_buying_back(rules: Mapping[str, Any], contest: Contest) -> Iterator[Contradiction]:
    until = rules["buy_back_until"]
    if until is None:
        for key in ("buy_back_limit", "buy_back_fee_cents"):
            if rules[key]:
                yield key, "Is about buying back in, but buy_back_until is not given."
        return
    if not rules["buy_back_limit"]:
        yield "buy_back_limit", "Lets nobody buy back in, but buy_back_until is given; it must be at least 1."
    if contest.currency and (fault := charge_fault(rules["buy_back_fee_cents"], contest.currency)):
        yield "buy_back_fee_cents", fault
    if until == contest.last_round:
        yield (
            "buy_back_until",
            phrase("Round {round} is the last: whoever falls in it has no round left to come back for.", round=until),
        )


def _of_payout(rules: Mapping[str, Any]) -> Iterator[Contradiction]:
    table = rules["payout_table"]
    if (rules["payout"] == Payout.TABLE) != bool(table):
        yield "payout_table", "Comes with payout=table, and payout=table needs it."
    if table and sum(table) != WHOLE_POT:
        yield (
            "payout_table",
            phrase("The basis points must add up to {whole}; these are {sum}.", whole=WHOLE_POT, sum=sum(table)),
        )
    if any(later > earlier for earlier, later in pairwise(table)):
        yield "payout_table", "Pays a later rank more than an earlier one: whoever is ahead would have to lose."
