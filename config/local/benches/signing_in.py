"""How fast picks are saved while many people sign in at once, through the web server as `up` runs it.

What is measured begins when a pick was due to be sent, so that a server which falls behind is not spared what waited
meanwhile; quiet and storm take turns. Those who sign in are a process that takes what nobody else wants of the
processors, as they would come from machines of their own; the server's part of each of their calls is measured in full.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

from accounts.models import User
from accounts.services.sessions import begin_session
from config.local.benches.bigpools import Plan
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.saving import environment
from config.local.benches.scale import Pair, Scale
from config.local.benches.sending import ask, send_in_time
from config.local.benches.serving import free_port, percentile, running, wait_for_server
from config.local.supervisor.programs import web
from entries.models import Entry, EntryStatus, Pick
from pools.models import Team

PLAN = Plan("storm", entries=200, settled=True)
PLAYERS = 60
PER_SECOND = 25
SENDERS = 8
TURNS = 4
SECONDS, LEAST_SECONDS = 6, 2
WARM_SECONDS = 2
# A storm begins before the picks that are measured in it, and ends after them.
LEAD_SECONDS = 1.0


@dataclass(frozen=True)
class Change:
    """One pick to be saved: where, by whom, which team."""

    path: str
    access: str
    body: bytes


def picks(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds in which 95 of 100 picks are saved during the storm, and without it."""
    seconds = scale(SECONDS, least=LEAST_SECONDS)
    with runs.databases.copy_of(PLAN), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        port = free_port()
        stack.enter_context(running(web("127.0.0.1", port), environment(folder), folder))
        wait_for_server(port)
        changes = cycle(_changes())
        _save(port, changes, WARM_SECONDS)
        quiet, stormy = [], []
        for _ in range(TURNS):
            quiet += _save(port, changes, seconds)
            with _Storm(port, seconds + 2 * LEAD_SECONDS) as storm:
                time.sleep(LEAD_SECONDS)
                stormy += _save(port, changes, seconds)
            storm.expect_hashing()
    return Pair(percentile(stormy, 95), percentile(quiet, 95))


class _Storm:
    """The process that signs in, from begin to end of the block."""

    def __init__(self, port: int, seconds: float) -> None:
        self.command = [sys.executable, "-m", "config.local.benches.storming", str(port), str(seconds)]
        self.said = ""

    def __enter__(self) -> "_Storm":
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self.said = self.process.communicate(timeout=120)[0]

    def expect_hashing(self) -> None:
        """A storm in which nobody got as far as the hasher was none, and one of broken connections says nothing."""
        answered = {int(status): count for status, count in json.loads(self.said or "{}").items()}
        if answered.get(401, 0) < 5 or set(answered) - {401, 503}:
            raise Meaningless(f"signing in was answered {answered}")


def _changes() -> list[Change]:
    """Each player changes to and fro between two teams that they may still take."""
    used = dict(Pick.objects.filter(round__number=PLAN.round_number).values_list("entry_id", "team_id"))
    teams = list(Team.objects.order_by("pk")[:3])
    entries = Entry.objects.filter(status=EntryStatus.ACTIVE).order_by("pk").select_related("user")[:PLAYERS]
    found = []
    for entry in entries:
        access = begin_session(
            user=User.objects.get(pk=entry.user_id), address="", user_agent="", has_second_factor=False
        ).access
        path = f"/api/v1/entries/{entry.pk}/picks/{PLAN.round_number + 1}"
        free = [team for team in teams if team.pk != used.get(entry.pk)][:2]
        found.append([Change(path, access, json.dumps({"team": team.code}).encode()) for team in free])
    return [change for changes in zip(*found, strict=True) for change in changes]


def _save(port: int, changes: Iterator[Change], seconds: int) -> list[float]:
    """Send changes at their times; milliseconds from due to answered, of each."""
    mine = [next(changes) for _ in range(PER_SECOND * seconds)]

    def put(connection: HTTPConnection, number: int) -> int:
        change = mine[number]
        return ask(connection, "PUT", change.path, change.body, {"Authorization": f"Bearer {change.access}"})

    sent = send_in_time(port, put, count=len(mine), per_second=PER_SECOND, senders=SENDERS)
    if set(sent.answered) != {200}:
        raise Meaningless(f"picks were answered {dict(sent.answered)}")
    return sent.taken
