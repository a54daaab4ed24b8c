"""A cluster, a broker and a worker of their own, to be killed with -9 while others go on with theirs.

The worker is the one that `manage.py up` runs; the keeper brings a killed PostgreSQL back. What a settlement is doing
is seen from outside: it holds its advisory lock from its first statement to the end of its commit.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import redis
from celery import Celery
from kombu import Connection

from config.local import home
from config.local.services.process import tied_to_us
from tests.support.running import ROOT, RunningSystem, wait_for

# Leases the servers until its input ends, and says where they are.
LEASE = """
import os, sys
from config.local.services import ensure
ensure()
print(*(os.environ[name] for name in ("DATABASE_URL", "CELERY_BROKER_URL")), flush=True)
sys.stdin.read()
"""
SWEEP = "entries.tasks.settle_due"
# Who holds the settlement's lock, what for, and who waits for it.
HOLDING = """
    SELECT l.granted, a.client_port, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = 'outlast')
"""
FATES = """
    SELECT count(*), sum(hashtextextended(concat_ws('|', id, status, strikes, eliminated_round_number, eliminated_code,
                                                    rules_version, prize_cents), 0)) FROM entries_entry
"""
PICKS = """
    SELECT count(*), sum(hashtextextended(concat_ws('|', entry_id, round_id, slot, team_id, game_id, source), 0))
    FROM entries_pick
"""
HISTORY = """
    SELECT count(*), sum(hashtextextended(concat_ws('|', subject_id, from_status, to_status, details), 0))
    FROM entries_entrychange
"""
POOLS = "SELECT status, ended_round_number FROM pools_pool"
ROUNDS = "SELECT pool_id, round_number, fingerprint, is_begun FROM entries_settledround ORDER BY 1, 2"
DIFFERENCES = "SELECT difference::text FROM entries_settlement ORDER BY id"
ATTEMPTS = "SELECT count(*), sum(entry_id), sum(round_id) FROM entries_fillinattempt"
# Temporary tables, and transactions that nobody has decided about.
LEFT_OVER = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'", "SELECT count(*) FROM pg_prepared_xacts"
# Entries whose history does not have exactly one elimination where they are out, and none where they are not.
TOLD_WRONGLY = """
    SELECT count(*) FROM entries_entry e
    LEFT JOIN (SELECT subject_id, count(*) AS times FROM entries_entrychange
               WHERE to_status = 'eliminated' AND from_status <> 'eliminated' GROUP BY 1) told ON told.subject_id = e.id
    WHERE coalesce(told.times, 0) <> (e.status = 'eliminated')::int
"""
# Changes that are not in the span of the settlement that they name, or of none.
UNCOVERED = """
    SELECT count(*) FROM entries_entrychange c
    WHERE c.from_status <> '' AND (
        SELECT array_agg('settlement ' || s.id) FROM entries_settlement s
        WHERE c.id BETWEEN s.first_change_id AND s.last_change_id) IS DISTINCT FROM ARRAY[c.reason::text]
