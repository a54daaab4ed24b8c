"""The web server: granian, and how it ends without anybody noticing.

    python -m config.web.serving --port 8000 --workers 2

Granian closes its port as soon as it is told to end (SIGTERM): whoever is sent here in the next seconds, because the
balancer does not know yet, is refused. So between the word and the deed `/health/ready` answers 503 for DRAIN_SECONDS
while everything else is served as before; then the port is closed, what is under way is finished, and the workers end.
A second SIGTERM, or Ctrl-C, shortens the wait. Whoever sends the signal must send it to this process alone, not to its
workers (systemd: `KillMode=mixed`), and wait longer than DRAIN_SECONDS and the longest request.

Granian takes no more connections than its `backpressure`, idle ones counted in: a thousand clients who merely keep
theirs would lock everybody else out until 30 s have passed. So it may have ten thousand for each worker; how much is
worked on is bounded by the gate (`config.web.gate`).

The process that waits is not the one that serves: it tells its workers by a file. It knows nothing of Django, so that
what a worker breaks cannot break it.
"""

import argparse
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from config.descriptors import allow_descriptors
from config.draining import DRAIN_MARK
from config.env import PROJECT, environment_of, read_file
from config.env.declared import VARIABLES

# Longer than any request may take in the database, with its wait at the gate.
FINISH_SECONDS = 15
# Of a worker, at once. An idle one takes some 20 kB.
CONNECTIONS = 10_000
# What a worker has open besides: connections to services, files, libraries.
SPARE_DESCRIPTORS = 500
# Who has knocked and was not let in yet; the kernel has a bound of its own (net.core.somaxconn).
KNOCKING = 4096


class DrainingServer:
    """Granian with a while between being told to end and ending."""

    def __init__(self, server: Any, *, mark: Path, seconds: float) -> None:
        self.server = server
        self.mark = mark
        self.seconds = seconds
        # After granian has set its own handlers.
        server.on_startup(self._listen)

    def serve(self) -> None:
        """Until it is told to end."""
        self.server.serve()

    def _listen(self) -> None:
        signal.signal(signal.SIGTERM, self._drain)

    def _drain(self, *_: object) -> None:
        if self.mark.exists() or not self.seconds:
            self.server.signal_handler_interrupt()
            return
        self.mark.touch()
        end = threading.Timer(self.seconds, self.server.signal_handler_interrupt)
        end.daemon = True
        end.start()


def main(arguments: list[str] | None = None) -> None:
    """Serve `config.rsgi`."""
    given = {**read_file(PROJECT / ".env"), **os.environ}
    options = _parser().parse_args(arguments)
    room = allow_descriptors(options.connections + SPARE_DESCRIPTORS) - SPARE_DESCRIPTORS
    server = Server(
        "config.rsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        websockets=False,
        workers=options.workers,
        backlog=KNOCKING,
        backpressure=max(min(room, options.connections), 1),
        respawn_failed_workers=True,
        workers_kill_timeout=options.finish_seconds,
    )
    with tempfile.TemporaryDirectory(prefix="outlast-") as folder:
        mark = Path(folder, "draining")
        os.environ[DRAIN_MARK] = str(mark)
        DrainingServer(server, mark=mark, seconds=_number(given, "DRAIN_SECONDS")).serve()


def _number(given: dict[str, str], name: str) -> int:
    """A setting, as the workers will read it."""
    (variable,) = (one for one in VARIABLES if one.name == name)
    number: int = variable.read(given.get(name, ""), environment_of(given))
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.web.serving", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2, help="processes; as many as there are cores")
    parser.add_argument(
        "--connections", type=int, default=CONNECTIONS, help="of a worker at once, idle ones counted in"
    )
    parser.add_argument("--finish-seconds", type=int, default=FINISH_SECONDS, help="before a worker is ended by force")
    return parser


if __name__ == "__main__":
    main()
