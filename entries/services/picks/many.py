"""Saving many picks of one player at once: in as many statements as for one, where each entry is asked for once.

What is neither refused nor simple goes the way of a single pick, in the same transaction: two teams, an entry that is
asked for twice (what the first one does decides about the second), a pool where each game locks for itself. So does
everything once a guard has refused one of them: then things have changed since they were looked at, and each is told
for itself.
"""

from collections import Counter
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts.models import User
from config.errors import Code, DomainError, NotFound
from entries.models import Entry
from entries.services.picks.facts import RoundFacts, TeamFacts, gather_many
from entries.services.picks.saving import SavedPick, Wish, check, save_pick
from entries.services.picks.writing import write_many
from pools.models import LockPolicy

Answers = dict[int, SavedPick | DomainError]


def save_picks(*, user: User, wishes: Sequence[Wish], atomic: bool) -> list[SavedPick | DomainError]:
    """Save several picks of one player in one transaction, each with its own answer, in the order asked.

    With `atomic`, the first refusal, in the order of entries and rounds, undoes and raises; otherwise a refused pick
    leaves the others standing. Refused as `save_pick` refuses.
    """
    order = sorted(range(len(wishes)), key=lambda i: (wishes[i].entry_id, wishes[i].round_number))
    times = Counter(wish.entry_id for wish in wishes)
    alone = [i for i in order if times[wishes[i].entry_id] == 1 and len(wishes[i].teams) == 1]
    with transaction.atomic():
        _lock(user, wishes)
        answers = _save_together(user, wishes, alone)
        for index in order:
            answer = answers.get(index) or _save_alone(user, wishes[index])
            if atomic and isinstance(answer, DomainError):
                raise answer
            answers[index] = answer
    return [answers[index] for index in range(len(wishes))]


def _lock(user: User, wishes: Sequence[Wish]) -> None:
    """In the order of the entries' ids, whoever asks and in whatever order: two bulk saves cannot deadlock."""
    own = Entry.objects.of(user.pk).filter(pk__in={wish.entry_id for wish in wishes})
    list(own.order_by("pk").locked().values_list("pk"))


def _save_alone(user: User, wish: Wish) -> SavedPick | DomainError:
    try:
        return save_pick(entry_id=wish.entry_id, user=user, round_number=wish.round_number, teams=wish.teams)
    except DomainError as refusal:
        return refusal


def _save_together(user: User, wishes: Sequence[Wish], indexes: Sequence[int]) -> Answers:
    """What became of those that can be judged and written together; the others are not in it."""
    if not indexes:
        return {}
    asked = [(wishes[i].entry_id, wishes[i].round_number, wishes[i].teams[0]) for i in indexes]
    try:
        with transaction.atomic():
            found = gather_many(user_id=user.pk, asked=asked)
            answers: Answers = {i: refusal for i in indexes if (refusal := _refusal(wishes[i], found)) is not None}
            simple = {i: found[wishes[i].entry_id] for i in indexes if i not in answers}
            simple = {i: facts for i, facts in simple.items() if _is_simple(*facts)}
            return answers | _written(user, wishes, simple)
    except IntegrityError:
        return {}


def _refusal(wish: Wish, found: dict[int, tuple[RoundFacts, TeamFacts]]) -> DomainError | None:
    if wish.entry_id not in found:
        return NotFound(Code.NOT_FOUND, "There is no such entry.")
    facts, team = found[wish.entry_id]
    try:
        check(facts, [team], entry_id=wish.entry_id, round_number=wish.round_number)
    except DomainError as refusal:
        return refusal
    return None


def _is_simple(facts: RoundFacts, team: TeamFacts) -> bool:
    """What nearly every pick is: one team, under the round's own lock."""
    return facts.asked == 1 and facts.lock == LockPolicy.ROUND and team.is_playable and not facts.has_more


def _written(user: User, wishes: Sequence[Wish], simple: dict[int, tuple[RoundFacts, TeamFacts]]) -> Answers:
    if not simple:
        return {}
    rows = write_many({wishes[i].entry_id: facts for i, facts in simple.items()}, user_id=user.pk)
    return {
        i: SavedPick(wishes[i].entry_id, wishes[i].round_number, team.code, *rows[wishes[i].entry_id])
        for i, (_, team) in simple.items()
        if wishes[i].entry_id in rows
    }
