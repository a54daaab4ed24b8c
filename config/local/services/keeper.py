"""The keeper of one embedded server: starts it, restarts it when it dies, stops it when nobody leases it any more.

Started by `ensure()`, never by hand: `python -m config.local.services.keeper postgres`. Ends with 0 when another
keeper was there first, or when its work is done.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from config.local import home
from config.local.services.lease import KeptServer
from config.local.services.postgres import Postgres
from config.local.services.process import runs, spawn
from config.local.services.server import Server, ServerFailed
from config.local.services.valkey import Valkey

SERVERS: dict[str, type[Postgres] | type[Valkey]] = {"postgres": Postgres, "valkey": Valkey}
TICK = 0.25
# Between two commands typed one after the other the servers stay up.
PATIENCE = 3.0
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
# More deaths than these in a minute are no accident.
DEATHS_A_MINUTE = 5


class Keeper:
    """Keeps one server of this home alive as long as it is leased."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.seen = KeptServer(server.name)
        self.log = self.seen.home / "logs" / f"{server.name}.log"
        self.pid_file = self.seen.home / "run" / f"{server.name}-process.json"
        self.patience = float(os.environ.get("OUTLAST_KEEPER_PATIENCE", PATIENCE))
        self.must_stop = False
        self.port = 0

    def run(self) -> None:
        """Everything, from the first look at what a killed keeper left behind to the server's orderly end."""
        signal.signal(signal.SIGTERM, self._stop_soon)
        signal.signal(signal.SIGINT, self._stop_soon)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, self._lose_patience)
        self._await_leftover()
        began = time.monotonic()
        self.server.prepare()
        process = self._start()
        say(f"{self.server.name} ready on port {self.port} after {time.monotonic() - began:.2f} s, pid {process.pid}")
        try:
            self._keep(process)
        finally:
            self.seen.state_file.unlink(missing_ok=True)

    def _keep(self, process: subprocess.Popen[bytes]) -> None:
        lease = home.open_lock(f"{self.server.name}.lease")
        deaths: list[float] = []
        idle_since: float | None = None
        while not self.must_stop:
            time.sleep(TICK)
            if process.poll() is not None:
                deaths = [*(death for death in deaths if time.monotonic() - death < 60), time.monotonic()]
                say(f"{self.server.name} ended with {process.returncode}, {len(deaths)} times within a minute")
                if len(deaths) > DEATHS_A_MINUTE:
                    raise ServerFailed(f"{self.server.name} does not stay up:\n{tail(self.log)}")
                process = self._start()
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since >= self.patience:
                # The lock stays ours until we end: whoever comes now waits, and then starts a new keeper.
                break
            fcntl.flock(lease, fcntl.LOCK_UN)
        self._stop(process)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the server and publish its address. Tries again while a killed predecessor still lets go."""
        deadline = time.monotonic() + START_TIMEOUT
        for attempt in range(8):
            self.port = self._choose_port()
            with home.open_log(self.log.name) as output:
                process = spawn(
                    self.server.command(self.port),
                    output=output.fileno(),
                    death_signal=self.server.stop_signal,
                    account=self.server.account,
                    env=self.server.environment(),
                )
            home.write_json(self.pid_file, {"pid": process.pid})
            while process.poll() is None and time.monotonic() < deadline:
                if self.server.is_ready(process.pid, self.port):
                    self._publish(process)
                    return process
                time.sleep(0.02)
            if process.poll() is None:
                process.kill()
                break
            time.sleep(0.1 * 2**attempt if attempt < 4 else 1.5)
        raise ServerFailed(f"{self.server.name} does not start:\n{tail(self.log)}")

    def _choose_port(self) -> int:
        """The port of last time if it can be had: running clients know no other."""
        wanted = self.port or home.port(self.server.port_name)
        deadline = time.monotonic() + (10.0 if self.port else 1.0)
        while not home.is_free(wanted) and time.monotonic() < deadline:
            time.sleep(0.05)
        return home.free_port(self.server.port_name)

    def _publish(self, process: subprocess.Popen[bytes]) -> None:
        home.write_json(
            self.seen.state_file,
            {
                "home": str(self.seen.home),
                "keeper": os.getpid(),
                "server": process.pid,
                "variables": self.server.addresses(self.port),
            },
        )

    def _await_leftover(self) -> None:
        """Wait for the server of a killed keeper to end by itself, then tell it to; its port and data are ours next."""
        pid = int(home.read_json(self.pid_file).get("pid", 0))
        began = time.monotonic()
        while pid and runs(pid, self.server.data):
            waited = time.monotonic() - began
            if waited > STOP_TIMEOUT:
                raise ServerFailed(f"An older {self.server.name}, process {pid}, does not end. End it and try again.")
            # Twice in all: at once would turn the fast shutdown that runs already into nothing faster.
            if waited > 2.0:
                os.kill(pid, signal.SIGQUIT if waited > STOP_TIMEOUT / 2 else self.server.stop_signal)
                time.sleep(1.0)
            time.sleep(0.05)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        self.seen.state_file.unlink(missing_ok=True)
        process.send_signal(self.server.stop_signal)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            say(f"{self.server.name} does not stop; killing it")
            process.kill()
            process.wait()
        say(f"{self.server.name} stopped after {time.monotonic() - began:.2f} s")

    def _stop_soon(self, *_: object) -> None:
        self.must_stop = True

    def _lose_patience(self, *_: object) -> None:
        self.patience = 0.0


def become_the_keeper(name: str) -> bool:
    """Take the lock that makes this process the only keeper; False when there is one."""
    lock = home.open_lock(f"{name}.keeper")
    # Who only looks holds it for an instant.
    for _ in range(40):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False


def say(message: str) -> None:
    """A line of the keeper's log."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {message}", flush=True)


def tail(log: Path, characters: int = 3000) -> str:
    """The end of a log."""
    return log.read_bytes()[-characters:].decode(errors="replace").strip()


def main(name: str) -> int:
    """Keep the named server."""
    if not become_the_keeper(name):
        return 0
    # Left behind by a killed keeper.
    KeptServer(name).state_file.unlink(missing_ok=True)
    try:
        Keeper(SERVERS[name]()).run()
    except (ServerFailed, home.HomeUnusable) as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
