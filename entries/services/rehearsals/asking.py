"""Asking for a rehearsal: what is wanted is checked, written down, and left to a worker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Q

from accounts.models import User
from config import outbox
from config.errors import Code, Conflict, Forbidden, Malformed, invalid
from config.locks import advisory_lock
from config.phrases import Faults, phrase
from entries.models import Entry, PickOrigin, Rehearsal, RehearsalState
from entries.services.imports.rows import Row
from entries.services.rehearsals.files import FilePicks, read_picks
from entries.services.rehearsals.pickers import WAYS
from entries.services.rehearsals.playing import calendar_of
from entries.services.rehearsals.rule_sets import RuleSet, Stakes, rule_set
from pools.models import Competition, GameStatus, Pool, PoolStatus

MAY_REHEARSE = "pools.add_pool"
RUN = "rehearsal.run"
MOST_ENTRIES = 10_000
MOST_ROUNDS = 60
LARGEST_SEED = 2**53
# Of one person at a time.
MOST_WAITING = 5
USUAL_MIX = {"favourites": 55, "chance": 20, "contrarian": 20, "forgetful": 5}
DECIDED = (GameStatus.FINAL, GameStatus.CANCELLED, GameStatus.POSTPONED)
# By these, what is filled in for a missed pick is the same: which picks count for nothing says which teams are left.
FILLS_IN = (
    "missed_pick", "missed_pick_then", "reuse_limit", "reuse_reset_round", "picks_per_round", "two_pick_rounds", "tie",
    "cancelled_game",
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What somebody wants to see. `rules` are one or two of `template:<key>`, `pool:<id>`; `mix` is in hundredths.

    With the picks of a pool its own entries, fees and rounds are played, and what is said of them here is not.
    """

    competition: Competition
    rules: Sequence[str]
    first: int | None = None
    last: int | None = None
    origin: str = PickOrigin.MADE_UP
    pool: Pool | None = None
    rows: Iterable[Row] | None = None
    again: Rehearsal | None = None
    entries: int = 1_000
    fee_cents: int = 0
    currency: str = "usd"
    seed: int = 1
    mix: Mapping[str, int] = field(default_factory=lambda: dict(USUAL_MIX))
    goes_on: bool = True


def looked_at(wish: Wish) -> tuple[Stakes, list[RuleSet]]:
    """The stakes with the rounds that would be played, and the rules as players would read them.

    Refuses rounds that are not all decided, rules that such a pool cannot have, two times the same rules, and picks of
    a pool that is not over or of another competition.
    """
    if wish.origin == PickOrigin.POOL:
        wish = _as_the_pool(wish)
    if not 1 <= len(wish.rules) <= 2:
        raise invalid("rules", "One or two rule sets.")
    stakes = Stakes(wish.competition, wish.first, wish.last, wish.fee_cents, wish.currency)
    sets = [rule_set(origin, stakes, field=name) for origin, name in zip(wish.rules, ("rules", "other"), strict=False)]
    if len(sets) > 1 and sets[0].kept()["switches"] == sets[1].kept()["switches"]:
        raise invalid("other", "These are the same rules: there is nothing to compare.")
    first, last = sets[0].pool.first_round_number, sets[0].pool.last_round_number
    _check_decided(wish.competition, first, last)
    return Stakes(wish.competition, first, last, wish.fee_cents, sets[0].pool.currency), sets


@transaction.atomic
def ask_rehearsal(*, wish: Wish, by: User) -> Rehearsal:
    """Write down a rehearsal, for a worker to play.

    Refuses who may not make pools, what `looked_at` refuses, more than `MOST_ENTRIES` entries, a mix that is not a
    hundred, a file that cannot be read, and more than `MOST_WAITING` of one person at a time.
    """
    if not by.has_perm(MAY_REHEARSE):
        raise Forbidden(Code.FORBIDDEN, "Whoever may make pools may rehearse them.")
    _check_numbers(wish)
    stakes, sets = looked_at(wish)
    advisory_lock("rehearsals of", by.pk)
    _check_patience(by)
    file = _file_of(wish, stakes)
    rehearsal = Rehearsal.objects.create(
        competition=wish.competition, first_round_number=sets[0].pool.first_round_number,
        last_round_number=sets[0].pool.last_round_number,
        rule_sets=_kept(wish, sets), origin=wish.origin,
        pool=wish.pool if wish.origin == PickOrigin.POOL else None,
        file_picks=None if file is None else file.entries, left_out={} if file is None else file.faults(),
        entries=_entries(wish, file), fee_cents=stakes.fee_cents, currency=stakes.currency, seed=wish.seed,
        mix=dict(wish.mix), goes_on=wish.goes_on, by=by,
    )  # fmt: skip
    outbox.post(kind=RUN, key=f"rehearsal-{rehearsal.pk}-{uuid4()}", payload={"rehearsal": rehearsal.pk})
    rehearsal.refresh_from_db()
    return rehearsal


