"""One `up` for each home and one server for each port, said clearly before anything is started."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.local import home
from config.local.progress import Progress
from config.local.services import InUse
from config.local.services.process import is_alive

# A killed `up` leaves its undertaker, which holds the lock until the last child is gone.
BURIAL = 20.0


@contextmanager
def occupy(address: str, progress: Progress) -> Iterator[int]:
    """Hold the home's `up` lock; yields its descriptor. Raises InUse when another `up` runs on this home."""
    descriptor = home.open_lock("up.lock")
    try:
        _take(descriptor, progress)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, progress: Progress) -> None:
    deadline = time.monotonic() + BURIAL
    is_told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = _holder(descriptor)
            pid = int(holder.get("pid", 0))
            if (pid and is_alive(pid)) or time.monotonic() > deadline:
                raise InUse(
                    f"`manage.py up` runs on this home already: {home.home()}, process {pid}, "
                    f"{holder.get('address', 'address unknown')}.\n"
                    "Stop it with Ctrl-C, or start this one with another OUTLAST_HOME and another --port."
                ) from None
        if not is_told:
            progress.say("· the last run was killed; waiting until its processes are gone …")
            is_told = True
        time.sleep(0.1)


def _holder(descriptor: int) -> dict[str, str]:
    try:
        return dict(json.loads(os.pread(descriptor, 1000, 0)))
    except ValueError:
        return {}


def refuse_busy_port(host: str, port: int) -> None:
    """Raise InUse, naming a port that is free, when nobody could listen there."""
    if home.is_free(port, host):
        return
    other = next((number for number in range(port + 1, port + 100) if home.is_free(number, host)), 0)
    raise InUse(
        f"Port {port} of {host} is in use by another program.\n"
        f"Stop that program, or choose another port: python3 manage.py up --port {other or port + 1}"
    )
