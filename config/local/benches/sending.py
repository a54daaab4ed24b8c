"""Sending calls when they are due, whatever becomes of those before: who falls behind is not spared the queue."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

BROKEN = 0

# Sends the call of this number over the connection; its status, `BROKEN` where the connection did.
Call = Callable[[http.client.HTTPConnection, int], int]


@dataclass(frozen=True)
class Sent:
    """Milliseconds from due to answered, of each call; and how many were answered with which status."""

    taken: list[float]
    answered: Counter[int]


def send_in_time(port: int, call: Call, *, count: int, per_second: float, senders: int) -> Sent:
    """Send that many calls to a server here, each when it is due, by so many connections that stay open."""
    began = time.perf_counter() + 0.2
    taken, answered = [0.0] * count, Counter[int]()
    turn, guard = iter(range(count)), threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with guard:
                number = next(turn, None)
            if number is None:
                return connection.close()
            due = began + number / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            status = _status(call, connection, number)
            taken[number] = 1000 * (time.perf_counter() - due)
            with guard:
                answered[status] += 1

    threads = [threading.Thread(target=send, daemon=True) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(taken, answered)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """Send one call with a body of JSON, read the answer to its end; its status."""
    connection.request(method, path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _status(call: Call, connection: http.client.HTTPConnection, number: int) -> int:
    try:
        return call(connection, number)
    except (OSError, http.client.HTTPException):
        connection.close()
        return BROKEN
