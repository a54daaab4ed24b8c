"""The one client for calls to other servers: results feeds, sign-in providers, the payment provider, subscribers.

    answer = fetch("https://example.org/games.csv", etag=known)
    if not answer.is_unchanged:
        read(answer.body)

Each call is bounded in every direction: time to connect, time between two bytes, time in all (retries and waiting
included), size of the body before and after decompression, number of tries. It is made for a purpose, which says what
hosts it may lead to, and never reaches an address inside our own network. A host that fails time and again is left
alone (`breakers`). Whatever goes wrong is one of the family `HttpFailed`, whose messages carry no address: a query may
hold a secret.
"""

from config.http.answers import Answer, Limits, Progress
from config.http.client import check_address, fetch, post_form, refuse_inside_transaction, send
from config.http.failures import (
    AddressRefused,
    BrokenOff,
    CircuitOpen,
    HttpFailed,
    NotConnected,
    StatusRefused,
    TimedOut,
    TooLarge,
    Unreachable,
)
from config.http.purposes import FEEDS, SUBSCRIBERS, Purpose

__all__ = [
    "FEEDS",
    "SUBSCRIBERS",
    "AddressRefused",
    "Answer",
    "BrokenOff",
    "CircuitOpen",
    "HttpFailed",
    "Limits",
    "NotConnected",
    "Progress",
    "Purpose",
    "StatusRefused",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "check_address",
    "fetch",
    "post_form",
    "refuse_inside_transaction",
    "send",
]
