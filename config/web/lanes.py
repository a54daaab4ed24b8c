"""What kind of work a request asks for, told by its method and its path alone, before anything is read or looked up.

Each kind has a share of what a process does at once, so that none of them can take everything: whoever signs in costs
several times as much as whoever only wants to save a pick, and must not stop them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """A kind of work."""

    LIVE = "live"  # whether the process answers at all: asked past every queue
    PROBE = "probe"  # what machines ask about the process: past every queue as well, a few at once
    PICK = "pick"  # saving picks, reading one's own, and the token that this takes
    SIGN_IN = "sign_in"  # whatever a password is hashed for
    PROVIDER = "provider"  # waits for somebody else's server
    REPORT = "report"  # sent while it is read from the database, however long it is
    QUESTION = "question"  # a question in GraphQL, which may stand for several calls
    OTHER = "other"


QUESTION_PATH = "/graphql"
LIVE_PATHS = frozenset({"/health", "/health/live"})
PROBE_PATHS = frozenset({"/health/ready", "/ready", "/metrics"})
PICK_PATHS = re.compile(r"/api/v1/(?:picks|entries/[0-9]+/picks(?:/.*)?|auth/token/refresh)")
REPORT_PATHS = re.compile(r"/api/v1/pools/[0-9]+/rounds/[0-9]+/report\.(?:json|csv)")
PROVIDER_PATHS = re.compile(
    r"/api/v1/requests/[0-9]+/payment|/payments/return|/api/v1/auth/[a-z][a-z0-9-]*/(?:begin|callback)"
)
# Where a password is looked at or set, over the API and in the back office.
SIGN_IN_PATHS = frozenset(
    {
        "/api/v1/auth/register",
        "/api/v1/auth/token",
        "/api/v1/auth/reauthenticate",
        "/api/v1/auth/password/change",
        "/api/v1/auth/password/reset/confirm",
        "/api/v1/me/email",
        "/admin/login/",
        "/admin/password_change/",
    }
)
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def lane_of(method: str, path: str) -> Lane:
    """The lane of a request."""
    if path in LIVE_PATHS:
        return Lane.LIVE
    if path in PROBE_PATHS:
        return Lane.PROBE
    if PICK_PATHS.fullmatch(path):
        return Lane.PICK
    if path in SIGN_IN_PATHS and method not in READING:
        return Lane.SIGN_IN
    if PROVIDER_PATHS.fullmatch(path):
        return Lane.PROVIDER
    if path == QUESTION_PATH:
        return Lane.QUESTION
    return Lane.REPORT if REPORT_PATHS.fullmatch(path) else Lane.OTHER


@dataclass(frozen=True)
class Shares:
    """How much of `at_once` and of `waiting` each lane may take; picks may take all of both."""

    at_once: int
    waiting: int

    @property
    def inside(self) -> int:
        """How many may be worked on or wait, all lanes together."""
        return self.at_once + self.waiting

    @property
    def inside_but_picks(self) -> int:
        """The same of all that are no picks: a quarter of the queue is left to picks, too."""
        return self.but_picks + self.waiting - self.waiting // 4

    def inside_of(self, lane: Lane) -> int:
        """How many of the lane may be worked on or wait. A storm of sign-ins must not fill the queue of the others."""
        if lane is Lane.PICK:
            return self.inside
        return 1 + self.waiting // 4 if lane is Lane.SIGN_IN else self.inside_but_picks

    def at_once_of(self, lane: Lane) -> int:
        """How many of the lane are worked on at once."""
        if lane is Lane.PICK:
            return self.at_once
        if lane is Lane.SIGN_IN:
            return 1
        if lane in (Lane.PROVIDER, Lane.REPORT, Lane.QUESTION):
            return max(1, self.at_once // 4)
        return self.but_picks

    @property
    def but_picks(self) -> int:
        """How many that are no picks are worked on at once, all lanes together: a quarter is left to picks."""
        return max(1, self.at_once - max(1, self.at_once // 4))
