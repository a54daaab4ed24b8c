"""Real threads against real PostgreSQL: everybody starts at the same instant, and everybody's end is told.

    outcomes = run_together([lambda: approve(a), lambda: approve(b)])

Each call gets a thread and a database connection of its own. An outcome is what the call returned or what it raised.
Tests that use this need `@pytest.mark.django_db(transaction=True)`.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db import connection, connections

TIMEOUT_SECONDS = 60
# A race that is lost once in ten is met in the long run: `OUTLAST_RACE_REPETITIONS=20` looks closer.
REPETITIONS = int(os.environ.get("OUTLAST_RACE_REPETITIONS", "2"))

PATIENCE_STEPS = 500
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


@dataclass(frozen=True)
class Outcome:
    """How one call ended."""

    value: Any = None
    error: BaseException | None = None

    @property
    def worked(self) -> bool:
        return self.error is None


def run_together(calls: Sequence[Callable[[], Any]], *, timeout: float = TIMEOUT_SECONDS) -> list[Outcome]:
    """Run the calls at once; outcomes in the order of the calls. Raises TimeoutError when one does not come back."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[Outcome | None] = [None] * len(calls)

    def work(index: int, call: Callable[[], Any]) -> None:
        try:
            # Connected beforehand: else the race would be for connections.
            connection.ensure_connection()
            barrier.wait(timeout)
            outcomes[index] = Outcome(value=call())
        except BaseException as error:  # noqa: BLE001  # the test judges it, whatever it is
            outcomes[index] = Outcome(error=error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(index, call), daemon=True) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError(f"{sum(thread.is_alive() for thread in threads)} of {len(threads)} did not come back")
    return [outcome or Outcome(error=RuntimeError("no outcome")) for outcome in outcomes]


def until_somebody_waits() -> None:
    """Come back once a session of this database waits for a lock that another one has."""
    for _ in range(PATIENCE_STEPS):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise TimeoutError("nobody waits for anybody")


def successes(outcomes: Sequence[Outcome]) -> list[Any]:
    """What the calls that worked returned."""
    return [outcome.value for outcome in outcomes if outcome.worked]


def errors(outcomes: Sequence[Outcome]) -> list[BaseException]:
    """What the others raised."""
    return [outcome.error for outcome in outcomes if outcome.error is not None]


def codes(outcomes: Sequence[Outcome]) -> list[str]:
    """The domain codes of the calls that were refused, sorted; anything that is not a refusal is raised again."""
    found = []
    for error in errors(outcomes):
        if not hasattr(error, "code"):
            raise error
        found.append(str(error.code))
    return sorted(found)


def again_and_again(race: Callable[..., None]) -> Callable[..., None]:
    """Run the test's body `REPETITIONS` times on one clean database: each time must make rows of its own."""

    @wraps(race)
    def repeated(*args: Any, **kwargs: Any) -> None:
        for number in range(1, REPETITIONS + 1):
            try:
                race(*args, **kwargs)
            except BaseException as error:
                error.add_note(f"in repetition {number} of {REPETITIONS}")
                raise

    return repeated
