"""A storm of people who sign in, as a process of its own: so many a second, whatever becomes of those before.

Each gives an address that nobody has, which costs the server the same as one that somebody has. Says "ready" when it
is, and at the end how many were answered with which status.
"""

import json
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from config.local.benches.sending import send_in_time

PER_SECOND = 40
SENDERS = 64
PATH = "/api/v1/auth/token"


def storm(port: int, seconds: float) -> Counter[int]:
    """How many answers of each status there were; 0 stands for a connection that broke."""
    return send_in_time(
        port, _sign_in, count=round(PER_SECOND * seconds), per_second=PER_SECOND, senders=SENDERS
    ).answered


def _sign_in(connection: HTTPConnection, number: int) -> int:
    email = f"{time.time_ns()}-{number}@bench.invalid"
    body = json.dumps({"email": email, "password": "a long password, and wrong"})
    head = f"POST {PATH} HTTP/1.1\r\nHost: {connection.host}\r\nContent-Type: application/json\r\n"
    if connection.sock is None:
        connection.connect()
    # In one piece: whoever is turned away before the body has come is told, and then hung up on.
    connection.sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    answer = HTTPResponse(connection.sock, method="POST")
    answer.begin()
    answer.read()
    if answer.will_close:
        connection.close()
    return answer.status


def stand_back() -> None:
    """Those who sign in do so from machines of their own: what they cost there is not to be taken from the server here.

    Linux may share processors out among sessions first, and among the threads of each only then; this one has its own.
    """
    os.nice(19)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")


if __name__ == "__main__":
    stand_back()
    print("ready", flush=True)
    print(json.dumps(storm(int(sys.argv[1]), float(sys.argv[2]))))
