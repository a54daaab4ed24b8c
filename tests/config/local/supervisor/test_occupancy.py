import os
import socket
import subprocess
import sys
from io import StringIO

import pytest

from config.local import home
from config.local.progress import Progress
from config.local.services import InUse
from config.local.supervisor.occupancy import occupy, refuse_busy_port

OCCUPANT = """
import sys
from config.local.progress import Progress
from config.local.supervisor.occupancy import occupy
with occupy("http://127.0.0.1:8000", Progress()):
    print("there", flush=True)
    sys.stdin.read()
"""
# What a killed `up` leaves: a process that holds the lock for another while, under the name of a dead one.
UNDERTAKER = """
import fcntl, os, sys, time
from config.local import home
lock = home.open_lock("up.lock")
fcntl.flock(lock, fcntl.LOCK_EX)
os.pwrite(lock, b'{"pid": %d, "address": "http://127.0.0.1:8000"}' % int(sys.argv[1]), 0)
print("there", flush=True)
time.sleep(0.5)
"""


@pytest.fixture
def quiet():
    return Progress(stream=StringIO())


def test_a_second_up_on_the_same_home_is_refused_with_the_address_of_the_first(place, quiet):
    first = subprocess.Popen(
        [sys.executable, "-c", OCCUPANT], cwd=home.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    first.stdout.readline()
    try:
        with pytest.raises(InUse) as refusal, occupy("http://127.0.0.1:8001", quiet):
            pytest.fail("both run")
    finally:
        first.communicate()

    assert str(refusal.value) == (
        f"`manage.py up` runs on this home already: {place}, process {first.pid}, http://127.0.0.1:8000.\n"
        "Stop it with Ctrl-C, or start this one with another OUTLAST_HOME and another --port."
    )


def test_a_home_is_free_again_when_its_up_has_ended(place, quiet):
    for _ in range(2):
        with occupy("http://127.0.0.1:8000", quiet):
            pass


def test_what_a_killed_up_left_is_waited_for(place, quiet):
    dead = subprocess.Popen(["true"])
    dead.wait()
    undertaker = subprocess.Popen(
        [sys.executable, "-c", UNDERTAKER, str(dead.pid)], cwd=home.ROOT, stdout=subprocess.PIPE
    )
    undertaker.stdout.readline()

    with occupy("http://127.0.0.1:8001", quiet):
        assert undertaker.wait(1) == 0

    assert "the last run was killed" in quiet.stream.getvalue()


def test_a_lock_file_without_a_readable_name_counts_as_left_behind(place, quiet):
    descriptor = home.open_lock("up.lock")
    os.write(descriptor, b"{")
    os.close(descriptor)

    with occupy("http://127.0.0.1:8000", quiet):
        pass


def test_a_busy_port_is_named_together_with_a_free_one():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]

        with pytest.raises(InUse, match=f"Port {port} of 127.0.0.1 is in use") as refusal:
            refuse_busy_port("127.0.0.1", port)

    proposed = int(str(refusal.value).rpartition(" ")[2])
    assert proposed > port
    refuse_busy_port("127.0.0.1", proposed)
