"""A storm of people who sign in, as a process of its own: so many a second, whatever becomes of those before.

Each gives an address that nobody has, which costs the server the same as one that somebody has. Prints how many were
answered with which status.
"""

import http.client
import json
import os
import sys
import threading
import time
from collections import Counter

PER_SECOND = 40
SENDERS = 64
PATH = "/api/v1/auth/token"


def storm(port: int, seconds: float) -> Counter[int]:
    """How many answers of each status there were; 0 stands for a connection that broke."""
    count = round(PER_SECOND * seconds)
    began, turn, guard = time.perf_counter(), iter(range(count)), threading.Lock()
    answered: Counter[int] = Counter()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with guard:
                number = next(turn, None)
            if number is None:
                return connection.close()
            time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            status = _sign_in(connection, f"{time.time_ns()}-{number}@bench.invalid")
            with guard:
                answered[status] += 1

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return answered


def _sign_in(connection: http.client.HTTPConnection, email: str) -> int:
    try:
        body = json.dumps({"email": email, "password": "a long password, and wrong"})
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0


if __name__ == "__main__":
    # Those who sign in do so from machines of their own: what they cost there is not to be taken from the server here.
    os.nice(19)
    print(json.dumps(storm(int(sys.argv[1]), float(sys.argv[2]))))
