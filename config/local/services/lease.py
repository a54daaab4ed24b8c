"""What a process does that wants the embedded servers: it leases them.

A lease is a shared lock on a file, held for the life of the process; the kernel drops it even on kill -9. The keeper
of a server stops it when it can take that lock for itself.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local import home
from config.local.services.process import is_alive

# Which variables each server stands in for.
SERVERS = {"postgres": ("DATABASE_URL",), "valkey": ("REDIS_URL", "CELERY_BROKER_URL")}
POLL = 0.02

_leases: dict[tuple[Path, str], int] = {}
# Set by us and not by the caller: these follow the server when it had to move.
_ours: set[str] = set()


class ServiceFailed(Exception):
    """An embedded server does not start; the message is what its keeper said."""


class InUse(Exception):
    """Another process works with this home."""


@dataclass
class KeptServer:
    """A server of this home as its clients see it: through its keeper's lock, lease and published state."""

    name: str
    home: Path = field(default_factory=home.home)
    _keeper: subprocess.Popen[bytes] | None = None
    _said_before: int = 0

    @property
    def state_file(self) -> Path:
        return self.home / "run" / f"{self.name}.json"

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"keeper-{self.name}.log"

    def lease(self) -> None:
        """Keep the server running for the life of this process. Waits while the server is being stopped."""
        if (self.home, self.name) not in _leases:
            descriptor = home.open_lock(f"{self.name}.lease")
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            _leases[self.home, self.name] = descriptor

    def give_up(self) -> None:
        """End the lease."""
        descriptor = _leases.pop((self.home, self.name), None)
        if descriptor is not None:
            os.close(descriptor)

    def is_leased(self) -> bool:
        """Whether any process wants the running server."""
        # The keeper holds the lease too, for an instant when it looks, and while it stops; then it publishes nothing.
        for _ in range(2):
            if not (is_locked(f"{self.name}.lease") and self.state()):
                return False
            time.sleep(POLL)
        return True

    def is_kept(self) -> bool:
        """Whether a keeper lives."""
        return is_locked(f"{self.name}.keeper")

    def state(self) -> dict[str, Any]:
        """What the living keeper published; empty while it starts, stops or is dead."""
        published = home.read_json(self.state_file)
        # A copied home brings the state of another along.
        is_valid = published.get("home") == str(self.home) and is_alive(int(published["keeper"]))
        return published if is_valid else {}

    def addresses(self) -> dict[str, str] | None:
        """The variables of the running server; None while it does not run, and a keeper is started if there is none.

        Raises ServiceFailed when the keeper that we started gave up.
        """
        if self.is_kept():
            variables = self.state().get("variables")
            return dict(variables) if variables else None
        if self._keeper is None or self._keeper.poll() == 0:
            # An exit with 0 means that another keeper was faster, and has gone since.
            self._start_keeper()
        elif self._keeper.poll() is not None:
            raise ServiceFailed(f"The embedded {self.name} does not start:\n{self._said()}")
        return None

    def _start_keeper(self) -> None:
        with home.open_log(self.log.name) as log:
            self._said_before = log.tell()
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "config.local.services.keeper", self.name],
                cwd=home.ROOT,
                env={**os.environ, "OUTLAST_HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _said(self) -> str:
        return self.log.read_bytes()[self._said_before :].decode(errors="replace")[-4000:].strip()


def is_locked(name: str) -> bool:
    """Whether another opened file holds this lock of the home so that we could not."""
    descriptor = home.open_lock(name)
    try:
        # Exclusively for the lease, whose holders share it; two who only look must not see each other.
        fcntl.flock(descriptor, (fcntl.LOCK_EX if name.endswith(".lease") else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def ensure(*, timeout: float = 90.0) -> None:
    """Set each missing address, and run the servers that those need until this process ends.

    Safe to call again, which also heals after a killed keeper. Raises ServiceFailed.
    """
    wanted: dict[str, list[str]] = {}
    for name, variables in SERVERS.items():
        missing = [variable for variable in variables if variable in _ours or not os.environ.get(variable)]
        if missing:
            wanted[name] = missing
    servers = [KeptServer(name) for name in wanted]
    for server in servers:
        server.lease()
    # All are asked before any is waited for: they start side by side.
    found = {server.name: server.addresses() for server in servers}
    deadline = time.monotonic() + timeout
    while not all(found.values()):
        if time.monotonic() > deadline:
            waiting = ", ".join(name for name, addresses in found.items() if not addresses)
            raise ServiceFailed(f"No answer from {waiting} after {timeout:.0f} s; see {home.home() / 'logs'}.")
        time.sleep(POLL)
        found = {server.name: found[server.name] or server.addresses() for server in servers}
    for name, missing in wanted.items():
        for variable in missing:
            os.environ[variable] = (found[name] or {})[variable]
            _ours.add(variable)


def release(*, timeout: float = 25.0) -> bool:
    """End this process's leases and wait until the servers that nobody else uses have stopped.

    False when another process keeps one of them running.
    """
    servers = [KeptServer(name) for name in SERVERS]
    for server in servers:
        server.give_up()
    deadline = time.monotonic() + timeout
    while kept := [server for server in servers if server.is_kept()]:
        if any(server.is_leased() for server in kept) or time.monotonic() > deadline:
            return False
        for server in kept:
            keeper = server.state().get("keeper")
            if keeper:
                # Asks the keeper to skip its seconds of patience; it still stops only when nobody leases.
                os.kill(int(keeper), signal.SIGUSR1)
        time.sleep(POLL * 5)
    return True


@contextmanager
def exclusive() -> Iterator[None]:
    """Nobody uses the servers and none runs; whoever comes now waits. Raises InUse when somebody does."""
    if not release():
        raise InUse("a server that another process uses runs there")
    with ExitStack() as held:
        for name in SERVERS:
            descriptor = home.open_lock(f"{name}.lease")
            held.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as failure:
                raise InUse(f"another process uses {name} there") from failure
        yield
