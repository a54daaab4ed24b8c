"""The web server as `up` runs it, for benchmarks that measure it from outside."""

import http.client
import math
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from config.local import home
from config.local.benches.runs import Meaningless
from config.local.services.process import spawn
from config.local.supervisor.programs import Program

READY_SECONDS, STOP_SECONDS = 60.0, 10.0


def percentile(values: list[float], share: int) -> float:
    """The smallest value that `share` of a hundred do not exceed."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]


def with_path(address: str, path: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(address)._replace(path=f"/{path}"))


@contextmanager
def running(program: Program, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program with its children, until the block ends; killed where it does not stop by itself."""
    with (folder / f"{program.name}.log").open("wb") as log:
        process = spawn(
            program.argv, output=log, death_signal=signal.SIGTERM, env={**environment, **program.env}, cwd=home.ROOT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for_server(port: int) -> None:
    """Until it answers. Raises Meaningless where it never does."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        finally:
            connection.close()
    raise Meaningless("the web server did not start")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
