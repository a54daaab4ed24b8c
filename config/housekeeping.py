"""What is over is forgotten: everything that is, after how long, how much at a time, and how much it was.

A sweep is declared where it is written:

    @forgets("sessions", "90 days after their last use", task="accounts.tasks.forget_old_sessions")
    def forget_old_sessions(*, now: datetime, limit: int = 10_000) -> int: ...

It takes away at most `limit` and says how many went; both are counted, under `housekeeping_runs` and
`housekeeping_forgotten`. `docs/housekeeping.md` is written from the declarations.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from config import metrics

P = ParamSpec("P")

FORGOTTEN = metrics.counter("housekeeping_forgotten", "What was taken away because its time was over.", ["what"])
RUNS = metrics.counter("housekeeping_runs", "Times that somebody looked for what is over.", ["what"])


@dataclass(frozen=True)
class Chore:
    """One kind of thing that is forgotten: `what` goes `after` which time, at most `at_most` of it in one run."""

    what: str
    after: str
    at_most: int
    task: str
    sweep: Callable[..., int]


_chores: dict[str, Chore] = {}


def forgets(what: str, after: str, *, task: str) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Declare a sweep, and the task that runs it. Refuses one that has no bound, or another of the same name."""

    def declare(sweep: Callable[P, int]) -> Callable[P, int]:
        limit = inspect.signature(sweep).parameters.get("limit")
        if limit is None or not isinstance(limit.default, int):
            raise ValueError(f"{sweep.__qualname__} takes away as much as there is; it needs a limit")
        if what in _chores:
            raise ValueError(f"{what} are forgotten by another sweep already")

        @wraps(sweep)
        def counted(*args: P.args, **kwargs: P.kwargs) -> int:
            RUNS.labels(what).inc()
            count = sweep(*args, **kwargs)
            FORGOTTEN.labels(what).inc(count)
            return count

        _chores[what] = Chore(what, after, limit.default, task, counted)
        return counted

    return declare


def chores() -> list[Chore]:
    """All there are, in the order of their names."""
    return sorted(_chores.values(), key=lambda chore: chore.what)