def _as_the_pool(wish: Wish) -> Wish:
    """With the pool's own money and rounds. Its picks are nobody's secret once it is over."""
    pool = wish.pool
    if pool is None:
        raise invalid("pool", "Choose the pool whose picks are played.")
    if pool.status != PoolStatus.FINISHED:
        raise invalid("pool", "Its picks are secret until the pool has finished.")
    if pool.competition_id != wish.competition.pk:
        raise invalid("pool", "It does not play this competition.")
    if (wish.first or pool.first_round_number, wish.last or pool.last_round_number) != (
        pool.first_round_number, pool.last_round_number,
    ):  # fmt: skip
        raise invalid("first", "The picks of a pool are played over the rounds of that pool: leave the rounds empty.")
    return replace(
        wish, first=pool.first_round_number, last=pool.last_round_number, fee_cents=pool.entry_fee_cents,
        currency=pool.currency,
    )  # fmt: skip


def _check_decided(competition: Competition, first: int, last: int) -> None:
    if last - first >= MOST_ROUNDS:
        raise invalid("last", phrase("At most {most} rounds.", most=MOST_ROUNDS))
    open_rounds = (
        competition.rounds.filter(number__range=(first, last))
        .annotate(undecided=Count("games", filter=~Q(games__status__in=DECIDED)))
        .filter(Q(undecided__gt=0) | Q(locks_at__isnull=True))
        .order_by("number")
        .values_list("number", flat=True)
    )
    waiting = list(open_rounds[:1])
    if waiting:
        raise invalid(
            "competition", phrase("Round {round} is not over: all of its games need a result.", round=waiting[0])
        )


def _check_numbers(wish: Wish) -> None:
    faults: dict[str, Sequence[str]] = {}
    if not 1 <= wish.entries <= MOST_ENTRIES:
        faults["entries"] = [phrase("Must be from {low} to {high}.", low=1, high=MOST_ENTRIES)]
    if not 0 <= wish.seed <= LARGEST_SEED:
        faults["seed"] = [phrase("Must be from {low} to {high}.", low=0, high=LARGEST_SEED)]
    shares = [wish.mix.get(way, 0) for way in WAYS]
    if set(wish.mix) - set(WAYS) or min(shares) < 0 or sum(shares) != 100:
        faults["mix"] = [phrase("The shares must add up to 100; these are {total}.", total=sum(shares))]
    if faults:
        raise Malformed(
            Code.VALIDATION_ERROR,
            phrase("The rehearsal is not possible. {faults}", faults=Faults(faults)),
            faults,
        )


def _check_patience(by: User) -> None:
    waiting = Rehearsal.objects.filter(by=by, status__in=(RehearsalState.QUEUED, RehearsalState.RUNNING))
    if waiting.count() >= MOST_WAITING:
        raise Conflict(
            Code.ALREADY_RUNNING,
            phrase("{most} of your rehearsals are waiting. Let them be played.", most=MOST_WAITING),
        )


def _file_of(wish: Wish, stakes: Stakes) -> FilePicks | None:
    if wish.origin != PickOrigin.FILE:
        return None
    if wish.rows is None:
        return _file_again(wish, stakes)
    rounds = range(stakes.first or 0, (stakes.last or 0) + 1)
    return read_picks(wish.rows, competition=wish.competition, rounds=rounds, calendar=calendar_of(wish.competition.pk))


def _file_again(wish: Wish, stakes: Stakes) -> FilePicks:
    """The picks that an earlier rehearsal of the same rounds has kept."""
    before = wish.again
    if (
        before is None
        or before.file_picks is None
        or (before.competition_id, before.first_round_number, before.last_round_number)
        != (wish.competition.pk, stakes.first, stakes.last)
    ):
        raise invalid("file", "Choose the file with the picks.")
    told = before.left_out or {}
    return FilePicks(before.file_picks, told.get("count", 0), told.get("lines", []))


def _entries(wish: Wish, file: FilePicks | None) -> int:
    count = wish.entries
    if file is not None:
        count = len(file.entries)
    elif wish.origin == PickOrigin.POOL:
        count = Entry.objects.filter(pool=wish.pool).count()
    if not 0 < count <= MOST_ENTRIES:
        name = "file" if file is not None else "pool"
        raise invalid(
            name,
            phrase("It has {count:,} entries; a rehearsal plays from 1 to {most:,}.", count=count, most=MOST_ENTRIES),
        )
    return count


def _kept(wish: Wish, sets: Sequence[RuleSet]) -> list[dict[str, object]]:
    """The rule sets; and, where the picks are a pool's, which of them fill in for missed picks as that pool did."""
    kept = [one.kept() for one in sets]
    if wish.origin == PickOrigin.POOL and wish.pool is not None:
        own = rule_set(f"pool:{wish.pool.pk}", _own_stakes(wish.pool), field="pool").kept()["switches"]
        for one in kept:
            one["fills_in_alike"] = all(one["switches"][key] == own[key] for key in FILLS_IN)
    return kept


def _own_stakes(pool: Pool) -> Stakes:
    return Stakes(
        pool.competition, pool.first_round_number, pool.last_round_number, pool.entry_fee_cents, pool.currency
    )
