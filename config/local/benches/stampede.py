"""The deadline stampede: a crowd comes to one pool, at a rate of its own, and a lock falls while it does.

First a hundred a second for a minute, and five seconds more after the lock; then more and more, up past the point
where the server keeps up (the knee), and three times as many as that. Everything that was acknowledged is looked for
in the database afterwards, and everything that is there was decided before its lock.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.services.tokens import AccessToken
from config.clock import database_now
from config.local.benches.bigpools import Plan
from config.local.benches.crowd import Crowd, Done, Person
from config.local.benches.knee import draw
from config.local.benches.players import Player, players
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.saving import environment
from config.local.benches.scale import Pair, Scale
from config.local.benches.serving import free_port, percentile, running, wait_for_server
from config.local.supervisor.programs import web
from entries.models import PickChange
from pools.models import Pool, Round

ENTRIES, PEOPLE, SIGNERS = 25_017, 1_500, 40
PER_SECOND, SECONDS, AFTER = 100, 60.0, 5.0
P95_MS, P99_MS = 250.0, 1_000.0
# Then these, for so long each, until the server does not keep up any more; and three times the last that it did.
LEVELS = (200, 300, 400, 500, 600, 800, 1_000, 1_300, 1_600, 2_000)
LEVEL_SECONDS = 5.0
KEPT_UP = 0.98
PAST = 3
REFUSED_MS = 200.0
PASSWORD = "a long password for the crowd"
PICTURE = Path("docs/pictures/stampede.png")
BUSY = 503


@dataclass(frozen=True)
class Level:
    """What a rate came to: so many a second for so many seconds; served are those who got what they came for."""

    per_second: float
    seconds: float
    done: Sequence[Done]

    @property
    def served(self) -> list[Done]:
        return [one for one in self.done if one.is_served]

    @property
    def refused(self) -> list[Done]:
        return [one for one in self.done if one.status == BUSY]

    @property
    def served_per_second(self) -> float:
        """While they came: what is left over then, to be done when nobody comes any more, does not count."""
        return sum(one.ended <= self.seconds for one in self.served) / self.seconds

    @property
    def keeps_up(self) -> bool:
        return len(self.served) >= KEPT_UP * len(self.done) and self.p(95) <= P95_MS

    def p(self, share: int) -> float:
        """Milliseconds within which that share of a hundred was served."""
        return percentile([one.milliseconds for one in self.served], share)

    def __str__(self) -> str:
        times = "/".join(f"{self.p(share):.0f}" for share in (50, 95, 99))
        refused = f", {len(self.refused)} told to come again" if self.refused else ""
        return (
            f"  {self.per_second:.0f} a second: {self.served_per_second:.0f} served, {times} ms (p50/p95/p99){refused}"
        )


@dataclass(frozen=True)
class Stampede:
    """The minute before the lock, the levels after it, the last that was kept up with, and three times that."""

    lock: Level
    levels: Sequence[Level]
    knee: Level
    past: Level


_measured: WeakKeyDictionary[Runs, Stampede] = WeakKeyDictionary()


def p95(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds in which 95 of 100 are served at a hundred a second, and what that may take."""
    return Pair(_of(runs, scale).lock.p(95), P95_MS)


def p99(runs: Runs, scale: Scale) -> Pair:
    """The same of 99 of 100."""
    return Pair(_of(runs, scale).lock.p(99), P99_MS)


def past_the_knee(runs: Runs, scale: Scale) -> Pair:
    """Served a second at the knee, and at three times as many."""
    found = _of(runs, scale)
    return Pair(found.knee.served_per_second, found.past.served_per_second)


