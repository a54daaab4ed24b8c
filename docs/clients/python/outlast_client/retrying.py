"""When a call is made once more, and after how long."""

import random
from dataclasses import dataclass

from outlast_client.errors import ApiError
from outlast_client.generated.models.error_code import ErrorCode

# Whatever happened to the first attempt, a second one of these changes nothing.
REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
PASSING_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long to go on: attempts in all, and seconds.

    Waits double from `first_wait` up to `longest_wait`, each drawn anew between nothing and that, so that many clients
    do not come back together. Where the server says when to come back, it is then; where that is later than
    `longest_wait`, the error is told instead.
    """

    attempts: int = 5
    first_wait: float = 0.25
    longest_wait: float = 30.0

    def after_trouble(self, attempt: int) -> float | None:
        """Seconds to wait after an attempt, from 1, without an answer; None to give up."""
        if attempt >= self.attempts:
            return None
        return random.uniform(0, min(self.longest_wait, self.first_wait * 2 ** (attempt - 1)))

    def after_error(self, attempt: int, error: ApiError) -> float | None:
        """The same after an answer that is an error: only where it passes with time."""
        if error.status not in PASSING_STATUSES and error.code != ErrorCode.IDEMPOTENCY_IN_PROGRESS:
            return None
        wait = self.after_trouble(attempt)
        if wait is None or error.retry_after is None:
            return wait
        return error.retry_after + wait if error.retry_after <= self.longest_wait else None
