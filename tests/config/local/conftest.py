"""Homes of their own for the tests of the embedded services, and processes that use them."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from config.local import home
from config.local.services import lease

ADDRESSES = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
CLIENT = """
import os, sys
from config.local.services import ensure
ensure()
print(os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL"), flush=True)
sys.stdin.read()
"""


def wait_until(is_so, timeout=15.0):
    """Wait for something that another process does; its value, or a failure."""
    deadline = time.monotonic() + timeout
    while not (value := is_so()):
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)
    return value


def is_running(pid):
    """Whether the process does anything still: a zombie that waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def server_of(name):
    """The ids of a running server and its keeper."""
    return wait_until(lambda: lease.KeptServer(name).state())


def is_stopped(name):
    return not lease.KeptServer(name).is_kept()


class Client:
    """A process that uses the servers until its input ends."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT], cwd=home.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def addresses(self):
        return self.process.stdout.readline().split()

    def leave(self):
        self.process.communicate()


@pytest.fixture
def make_home(monkeypatch):
    """Make an empty home and work in it: no address is given, and keepers lose patience soon."""
    made = []

    def make():
        # Not below pytest's own folder, which nobody but us may enter.
        folder = Path(tempfile.mkdtemp(prefix="outlast-test-"))
        folder.chmod(0o711)
        made.append(folder)
        enter(folder)
        return folder

    def enter(folder):
        monkeypatch.setenv("OUTLAST_HOME", str(folder))

    make.enter = enter
    for name in ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OUTLAST_KEEPER_PATIENCE", "0.2")
    monkeypatch.setattr(lease, "_ours", set())
    monkeypatch.setattr(lease, "_leases", {})
    yield make
    for folder in made:
        enter(folder)
        lease.release()
        wait_until(lambda: all(is_stopped(name) for name in lease.SERVERS), timeout=30)
        shutil.rmtree((folder / "data").resolve(), ignore_errors=True)
        shutil.rmtree(folder)


@pytest.fixture
def place(make_home):
    """One empty home."""
    return make_home()


@pytest.fixture
def only_valkey(place, monkeypatch):
    """A home whose PostgreSQL is somebody else's: the quicker one to try things on."""
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:else@127.0.0.1:1/theirs")
    return place


@pytest.fixture
def only_postgres(place, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/1")
    return place


@pytest.fixture
def client():
    """Start clients; whatever happens, none is left."""
    started = []

    def start():
        started.append(Client())
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