def refusals(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds in which 95 of 100 of the others are told to come again, and what that may take."""
    refused = [one.milliseconds for one in _of(runs, scale).past.refused]
    return Pair(percentile(refused, 95) if refused else 0.0, REFUSED_MS)


def _of(runs: Runs, scale: Scale) -> Stampede:
    if runs not in _measured:
        plan = Plan("stampede", entries=max(2 * PEOPLE, scale.entries(ENTRIES)), settled=True)
        with _served(runs, plan) as port:
            _measured[runs] = found = _measure(plan, port, min(1.0, max(scale.factor, 0.1)))
        if scale.factor >= 1:
            draw([(level.per_second, level.served_per_second, level.p(95)) for level in (found.lock, *found.levels)],
                 knee=found.knee.per_second, file=PICTURE)  # fmt: skip
    return _measured[runs]


def _measure(plan: Plan, port: int, factor: float) -> Stampede:
    people, signers, pool = _people(plan), _signers(), Pool.objects.values_list("pk", flat=True).get()

    def crowd(number: int, seed: int = 1) -> Crowd:
        sides = (0, 1) if number == 1 else (2, 3)
        return Crowd(port, pool, plan.round_number + number, sides, people, signers, seed)

    kept = Kept()
    _level(crowd(2), PER_SECOND / 2, 2.0, kept)
    seconds, short = SECONDS * factor, LEVEL_SECONDS * max(factor, 0.4)
    locks_at = database_now() + timedelta(seconds=seconds)
    Round.objects.filter(number=plan.round_number + 1).update(fixed_locks_at=locks_at)
    lock = _level(crowd(1), PER_SECOND, seconds + AFTER * factor, kept)
    _expect_no_error(lock.done)
    print(lock)
    levels: list[Level] = []
    for rate in LEVELS:
        levels.append(_level(crowd(2, rate), rate, short, kept))
        print(levels[-1], flush=True)
        if not levels[-1].keeps_up:
            break
    knee = next((level for level in reversed(levels) if level.keeps_up), lock)
    past = _level(crowd(2), PAST * knee.per_second, short, kept)
    _expect_no_error([one for one in past.done if one.status != BUSY])
    print(f"{past}\n  the knee: {knee.per_second:.0f} a second", flush=True)
    return Stampede(lock, [*levels, past], knee, past)


def _level(crowd: Crowd, per_second: float, seconds: float, kept: "Kept") -> Level:
    done = crowd.come(per_second, seconds)
    kept.expect(done)
    return Level(per_second, seconds, done)


class Kept:
    """What was acknowledged since it was made, and whether the database has it."""

    def __init__(self) -> None:
        self.since = PickChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        # Saved once; a second answer with the same nonce tells of the same pick.
        self.acknowledged = set[tuple[int, str]]()

    def expect(self, done: Sequence[Done]) -> None:
        """Whatever was acknowledged is in the history, once each, and nothing of a round is later than its lock."""
        self.acknowledged |= {(one.entry_id, one.nonce) for one in done if one.nonce}
        changes = PickChange.objects.filter(pk__gt=self.since)
        written = Counter(changes.values_list("entry_id", flat=True))
        if missing := sum((Counter(entry for entry, _ in self.acknowledged) - written).values()):
            raise Meaningless(f"{missing} picks were acknowledged and are missing")
        locks = dict(Round.objects.values_list("pk", "locks_at"))
        late = [number for number, at in changes.values_list("round_id", "at") if at >= locks[number]]
        if late:
            raise Meaningless(f"{len(late)} picks were accepted late")


def _expect_no_error(done: Sequence[Done]) -> None:
    """Who comes after the lock is told so; nobody else is refused anything."""
    if wrong := Counter((one.kind, one.status, one.code) for one in done if not one.is_served):
        raise Meaningless(f"the crowd was answered {dict(wrong)}")


def _people(plan: Plan) -> list[Person]:
    return [Person(one, one.access, one.refresh, _expired(one)) for one in players(plan, PEOPLE)]


def _expired(player: Player) -> str:
    """The same token, had it been made an hour ago."""
    token = AccessToken(player.access.encode())  # type: ignore[arg-type]  # annotated as a Token, documented as its text
    token.set_exp(from_time=token.current_time - timedelta(hours=1))
    return str(token)


def _signers() -> list[tuple[str, str]]:
    """People who have a password, all the same: to hash it is what takes time when they come."""
    chosen = list(User.objects.order_by("-pk").values_list("pk", flat=True)[:SIGNERS])
    User.objects.filter(pk__in=chosen).update(password=make_password(PASSWORD), email_verified_at=database_now())
    return [(email, PASSWORD) for email in User.objects.filter(pk__in=chosen).values_list("email", flat=True)]


@contextmanager
def _served(runs: Runs, plan: Plan) -> Iterator[int]:
    with runs.databases.copy_of(plan), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        port = free_port()
        stack.enter_context(running(web("127.0.0.1", port), environment(folder), folder))
        wait_for_server(port)
        yield port
