"""A whole system as a separate set of processes, and a plain HTTP client to talk to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local.services.process import tied_to_us

ROOT = Path(__file__).resolve().parents[2]
# What the test run itself uses; the system under test must find its own.
OURS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE")
PREFIXES = ("OUTLAST_", "STRIPE_", "PYTEST_", "COV_")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        assert self.status < 400, (self.status, self.body[:2000])
        return self.json["data"]

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Client:
    """Calls the API as one person."""

    def __init__(self, base: str, token: str = "") -> None:
        self.base, self.token = base, token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        url = path if path.startswith("http") else f"{self.base}/api/v1{path}"
        request = urllib.request.Request(url, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.token and not path.startswith("http"):
            request.add_header("Authorization", f"Bearer {self.token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def put(self, path: str, body: Any) -> Answer:
        return self.call("PUT", path, body)

    def post(self, path: str, body: Any = None, *, key: bool = False) -> Answer:
        return self.call("POST", path, body or {}, **({"Idempotency_Key": str(uuid.uuid4())} if key else {}))


def wait_for(question, *, seconds: float = 30, every: float = 0.2) -> Any:
    """Ask until the answer is true; fail with the last answer when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(every)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningSystem:
    """`manage.py up` on a home and a port of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.options = options
        self.output = home.parent / f"{home.name}.log"

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in OURS and not k.startswith(PREFIXES)}
        return kept | {"OUTLAST_HOME": str(self.home), "OUTLAST_ENV": "local"}

    def start(self) -> None:
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port), *self.options],
                cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                # A test run that is killed must not leave a whole system behind.
                preexec_fn=tied_to_us(signal.SIGTERM),
            )  # fmt: skip
        try:
            wait_for(self._is_ready, seconds=120)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output.read_text()[-4000:]}") from None

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()[-4000:]
        try:
            with urllib.request.urlopen(f"{self.base}/health/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def manage(self, *arguments: str, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env | env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self, how: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def mails(self, address: str) -> list[str]:
        """What was mailed to the address, oldest first, as text."""
        files = sorted((self.home / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        texts = [path.read_text() for path in files]
        return [text for text in texts if f"To: {address}" in text]

    def leftovers(self) -> list[str]:
        """Processes that still have this home in their environment or command line."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                told = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
            except OSError:
                continue
            if str(self.home).encode() in told and int(folder.name) != os.getpid():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found
