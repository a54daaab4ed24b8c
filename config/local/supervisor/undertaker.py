"""Ends what `manage.py up` started, should `up` itself be killed: no process may outlive it and hold a port.

Reads on standard input `+N` for each process group that begins and `-N` for each that is gone. The end of the input
means that `up` has ended, however it did: groups still listed are asked to stop, and killed when they do not.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

# Celery's warm shutdown takes about two seconds.
PATIENCE = 4.0


def listen(lines: Iterable[str]) -> set[int]:
    """The groups that still run when the lines end."""
    groups: set[int] = set()
    for line in lines:
        sign, group = line[0], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def bury(groups: set[int], patience: float = PATIENCE) -> None:
    """Stop the groups: with a request first, by force after `patience` seconds."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if is_there(group)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, signal_number: int) -> bool:
    """Signal a whole process group; False when nobody is left in it."""
    try:
        os.killpg(group, signal_number)
    except ProcessLookupError:
        return False
    return True


def is_there(group: int) -> bool:
    """Whether anybody is left in the group."""
    return send(group, 0)


if __name__ == "__main__":
    # A signal meant for the whole terminal is not meant for us: the end of the input is.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    bury(listen(sys.stdin))
