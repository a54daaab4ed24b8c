"""Web servers of our own on this test's database, and a balancer in front of them that believes their readiness."""

import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress

from config.local.services.process import tied_to_us
from tests.support.children import database_url
from tests.support.running import ROOT, free_port, wait_for

ASKS_EVERY = 0.1
FAILURES = 2


class WebServer:
    """`config.web.serving`, as a deployment starts it."""

    def __init__(self, settings, log, *, drain, workers=1, **env):
        self.port, self.log, self.workers = free_port(), log, workers
        self.env = os.environ | {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "OUTLAST_PROCESS": "web",
            "LOG_LEVEL": "ERROR",
            "RATE_LIMIT_SCALE": "100000",
            "DRAIN_SECONDS": str(drain),
            "STRIPE_API_BASE": settings.STRIPE_API_BASE or "",
            "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
            **env,
        }

    def start(self):
        command = [sys.executable, "-m", "config.web.serving", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=tied_to_us(signal.SIGINT), start_new_session=True,
            )  # fmt: skip
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return self.readiness() == 200

    def readiness(self):
        """The status of `/health/ready`; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait(self):
        wait_for(self.is_ready, seconds=90, every=0.1)
        return self

    def kill(self):
        """And its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, how=signal.SIGTERM):
        """Told to end; how it ended."""
        self.process.send_signal(how)
        return self.process.wait(60)


class Balancer:
    """Sends each call to the next server that is ready, and tries nothing twice.

    A server is out after two answers in a row that it is not, or none: on a busy machine one may be late. Where all are
    out, whoever was ready last is believed to be busy, as balancers do.
    """

    def __init__(self, servers):
        self.servers = servers
        self.ready = set()
        self.failures = dict.fromkeys((server.port for server in servers), 0)
        self.turns = itertools.count()
        self.kept = threading.local()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: len(self.ready) == len(self.servers), seconds=90)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _ask(self):
        while not self.over.wait(ASKS_EVERY):
            for server in self.servers:
                self._judge(server.port, is_ready=server.readiness() == 200)

    def _judge(self, port, *, is_ready):
        self.failures[port] = 0 if is_ready else self.failures[port] + 1
        if is_ready:
            self.ready.add(port)
        elif self.failures[port] >= FAILURES and len(self.ready) > 1:
            self.ready.discard(port)

    def call(self, method, path, body=None, **headers):
        """The status of the answer. Connections are kept, as balancers do, as long as their server is ready."""
        ready = sorted(self.ready)
        assert ready, "no server is ready"
        port = ready[next(self.turns) % len(ready)]
        kept = self.kept.__dict__
        for other in set(kept) - set(ready):
            kept.pop(other).close()
        if port not in kept:
            kept[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            kept[port].request(method, path, body, headers)
            answer = kept[port].getresponse()
            answer.read()
        except BaseException:
            kept.pop(port).close()
            raise
        return answer.status


class Load:
    """Calls without a pause from several threads; whatever was not answered as it should be is kept."""

    def __init__(self, call, *, threads=4, pause=0.01):
        self.call, self.pause = call, pause
        self.answers, self.dropped = [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def _work(self):
        while not self.over.is_set():
            try:
                status = self.call()
                (self.answers if status < 500 else self.dropped).append(status)
            except Exception as error:  # noqa: BLE001  # whatever it was, the caller was not served
                self.dropped.append(repr(error))
            time.sleep(self.pause)


def half_sent(port, path, body):
    """A call of which the head and half the body have arrived; the rest is for the caller of this to send."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    opened.sendall(f"{head}\r\n\r\n".encode() + body[: len(body) // 2])
    return opened


def status_of(opened):
    """The status of the answer that comes over a connection, read to its end."""
    answer = http.client.HTTPResponse(opened)
    with opened, suppress(ConnectionError):
        answer.begin()
        answer.read()
    return answer.status
