"""The rules of a pool as sentences: what a player reads before joining, and what settlement does, nothing else.

One function per topic, one sentence per statement; a sentence stands only where it applies. Money and the end of the
pool are in `words_of_prizes`.
"""

from collections.abc import Iterator, Sequence

from pools.models import CancelledGame, LockPolicy, MissedPick, Pool, Rules, TieRule
from pools.services.rules.words_of_prizes import entering, prizes, the_end

COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first",
)  # fmt: skip
VOID = "void: it costs nothing, and the team is not used up"


def sentences(rules: Rules, pool: Pool) -> list[str]:
    """All of the rules in words, in the order of play, the version last. Asks the database nothing."""
    topics = (
        _picks(rules, pool),
        _lock(rules),
        _result(rules),
        _strikes(rules),
        _missed(rules),
        _teams(rules, pool),
        entering(rules, pool),
        the_end(rules, pool),
        prizes(rules, pool),
        _changes(rules, pool),
    )
    return [sentence for topic in topics for sentence in topic]


def changed_sentences(before: Rules, after: Rules, pool: Pool) -> tuple[list[str], list[str]]:
    """The sentences that a later version takes away, and those that it brings; not the one that names the version."""
    old, new = sentences(before, pool)[:-1], sentences(after, pool)[:-1]
    return [sentence for sentence in old if sentence not in new], [sentence for sentence in new if sentence not in old]


def asks_for_two(rules: Rules) -> bool:
    """Whether any round asks for two teams."""
    return rules.picks_per_round > 1 or bool(rules.two_pick_rounds)


def rounds_in_words(numbers: Sequence[int]) -> str:
    """`round 3`, `rounds 3 and 5`, `rounds 3, 5 and 7`."""
    *most, last = [str(number) for number in numbers]
    return f"rounds {', '.join(most)} and {last}" if most else f"round {last}"


def _picks(rules: Rules, pool: Pool) -> Iterator[str]:
    first, last = pool.first_round_number, pool.last_round_number
    played = f"round {first} alone" if first == last else f"rounds {first} to {last}"
    two = "two different teams, and both must win"
    yield f"The pool plays {played}."
    if rules.picks_per_round > 1:
        yield f"In every round, an entry picks {two}."
    else:
        yield "In every round, an entry picks one team to win."
    if rules.two_pick_rounds:
        yield f"In {rounds_in_words(rules.two_pick_rounds)} it picks {two}."
    if asks_for_two(rules):
        yield "A round costs an entry at most one loss, however many of its picks are lost or missing."


def _lock(rules: Rules) -> Iterator[str]:
    if rules.lock == LockPolicy.ROUND:
        yield (
            "Every pick of a round is fixed from the round's lock on: its first kickoff, or its own fixed time where"
            " that is earlier. Once passed, a lock never moves later."
        )
        yield "Until a round has locked, nobody but you sees what you picked for it."
        return
    yield (
        "A pick is fixed from the kickoff of its own game on; until then it may move to another game of the round that"
        " has not started. A fixed lock of the round does not fix picks."
    )
    yield "A pick whose game has left the round is fixed once every game of the round has started."
    yield "Until a pick is fixed, nobody but you sees it."


def _result(rules: Rules) -> Iterator[str]:
    yield "A pick is won when the final score has more points for its team than for the other side, lost when fewer."
    yield {
        TieRule.LOSS: "A tie is a loss.",
        TieRule.WIN: "A tie counts as won.",
        TieRule.VOID: f"A tie makes the pick {VOID}.",
    }[TieRule(rules.tie)]
    unplayed = "A pick whose game is cancelled, postponed, or moved to another round"
    before = "before the pick is fixed" if rules.lock == LockPolicy.GAME else "before the round's lock"
    yield {
        CancelledGame.LOSS: f"{unplayed}, is a loss.",
        CancelledGame.WIN: f"{unplayed}, counts as won.",
        CancelledGame.VOID: f"{unplayed}, is {VOID}.",
        CancelledGame.REPICK: (
            f"{unplayed}, is taken back when that is known {before}; the player is told and may pick again. Known"
            f" later, the pick is {VOID}."
        ),
    }[CancelledGame(rules.cancelled_game)]


