"""Where a round of a pool stands, in numbers: all from tallies, however many entries there are."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from config.errors import Code, NotFound
from entries.queries.grades import ASKED_SQL, CLOSED_SQL, CLOSES_AT_SQL, PICKABLE_SQL, RULES_SQL
from entries.queries.reveal import is_revealed
from entries.queries.rounds import Spread, distribution
from entries.queries.tallies import PICKED, SITTING_OUT
from pools.models import EventKind, Pool, PoolEvent, Round
from pools.queries import rounds_of
from pools.queries.game_desk import TO_COME
from pools.queries.rounds import unlocked

TOLD, LOOKED_BACK = 8, 60

NUMBERS = f"""
    SELECT {ASKED_SQL}, {CLOSES_AT_SQL}, {CLOSED_SQL}, clock_timestamp(), {PICKABLE_SQL},
        coalesce((SELECT sum(entries) FROM entries_entrytally t WHERE t.pool_id = p.id AND t.status <> 'void'
                  AND t.first_round_number <= r.number
                  AND (t.eliminated_round_number = 0 OR t.eliminated_round_number >= r.number)), 0)::bigint
            - (SELECT count(*) FROM ({SITTING_OUT}) o),
        coalesce((SELECT sum(picks) FROM ({PICKED}) k WHERE k.slot = {ASKED_SQL}), 0)::bigint,
        coalesce((SELECT sum(entries) FROM entries_entrytally t WHERE t.pool_id = p.id
                  AND t.eliminated_round_number = r.number AND t.status = 'eliminated'), 0)::bigint
    FROM pools_pool p JOIN pools_round r ON r.id = %(round)s
    {RULES_SQL}
    WHERE p.id = %(pool)s
"""


class Phase(TextChoices):
    """`open`: nothing is revealed. `partly`: some games have begun, others can still be picked. `locked`: none can."""

    OPEN = "open", _("Picks are open")
    PARTLY = "partly", _("Some games have begun")
    LOCKED = "locked", _("Locked, in play")
    DECIDED = "decided", _("All games are decided")


@dataclass(frozen=True, slots=True)
class Room:
    """A round as one pool plays it. `picked` have all the picks that the round asks for; `out` fell in it."""

    pool: Pool
    round: Round
    phase: Phase
    asked: int
    closes_at: datetime | None
    now: datetime
    has_games_to_pick: bool
    playing: int
    picked: int
    out: int

    @property
    def missing(self) -> int:
        """Entries without all of their picks."""
        return max(self.playing - self.picked, 0)

    @property
    def left(self) -> int:
        """Entries that the round has not put out, so far."""
        return max(self.playing - self.out, 0)

    @property
    def is_secret(self) -> bool:
        """Whether no pick of it may be shown."""
        return self.phase == Phase.OPEN

    @property
    def can_be_picked(self) -> bool:
        """Whether somebody without a pick can still make one."""
        return self.phase in (Phase.OPEN, Phase.PARTLY) and self.closes_at is not None and self.closes_at > self.now

    @property
    def can_be_reminded_of(self) -> bool:
        """The same, and not every game is off."""
        return self.can_be_picked and self.has_games_to_pick


def room_of(pool: Pool, number: int) -> Room:
    """The round of this number. Refuses one that the pool does not play, or that comes after its end."""
    round_ = rounds_of(pool).filter(number=number).select_related("competition").first()
    if round_ is None or number > (pool.ended_round_number or number):
        raise NotFound(Code.NOT_FOUND, "The pool plays no such round.")
    revealed = is_revealed(round_)
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"pool": pool.pk, "round": round_.pk, "rounds": [round_.pk]})
        asked, closes_at, is_closed, now, *numbers = cursor.fetchone()
    return Room(pool, round_, _phase(round_, revealed, is_closed), asked, closes_at, now, *numbers)


def round_to_look_at(pool: Pool, now: datetime) -> int | None:
    """The first round that has locked and is not decided, else the one to pick for, else the last; None without any."""
    rounds = rounds_of(pool).filter(number__lte=pool.ended_round_number or pool.last_round_number)
    undecided = rounds.filter(locks_at__lte=now, games__status__in=TO_COME)
    found = undecided.first() or rounds.filter(unlocked(now)).first() or rounds.last()
    return None if found is None else found.number


def spread_of(room: Room) -> list[Spread]:
    """How what may be shown of the picks was spread; nothing as long as they are secret."""
    return [] if room.is_secret else distribution(room.pool, room.round)


@dataclass(frozen=True, slots=True)
class Fell:
    """What a settlement told of the round: so many fell, or are back."""

    at: datetime
    count: int
    is_back: bool
    reasons: dict[str, int]


def told_of(room: Room) -> list[Fell]:
    """The latest of who fell or came back in the round, the newest first."""
    events = PoolEvent.objects.filter(pool=room.pool, number__isnull=False).order_by("-number")[:LOOKED_BACK]
    kinds = (EventKind.ENTRIES_ELIMINATED, EventKind.ENTRIES_REVIVED)
    found = [
        Fell(event.at, event.data["count"], event.kind == EventKind.ENTRIES_REVIVED, event.data["reasons"])
        for event in events
        if event.kind in kinds and event.data["round"] == room.round.number and event.at is not None
    ]
    return found[:TOLD]


def _phase(round_: Round, is_revealed: bool, is_closed: bool) -> Phase:
    if not is_revealed:
        return Phase.OPEN
    if not is_closed:
        return Phase.PARTLY
    undecided = round_.games.filter(status__in=TO_COME).exists()
    return Phase.LOCKED if undecided else Phase.DECIDED
