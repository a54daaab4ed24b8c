"""Settlements of 100,000 entries, killed with -9 at random points: nothing is lost, and nothing happens twice.

The worker of `manage.py up` settles two rounds one after the other. In each of them it is killed, or PostgreSQL is with
all its processes, at points spread over what a settlement takes that nobody kills, and as it commits. Afterwards the
sweep settles again, and what stands must be what stands without a kill, row for row. A run says its seed;
`OUTLAST_KILL_SEED` runs it again.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.killing import LEFT_OVER, TOLD_WRONGLY, UNCOVERED, Killable, State, Watch
from tests.support.long_pool import CODE, RESULTS
from tests.support.running import ROOT, wait_for

pytestmark = pytest.mark.slow

ENTRIES = 100_000
SEED = int(os.environ.get("OUTLAST_KILL_SEED") or random.SystemRandom().randrange(10**9))
VICTIMS = ("worker", "postgres")
# Of each victim in each round; five and five in all, for a keeper takes more deaths within a minute for a fault.
SHARES = ((0.0, 0.33), (0.33, 0.67), (0.67, 1.0)), ((0.0, 0.5), (0.5, 1.0))
# A kill that comes when all is over proves nothing; the next try comes sooner.
TRIES = 5


@dataclass(frozen=True)
class Step:
    """A settlement: the database before it, how long it takes, and what stands after it."""

    name: str
    before: State
    after: State
    seconds: float


@pytest.fixture(scope="module")
def place():
    # Not pytest's own folder: PostgreSQL runs as another user when we are root, and must be able to reach its files.
    with tempfile.TemporaryDirectory(prefix="outlast-kill-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        place = Killable(Path(folder) / "home")
        try:
            yield place
        finally:
            place.end()


@pytest.fixture(scope="module")
def steps(place) -> list[Step]:
    """The pool is built once, and settled once by a worker that nobody kills."""
    place.system.manage("migrate", "-v0")
    shell(place, f"build({ENTRIES})")
    place.start_worker()
    steps = [settled_in_peace(place, "first")]
    bring_results(place)
    steps.append(settled_in_peace(place, "second"))
    assert steps[1].after.pools == [("finished", 2)]
    return steps


def shell(place: Killable, call: str) -> None:
    place.system.manage("shell", "-v0", "-c", f"from tests.support.long_pool import *; {call}")


def bring_results(place: Killable) -> None:
    """Of the second round."""
    with place.connect() as connection:
        connection.execute(RESULTS.format(number=2))


def settled_in_peace(place: Killable, name: str) -> Step:
    place.copy("outlast", name)
    before = place.state()
    with Watch(place) as watch:
        place.sweep()
        seconds = -watch.await_start() + watch.await_end()
    after = place.state()
    assert len(after.differences) == len(before.differences) + 1
    expect_whole(place, after)
    return Step(name, before, after, seconds)


def expect_whole(place: Killable, state: State) -> None:
    """This state, told once, and nothing half done."""
    assert place.state() == state
    assert place.ask(TOLD_WRONGLY, UNCOVERED, *LEFT_OVER) == [[(0,)]] * 4
    assert place.holders() == []


def test_a_settlement_survives_every_kill_whole_or_not_at_all(place, steps):
    print(f"OUTLAST_KILL_SEED={SEED}; unkilled: {', '.join(f'{step.seconds:.2f} s' for step in steps)}")
    dice = random.Random(SEED)
    undone = []
    for step, shares in zip(steps, SHARES, strict=True):
        for share in shares:
            for victim in VICTIMS:
                undone.append(kill_once(place, step, victim, dice.uniform(*share)))
                finish_the_season(place, steps, after=step)
    assert len(undone) == 10
    # Killed earlier than at its end, a settlement leaves nothing behind.
    assert undone.count(True) >= 5

    kill_as_it_commits(place, steps[1])
    finish_the_season(place, steps, after=steps[1])
    shell(place, "assert settle_in_full().is_nothing")
    expect_whole(place, steps[1].after)


def kill_once(place: Killable, step: Step, victim: str, share: float) -> bool:
    """Kill in mid-settlement, at that share of its usual time; whether nothing of it was left."""
    for shorter in range(TRIES):
        place.copy(step.name, "outlast")
        with Watch(place) as watch:
            task = place.sweep()
            began = watch.await_start()
            time.sleep(max(0.0, share * step.seconds * 0.7**shorter - (time.monotonic() - began)))
            found, at = watch.statements(), time.monotonic() - began
            if found:
                kill(place, victim)
                break
        place.await_done(task)
    else:
        raise AssertionError(f"no kill met the {step.name} settlement in {TRIES} tries")
    if victim == "postgres":
        # The worker lives: it has to notice, and to be able to go on.
        place.await_done(task)
    return recovered(place, step, f"{victim} after {at:.2f} s, at {found[0]!r}")


def kill(place: Killable, victim: str) -> None:
    if victim == "worker":
        place.kill_worker()
        place.start_worker()
    else:
        place.kill_postgres()


def kill_as_it_commits(place: Killable, step: Step) -> None:
    place.copy(step.name, "outlast")
    with Watch(place) as watch:
        place.sweep()
        watch.await_start()
        watch.await_commit()
        kill(place, "worker")
    recovered(place, step, "worker as it commits")


def recovered(place: Killable, step: Step, what: str) -> bool:
    """All of the settlement is there or nothing is, and settling again makes it what it should be."""
    wait_for(lambda: not place.holders(), seconds=60, every=0.02)
    left = place.state()
    assert left in (step.before, step.after), f"{what}: half a settlement is left"
    print(f"  {step.name}: killed {what}; {'nothing' if left == step.before else 'all'} of it is left")
    place.settle()
    expect_whole(place, step.after)
    return left == step.before


def finish_the_season(place: Killable, steps: list[Step], *, after: Step) -> None:
    """To the end, and once more: there is nothing to add."""
    if after is steps[0]:
        bring_results(place)
        place.settle()
    place.settle()
    expect_whole(place, steps[1].after)


@pytest.mark.parametrize("doomed", ["at work", "waiting"])
def test_of_two_settlements_at_once_the_other_finishes_when_one_is_killed(place, steps, doomed):
    step = steps[1]
    place.copy(step.name, "outlast")
    both = [settling(place) for _ in range(2)]
    try:
        victim = wait_for(lambda: found(place, both, is_at_work=doomed == "at work"), seconds=60, every=0.005)
        victim.kill()
        other = next(process for process in both if process.pid != victim.pid)
        assert other.wait(60) == 0, other.stdout.read()
    finally:
        for process in both:
            process.kill()
            process.communicate()
    expect_whole(place, step.after)


def settling(place: Killable) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "settle", "--competition", CODE],
        cwd=ROOT, env=place.system.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def found(place: Killable, processes: list[subprocess.Popen], *, is_at_work: bool) -> psutil.Process | None:
    """Once one is at work and another waits: the process of the one that is meant."""
    holders = place.holders()
    if {granted for granted, _, _ in holders} != {True, False}:
        return None
    port = next(port for granted, port, _ in holders if granted == is_at_work)
    for process in processes:
        known = psutil.Process(process.pid)
        if any(connection.laddr.port == port for connection in known.net_connections()):
            return known
    return None