"""


@dataclass(frozen=True)
class State:
    """Everything that settlements decide, as checksums; equal when nothing is lost and nothing twice."""

    fates: tuple
    picks: tuple
    history: tuple
    attempts: tuple
    pools: list
    rounds: list
    differences: list


# A sweep that found nothing to do is told of to whoever looks closely.
WORKING = {"OUTLAST_PROCESS": "worker", "LOG_LEVEL": "DEBUG"}


class Killable:
    """Its own PostgreSQL and Valkey; `outlast` is the database in which everything happens."""

    def __init__(self, folder: Path) -> None:
        self.system = RunningSystem(folder)
        env = self.system.env | {"OUTLAST_KEEPER_PATIENCE": "0.2"}
        self.lease = subprocess.Popen(
            [sys.executable, "-c", LEASE], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        database, broker = self.lease.stdout.readline().split()
        self.address = database.rsplit("/", 1)[0]
        self.broker = redis.Redis.from_url(broker)
        self.broker_address = broker
        self.log = self.system.home / "logs" / "worker.log"
        self.worker: subprocess.Popen | None = None

    def end(self) -> None:
        """Nothing of it stays."""
        if self.worker is not None:
            self.kill_worker()
        self.lease.communicate()
        wait_for(lambda: not self.system.leftovers(), seconds=30)

    # --- The database -----------------------------------------------------------------------------------------------

    def connect(self, name: str = "outlast") -> psycopg.Connection:
        return psycopg.connect(f"{self.address}/{name}", autocommit=True, connect_timeout=3)

    def ask(self, *questions: str) -> list:
        """The rows of each."""
        with self.connect() as connection:
            return [connection.execute(question).fetchall() for question in questions]

    def copy(self, source: str, target: str) -> None:
        """A database anew, of the files of another. Whoever is connected to the old one loses it."""
        with self.connect("postgres") as server:
            server.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            # A copy needs the source for itself; the worker's connections to it have seen their day.
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
            server.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}" STRATEGY file_copy')

    def state(self) -> State:
        sums, lists = self.ask(FATES, PICKS, HISTORY, ATTEMPTS), self.ask(POOLS, ROUNDS, DIFFERENCES)
        return State(*(rows[0] for rows in sums), *lists)

    def holders(self) -> list[tuple]:
        """Of each settlement: whether it is at work or waits for its turn, its client's port, its statement."""
        return self.ask(HOLDING)[0]

    # --- The worker -------------------------------------------------------------------------------------------------

    def start_worker(self) -> None:
        with self.log.open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "-q", "-A", "config.celery", "worker", "-c", "2",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"],
                cwd=ROOT, env=self.system.env | WORKING, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=tied_to_us(signal.SIGTERM),
            )  # fmt: skip

    def sweep(self) -> str:
        """What the scheduler says every twenty seconds; the id of what is to be done."""
        # Celery itself would rather take the address that the test run has in its environment.
        with Connection(self.broker_address) as connection:
            return Celery("sender", set_as_current=False).send_task(SWEEP, connection=connection).id

    def await_done(self, task: str) -> bool:
        """Until the worker says that it has ended; whether well."""
        # The broker's lists are empty for an instant while a message passes from one to the other.
        ended = rf"\[{task}\] task {SWEEP} (\w+) "
        try:
            found = wait_for(lambda: re.search(ended, self.log.read_text()), seconds=90, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()[-4000:]}") from None
        return found[1] == "SUCCESS"

    def settle(self) -> None:
        """Have the worker settle."""
        assert self.await_done(self.sweep()), self.log.read_text()[-4000:]

    # --- Killing ----------------------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        """All of its processes; its message is lost with it."""
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.broker.flushdb()

    def kill_postgres(self) -> None:
        """The postmaster and every process of it, at once; until the keeper has it back."""
        pid = self._server()
        victims = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        wait_for(lambda: self._server() not in (0, pid), seconds=60, every=0.05)

    def _server(self) -> int:
        return int(home.read_json(self.system.home / "run" / "postgres.json").get("server", 0))


class Watch:
    """One connection that looks at what settlement does, again and again."""

    def __init__(self, place: Killable) -> None:
        self.connection = place.connect("postgres")

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def statements(self) -> list[str]:
        """Of the settlement that holds the lock: what it is at; nothing when there is none."""
        found = self.connection.execute(HOLDING).fetchall()
        return [" ".join(query.split())[:60] for granted, _, query in found if granted]

    def await_start(self) -> float:
        """When the settlement began."""
        deadline = time.monotonic() + 60
        while not self.statements():
            assert time.monotonic() < deadline, "no settlement began"
            time.sleep(0.001)
        return time.monotonic()

    def await_end(self) -> float:
        while self.statements():
            time.sleep(0.001)
        return time.monotonic()

    def await_commit(self) -> None:
        """Until it commits, or is over."""
        while (now := self.statements()) and not now[0].startswith("COMMIT"):
            pass
