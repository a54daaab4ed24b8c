"""Rulings to read: which ones a pool's players see, what each says in a sentence, and whom it concerns."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTransform

from config.phrases import Name, Phrase, phrase
from entries.models import Entry, EntryStatus, PickChange, Ruling, RulingKind, RulingStatus
from pools.models import Game, Pool, PoolStatus, Round

# Pools that something was or can be settled in.
GRADED = (PoolStatus.OPEN, PoolStatus.RUNNING, PoolStatus.FINISHED)


def rulings_in_full() -> QuerySet[Ruling]:
    """With what their sentences name, and whether they were reversed; how things stood before stays where it is.

    `before` may hold picks that nobody but their owner may see.
    """
    reversals = Ruling.objects.filter(reverses=OuterRef("pk"), status=RulingStatus.CONFIRMED)
    return (
        Ruling.objects.select_related(
            "competition", "pool", "proposed_by", "decided_by", "game__home", "game__away", "entry__user",
            "entry__pool", "reverses__game__home", "reverses__game__away", "reverses__entry__user",
        )
        .defer("before", "reverses__before", "reverses__difference")
        .annotate(is_reversed=Exists(reversals), reversed_by=reversals.values("pk")[:1])
    )  # fmt: skip


def rulings_of_pool(pool: Pool) -> QuerySet[Ruling]:
    """The confirmed ones that concern the pool: its own, and those about games of the rounds that it plays.

    `here` is what each changed in this pool, in numbers.
    """
    span = (pool.first_round_number, pool.last_round_number)
    plays = Q(details__round__gte=span[0], details__round__lte=span[1])
    plays |= Q(details__to_round__gte=span[0], details__to_round__lte=span[1])
    everywhere = Q(plays, pool__isnull=True, competition_id=pool.competition_id)
    return (
        rulings_in_full()
        .defer("before", "difference", "reverses__before", "reverses__difference")
        .filter(Q(pool=pool) | everywhere, status=RulingStatus.CONFIRMED)
        .annotate(here=KeyTransform(str(pool.pk), KeyTransform("pools", "difference")))
    )


def pools_concerned(ruling: Ruling) -> QuerySet[Pool]:
    """The pools whose entries the ruling can touch."""
    if ruling.pool_id is not None:
        return Pool.objects.filter(pk=ruling.pool_id)
    plays = Q()
    for number in rounds_concerned(ruling.details):
        plays |= Q(first_round_number__lte=number, last_round_number__gte=number)
    return Pool.objects.filter(plays, competition_id=ruling.competition_id, status__in=GRADED)


def rounds_concerned(details: Mapping[str, Any]) -> list[int]:
    """The round that a ruling is about, and the one it moves a game to."""
    return [details[key] for key in ("round", "to_round") if details.get(key) is not None]


def has_entry_in(pools: QuerySet[Pool], people: Iterable[int]) -> bool:
    """Whether one of these people plays in one of these pools."""
    return Entry.objects.filter(pool__in=pools, user_id__in=people).exclude(status=EntryStatus.VOID).exists()


def rounds_given_way(ruling: Ruling) -> list[int]:
    """Rounds ahead whose pick was taken back because the ruling used its team. For the entry's owner alone."""
    gone = PickChange.objects.filter(Q(entry_id=ruling.entry_id), ruling_id=ruling.pk, to_team_id=None)
    ahead = Round.objects.filter(pk__in=gone.values("round_id")).exclude(number=ruling.details.get("round"))
    return list(ahead.order_by("number").values_list("number", flat=True))


def sentence_of(ruling: Ruling) -> Phrase:
    """What was decided, in a sentence."""
    match ruling.kind:
        case RulingKind.GAME:
            return _about_game(ruling)
        case RulingKind.PICK:
            return _about_pick(ruling)
        case RulingKind.DISQUALIFY:
            return phrase("{entry} is disqualified. Its picks and its fee stay.", entry=name_of(ruling.entry))
        case RulingKind.REINSTATE:
            details = ruling.details
            return phrase(
                "{entry} is reinstated: what put it out in round {round} does not count, and it plays again from round"
                " {resumes}.",
                entry=name_of(ruling.entry),
                round=details["from"],
                resumes=details["resumes"],
            )
        case _:
            assert ruling.reverses is not None
            said = sentence_of(ruling.reverses)
            return phrase("Ruling {ruling} is reversed. It said: {said}", ruling=ruling.reverses_id, said=said)


def name_of(entry: Entry | None) -> Phrase:
    """An entry as the standings show it."""
    assert entry is not None
    return phrase("Entry {number} of {player}", number=entry.number, player=entry.user.display_name)


def title_of(game: Game | None) -> Phrase:
    """Who plays whom."""
    assert game is not None
    return phrase("{away} at {home}", away=game.away.code, home=game.home.code)


def _about_game(ruling: Ruling) -> Phrase:
    details = ruling.details
    facts = {"game": title_of(ruling.game), "round": details["round"]}
    match details["verdict"]:
        case "not_played":
            return phrase(
                "{game} in round {round} counts as not played: it is {status}. Each pool's rules say what its picks are"
                " worth.",
                status=Name(details["status"]),
                **facts,
            )
        case "stands":
            return phrase(
                "{game} in round {round} stands in its round and counts with its result, whenever that comes.", **facts
            )
        case "moved":
            return phrase(
                "{game} in round {round} is moved to round {to_round}, and counts as not played in this one.",
                to_round=details["to_round"],
                **facts,
            )
        case _:
            return phrase(
                "{game} in round {round} ended {home}-{away}, home side first.",
                home=details["home_score"],
                away=details["away_score"],
                **facts,
            )


def _about_pick(ruling: Ruling) -> Phrase:
    details, entry = ruling.details, name_of(ruling.entry)
    teams = details["teams"]
    if not teams:
        return phrase("{entry} has no pick in round {round}.", entry=entry, round=details["round"])
    if len(teams) == 1:
        return phrase("{entry} picked {team} in round {round}.", entry=entry, team=teams[0], round=details["round"])
    return phrase(
        "{entry} picked {teams} and {team} in round {round}.",
        entry=entry,
        teams=", ".join(teams[:-1]),
        team=teams[-1],
        round=details["round"],
    )
