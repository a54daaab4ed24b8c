"""A whole system whose surroundings can be taken away one by one, and given back: nobody restarts the system itself."""

import os
import re
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
import redis
from django.db import connection

from config.local import home
from tests.support.killing import LEASE
from tests.support.running import ROOT, RunningSystem, free_port, wait_for


class Passage:
    """A TCP port that leads to another one: open, closed (refused), or frozen (nothing comes through)."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.through = threading.Event()
        self.through.set()
        self.pairs: set[socket.socket] = set()
        self.listener: socket.socket | None = None
        self.port = free_port()
        self.open()

    def open(self) -> None:
        self.through.set()
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self) -> None:
        """Nobody gets in, and whoever is in is thrown out."""
        listener, self.listener = self.listener, None
        if listener is not None:
            # Closing alone would leave the thread in accept(), and the port with it.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for one in list(self.pairs):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        self.through.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                inner, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(inner,), daemon=True).start()

    def _carry(self, inner: socket.socket) -> None:
        with inner, suppress(OSError), socket.create_connection(self.target, 3) as outer:
            self.pairs |= {inner, outer}
            try:
                while True:
                    ready, _, _ = select.select([inner, outer], [], [])
                    self.through.wait()
                    for one in ready:
                        piece = one.recv(65536)
                        if not piece:
                            return
                        (outer if one is inner else inner).sendall(piece)
            finally:
                self.pairs -= {inner, outer}


@contextmanager
def passage_to_postgresql(monkeypatch: pytest.MonkeyPatch) -> Iterator[Passage]:
    """New connections of Django's go through it, until the block ends."""
    here = connection.settings_dict
    passage = Passage((here["HOST"] or "127.0.0.1", int(here["PORT"])))
    monkeypatch.setitem(here, "HOST", "127.0.0.1")
    monkeypatch.setitem(here, "PORT", str(passage.port))
    yield passage
    passage.open()
    passage.close()


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as a mailer needs."""

    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline().strip().upper():
            if line.startswith(b"DATA"):
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines).decode())
                self.say("250 taken")
            elif line.startswith(b"QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 sink")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailSink(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def to(self, address: str) -> list[str]:
        return [text for text in self.mails if re.search(rf"^To: {re.escape(address)}\s*$", text, re.MULTILINE)]


class Surrounded(RunningSystem):
    """`manage.py up` with PostgreSQL and Valkey of its own, the broker and the mail server behind passages of ours."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "home", "--no-demo")
        # Held from before the system begins until after its end: we have to know where they are.
        self.lease = subprocess.Popen(
            [sys.executable, "-c", LEASE], cwd=ROOT, env=super().env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.database, broker = self.lease.stdout.readline().split()
        parts = urlsplit(broker)
        self.redis = redis.Redis.from_url(broker, socket_timeout=5)
        self.broker = Passage(("127.0.0.1", parts.port))
        self.sink = MailSink()
        self.mail = Passage(("127.0.0.1", self.sink.port))
        netloc = parts.netloc.replace(f":{parts.port}", f":{self.broker.port}")
        self.own = {
            "CELERY_BROKER_URL": urlunsplit(parts._replace(netloc=netloc)),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
        }

    @property
    def env(self) -> dict[str, str]:
        return super().env | self.own

    def start(self) -> None:
        """The tables first: on a busy machine they alone take minutes."""
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=self.env, check=True, timeout=600, stdin=subprocess.DEVNULL)
        super().start()

    def end(self) -> int:
        code = self.stop()
        self.lease.communicate()
        for one in (self.broker, self.mail):
            one.close()
        self.sink.shutdown()
        self.sink.server_close()
        return code

    def programs(self) -> dict[int, str]:
        """The processes that serve and work: those of the web server, and the worker's first."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            line = " ".join(child.cmdline())
            if "config.web.serving" in line:
                found |= {each.pid: "web" for each in (child, *child.children())}
            elif " worker" in line:
                found[child.pid] = "worker"
        return found

    def ask(self, question: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.database, autocommit=True, connect_timeout=3) as connection:
            return connection.execute(question, values or None).fetchall()

    # --- What is taken away -----------------------------------------------------------------------------------------

    def _state(self, name: str) -> dict[str, int]:
        return home.read_json(self.home / "run" / f"{name}.json")

    @contextmanager
    def _stopped(self, name: str, how: signal.Signals) -> Iterator[None]:
        """Ended, and its keeper kept from starting it again until the end of the block."""
        state = self._state(name)
        os.kill(state["keeper"], signal.SIGSTOP)
        try:
            os.kill(state["server"], how)
            # Its parent sleeps, so it stays behind as a zombie.
            wait_for(lambda: psutil.Process(state["server"]).status() == psutil.STATUS_ZOMBIE, seconds=30, every=0.02)
            yield
        finally:
            os.kill(state["keeper"], signal.SIGCONT)
        wait_for(lambda: self._state(name).get("server") not in (None, state["server"]), seconds=60, every=0.05)

    def redis_stopped(self):
        return self._stopped("valkey", signal.SIGKILL)

    def postgresql_stopped(self):
        return self._stopped("postgres", signal.SIGINT)

    @contextmanager
    def postgresql_restarted(self) -> Iterator[None]:
        """It is back before anybody asks: what is left of it are dead connections."""
        before = self._state("postgres")["server"]
        os.kill(before, signal.SIGINT)
        wait_for(lambda: self._state("postgres").get("server") not in (None, before), seconds=60, every=0.05)
        yield

    @contextmanager
    def redis_frozen(self) -> Iterator[None]:
        """It takes connections and never answers."""
        server = self._state("valkey")["server"]
        os.kill(server, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(server, signal.SIGCONT)

    @contextmanager
    def redis_emptied(self) -> Iterator[None]:
        """Sessions, counters, messages: all forgotten at once."""
        self.redis.flushall()
        yield

    @contextmanager
    def redis_full(self) -> Iterator[None]:
        """It answers, and refuses every write."""
        self.redis.config_set("maxmemory", "1")
        try:
            yield
        finally:
            self.redis.config_set("maxmemory", "256mb")

    @contextmanager
    def broker_away(self) -> Iterator[None]:
        self.broker.close()
        try:
            yield
        finally:
            self.broker.open()

    @contextmanager
    def broker_frozen(self) -> Iterator[None]:
        self.broker.freeze()
        try:
            yield
        finally:
            self.broker.open()

    @contextmanager
    def mail_away(self) -> Iterator[None]:
        self.mail.close()
        try:
            yield
        finally:
            self.mail.open()
