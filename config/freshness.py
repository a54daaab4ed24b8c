"""Some things are done only by somebody who proved a moment ago who they are: money, rulings, roles, ways to sign in.

A token or a browser may be in other hands than those that signed in. So each sign-in knows when its person was last
asked for the password (and the second factor, where there is one), and what is marked `fresh` refuses once that is too
long ago. Whoever is refused proves themselves again and goes on: over the API at `POST /auth/reauthenticate`, in the
back office on the very page.
"""

from datetime import datetime, timedelta

from config.clock import database_now
from config.errors import Code, Forbidden

FRESH_FOR = timedelta(minutes=10)


class ReauthenticationRequired(Forbidden):
    """It was too long ago that the caller gave a password, or nobody knows when."""

    def __init__(self) -> None:
        seconds = int(FRESH_FOR.total_seconds())
        super().__init__(
            Code.REAUTHENTICATION_REQUIRED,
            "This needs a fresh sign-in: give your password again (POST /api/v1/auth/reauthenticate), then repeat it.",
            {"max_age_seconds": seconds},
        )


def is_fresh(authenticated_at: datetime | None) -> bool:
    """Whether the proof is young enough. Without a time of proof, as with an API key, it never is."""
    return authenticated_at is not None and database_now() - authenticated_at <= FRESH_FOR


def refuse_stale(authenticated_at: datetime | None) -> None:
    """Refuse with REAUTHENTICATION_REQUIRED unless the proof is fresh."""
    if not is_fresh(authenticated_at):
        raise ReauthenticationRequired
