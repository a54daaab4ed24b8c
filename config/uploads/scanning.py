"""The virus scanner: clamd, where VIRUS_SCAN names one.

It is asked by a worker, never while somebody waits. Where it cannot be reached, the work is left to be tried again.
"""

from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from clamav_client.clamd import ClamdNetworkSocket
from django.conf import settings

SECONDS = 60.0
STREAM = "stream"


class ScannerFailed(Exception):
    """The scanner gave no verdict: it is away, too busy, or the file is longer than it takes."""


def is_on() -> bool:
    """Whether there is a scanner to ask."""
    return bool(settings.VIRUS_SCAN)


def found_in(file: IO[bytes]) -> str:
    """The name of what is in the file; empty where nothing is. Raises ScannerFailed."""
    parts = urlsplit(settings.VIRUS_SCAN)
    scanner = ClamdNetworkSocket(host=parts.hostname or "", port=parts.port or 3310, timeout=SECONDS)
    try:
        verdict, name = scanner.instream(cast(BinaryIO, file)).get(STREAM, ("ERROR", None))
    except Exception as error:  # the client has errors of its own, and lets the socket's through
        raise ScannerFailed(type(error).__name__) from error
    if verdict == "FOUND":
        return (name or "something")[:200]
    if verdict != "OK":
        raise ScannerFailed(str(verdict))
    return ""