def _strikes(rules: Rules) -> Iterator[str]:
    count = rules.strikes
    if not count:
        yield "The first loss eliminates an entry."
    else:
        losses = "loss (a strike)" if count == 1 else "losses (strikes)"
        yield f"An entry survives {COUNTS[count]} {losses}; the {ORDINALS[count]} eliminates it."
    yield "What an eliminated entry picked for later rounds counts for nothing."


def _missed(rules: Rules) -> Iterator[str]:
    pick = "a pick" if asks_for_two(rules) else "its pick"
    closed = "once the round has locked"
    if rules.lock == LockPolicy.GAME:
        closed = "once the last game of the round has started"
    lacking = f"An entry that lacks {pick} {closed}"
    consequence = _consequence(rules, rules.missed_pick)
    if consequence:
        yield f"{lacking} {consequence}."
    else:
        yield from _filled_in(rules, pick)
    yield "Missing picks count from the first game of the round that is over, cancelled or postponed."


def _consequence(rules: Rules, policy: str) -> str:
    """What a missing pick does to its entry; empty where it is filled in instead."""
    if policy == MissedPick.ELIMINATE:
        return "is eliminated, whatever strikes it has left" if rules.strikes else "is eliminated"
    if policy == MissedPick.STRIKE:
        if not rules.strikes:
            return "has a loss, which eliminates it"
        return "has a loss like any other, one for the round"
    return ""


def _filled_in(rules: Rules, pick: str) -> Iterator[str]:
    allowed = "whose game had not started at the lock and that it may still use"
    if asks_for_two(rules):
        allowed += ", never the other side of its other pick"
    lock = "its first kickoff" if rules.lock == LockPolicy.GAME else "its lock"
    gets = f"When the round has reached {lock}, an entry that lacks {pick} gets"
    is_list = rules.missed_pick == MissedPick.FALLBACK
    with_favourites = MissedPick.FAVOURITE in (rules.missed_pick, rules.missed_pick_then)
    if is_list:
        yield f"{gets} the first team of its player's own fallback list {allowed}."
    if with_favourites:
        begins = "Where the list has none left, it gets" if is_list else gets
        yield f"{begins} the team favoured by the most points, of those {allowed}."
        yield (
            "Of teams favoured alike, the one with the earlier kickoff is taken, then that of the game listed first. A"
            " game without a spread, or with an even one, has no favourite."
        )
    yield f"Where nothing is left to fill in, it {_in_the_end(rules)}."
    if rules.lock == LockPolicy.GAME:
        yield "A pick filled in may still move to another game that has not started."
    yield "A pick that was filled in is marked as such."


def _in_the_end(rules: Rules) -> str:
    then = rules.missed_pick_then if rules.missed_pick == MissedPick.FALLBACK else MissedPick.ELIMINATE
    return _consequence(rules, then) or _consequence(rules, MissedPick.ELIMINATE)


def _teams(rules: Rules, pool: Pool) -> Iterator[str]:
    limit = rules.reuse_limit
    once = "once" if limit == 1 else f"{COUNTS[limit] if limit < len(COUNTS) else limit} times"
    yield f"An entry may use the same team {once}."
    if rules.reuse_reset_round is not None:
        yield f"From round {rules.reuse_reset_round} on the count starts again: every team may be used {once} more."
    if asks_for_two(rules):
        yield "Never the same team twice in one round."
    if pool.max_entries_per_user > 1:
        yield "Two entries of one player may use the same team."
    yield "A team can be picked while its game of the round has not started and is neither cancelled nor postponed."
    yield "What counts is how things stand when a pick is saved: a result corrected later takes no pick away."


def _changes(rules: Rules, pool: Pool) -> Iterator[str]:
    yield (
        "Staff may rule on a game, on a pick, on a disqualification or on bringing an entry back: two different people,"
        " with a reason that every player of the pool can read."
    )
    yield (
        f"The rules freeze when round {pool.first_round_number} locks. A change is a new version, proposed by one"
        " member of staff and confirmed by another; it governs only rounds that have not locked, and every player of"
        " the pool is told."
    )
    yield f"This is version {rules.version}; it governs from round {rules.effective_round_number} on."
