"""The one client for calls to servers that are not ours to trust, such as results feeds.

    answer = fetch("https://example.org/games.csv", etag=known)
    if not answer.is_unchanged:
        read(answer.body)

Each call is bounded in every direction: time to connect, time between two bytes, time in all (retries and waiting
included), size of the body before and after decompression, number of tries. It stays where it was sent: http or https,
the same host, never an address inside our own network. Whatever goes wrong is one of the family `HttpFailed`, whose
messages carry no address: a query may hold a secret.
"""

from config.http.client import Answer, Limits, Progress, check_address, fetch, post_form, refuse_inside_transaction
from config.http.failures import (
    AddressRefused,
    BrokenOff,
    HttpFailed,
    StatusRefused,
    TimedOut,
    TooLarge,
    Unreachable,
)

__all__ = [
    "AddressRefused",
    "Answer",
    "BrokenOff",
    "HttpFailed",
    "Limits",
    "Progress",
    "StatusRefused",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "check_address",
    "fetch",
    "post_form",
    "refuse_inside_transaction",
]
