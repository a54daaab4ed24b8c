"""`manage.py up` as a newcomer runs it: the real command, its real children, real signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from io import StringIO

import psutil
import pytest

from config.local import home
from config.local.commands import up
from config.local.progress import Progress
from config.local.services import lease
from config.local.supervisor.children import Ending
from tests.config.local.conftest import is_running, is_stopped, wait_until

WAIT = 300


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Up:
    """A running `up`; what it says goes to a file, as the pipe's end would stop it otherwise."""

    def __init__(self, folder, port, *options):
        self.said = folder / "said.txt"
        with self.said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port), *options],
                cwd=home.ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if name != "OUTLAST_ENV"},
            )

    def text(self):
        return self.said.read_text()

    def wait_until_ready(self):
        began = time.monotonic()
        while "Outlast is ready" not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() - began < WAIT, self.text()
            time.sleep(0.05)
        return time.monotonic() - began

    def names(self):
        """Whose log there is."""
        return {path.stem for path in (home.home() / "logs").iterdir()}

    def tree(self):
        """Every process below it, and the servers' that it leases."""
        found = [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]
        for name in lease.SERVERS:
            state = lease.KeptServer(name).state()
            found += [state["keeper"], state["server"]]
        return found

    def stop(self, signal_number=signal.SIGINT):
        self.process.send_signal(signal_number)
        return self.process.wait(60)


@pytest.fixture
def run(place, tmp_path, monkeypatch):
    for name in ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRETS", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    started = []

    def start(port, *options):
        started.append(Up(tmp_path, port, *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop()


def all_gone(processes):
    return lambda: not any(is_running(pid) for pid in processes)


@pytest.mark.slow
@pytest.mark.stack
def test_a_whole_life(run, place, port):
    first = run(port, "--no-demo")
    first.wait_until_ready()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{home.stripe_base()}/") as answer:
        assert answer.status == 200
    wait_until(lambda: (place / "logs" / "beat.log").read_text(), timeout=30)
    everything = first.tree()

    # A second one is refused, and a stranger's port too, each by name.
    second = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", "1"], cwd=home.ROOT, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert f"runs on this home already: {place}, process {first.process.pid}" in second.stderr

    # Ctrl-C: in order, everything, within seconds.
    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 60
    assert all_gone(everything)()
    order = re.findall(r"✓ (\w+) stopped", first.text())
    assert order == ["beat", "worker", "live", "web", "oidc", "stripe", "all"]
    assert {"web.log", "worker.log", "beat.log", "stripe.log", "postgres.log", "valkey.log"} <= {
        path.name for path in (place / "logs").iterdir()
    }

    # Warm, killed with no chance to say goodbye, and started again at once.
    warm = run(port, "--no-demo")
    assert warm.wait_until_ready() < 45  # 15 on a machine that does nothing else
    everything = warm.tree()
    warm.process.kill()
    warm.process.wait()
    again = run(port, "--no-demo")
    again.wait_until_ready()
    assert all_gone(set(everything) - set(again.tree()))()

    # One dead child ends the run, and is named.
    worker = next(child for child in psutil.Process(again.process.pid).children() if "worker" in child.cmdline())
    worker.kill()
    assert again.process.wait(60) == 1
    assert "✗ worker ended by itself (SIGKILL)" in again.text()
    wait_until(lambda: all(is_stopped(name) for name in lease.SERVERS))


@pytest.mark.slow
@pytest.mark.stack
def test_killed_keepers_and_servers_heal_under_a_running_system(run, place, port):
    running = run(port)
    running.wait_until_ready()
    wait_until(lambda: "feed" in running.names(), timeout=30)
    # The feed asks the database every three seconds: it has begun to, and will meet it away.
    time.sleep(8)
    for name in lease.SERVERS:
        state = lease.KeptServer(name).state()
        os.kill(state["keeper"], signal.SIGKILL)
        os.kill(state["server"], signal.SIGKILL)

    def is_ready():
        return up.answers(f"http://127.0.0.1:{port}")

    wait_until(is_ready, timeout=60)
    time.sleep(8)
    assert running.process.poll() is None, running.text()
    assert is_ready()


@pytest.mark.slow
@pytest.mark.stack
def test_a_closed_terminal_stops_everything(run, place, port):
    running = run(port, "--no-demo")
    running.wait_until_ready()
    everything = running.tree()

    assert running.stop(signal.SIGHUP) == 0
    wait_until(all_gone(everything))


def test_a_busy_port_is_refused_before_anything_starts(place, capsys):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]

        said = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=home.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert said.returncode == 1
    assert said.stderr.startswith(f"Port {port} of 127.0.0.1 is in use by another program.\n")
    assert "python3 manage.py up --port " in said.stderr
    assert not (place / "logs" / "keeper-postgres.log").exists()


def test_nobody_listening_is_not_ready(port):
    assert up.answers(f"http://127.0.0.1:{port}") is False


def test_an_ended_child_is_told_with_how_and_its_last_words():
    progress = Progress(stream=StringIO())

    up.report(Ending("web", 3, ["port taken"]), progress)
    up.report(Ending("worker", -9, []), progress)

    assert progress.stream.getvalue().splitlines() == [
        "✗ web ended by itself (exit code 3); everything else is stopped now. Its last lines:",
        "    port taken",
        "✗ worker ended by itself (SIGKILL); everything else is stopped now. Its last lines:",
    ]


def test_a_signal_is_noted_and_leaves_a_running_step():
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        interrupts = up.Interrupts()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        interrupts.may_raise = False
        os.kill(os.getpid(), signal.SIGHUP)
        assert interrupts.came
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
