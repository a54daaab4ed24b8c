"""Why one entry is out, in one sentence that quotes the rules which governed the round."""

from pools.models import MissedPick, Rules
from pools.services.rules.words import COUNTS

NO_PICK, TIEBREAK = "no_pick", "tiebreak"


def elimination_sentence(*, code: str, round_number: int, rules: Rules) -> str:
    """The sentence of an `eliminated_code` of entries: what happened in the round, and the rule that made it the end.

    `rules` is the version that governed the round. Raises KeyError for a code that nobody knows.
    """
    asked = 2 if round_number in rules.two_pick_rounds else rules.picks_per_round
    happened, decides = _happened(code, rules, asked), _decides(code, rules)
    return f"Round {round_number}: {happened}{decides} (rules, version {rules.version})."


def _happened(code: str, rules: Rules, asked: int) -> str:
    pick = "the pick" if asked == 1 else "one of its picks"
    return {
        "pick_lost": f"{pick} lost",
        "pick_tied": f"{pick} tied, and a tie is a loss",
        "game_cancelled": f"the game of {pick} was not played in its round, which is a loss",
        NO_PICK: _missing(rules, asked),
        TIEBREAK: "it was still in, but another entry had a higher margin",
    }[code]


def _missing(rules: Rules, asked: int) -> str:
    missing = "no pick was made" if asked == 1 else "a pick was missing"
    if rules.missed_pick == MissedPick.FAVOURITE:
        return f"{missing}, and no favourite was left to fill in"
    if rules.missed_pick == MissedPick.FALLBACK:
        with_favourites = rules.missed_pick_then == MissedPick.FAVOURITE
        used_up = "fallback list and favourites were" if with_favourites else "the fallback list was"
        return f"{missing}, and {used_up} used up"
    return missing


def _decides(code: str, rules: Rules) -> str:
    """Why that was the end: at once, or because no strike was left."""
    if code == TIEBREAK:
        return ""
    if code == NO_PICK and eliminates_at_once(rules):
        return "; a missing pick eliminates whatever strikes are left" if rules.strikes else "; that eliminates"
    if not rules.strikes:
        return "; the first loss eliminates"
    losses = "one loss is" if rules.strikes == 1 else f"{COUNTS[rules.strikes]} losses are"
    return f"; {losses} survived, and this was one more"


def eliminates_at_once(rules: Rules) -> bool:
    """Whether a missing pick is the end, however many strikes are left."""
    policy = rules.missed_pick_then if rules.missed_pick == MissedPick.FALLBACK else rules.missed_pick
    return policy != MissedPick.STRIKE
