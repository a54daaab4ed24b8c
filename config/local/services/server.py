"""What a keeper must know about the server it keeps."""

import signal
from pathlib import Path
from typing import Protocol

from config.local.services.account import Account


class ServerFailed(Exception):
    """The server cannot be prepared or started; the message says what it said."""


class Server(Protocol):
    """A server program, its data, and how to tell that it serves."""

    name: str
    port_name: str
    data: Path
    stop_signal: signal.Signals
    account: Account | None

    def prepare(self) -> None:
        """Make the data folder, once. Raises ServerFailed."""

    def command(self, port: int) -> list[str | Path]:
        """The program and its options."""

    def environment(self) -> dict[str, str]:
        """All variables the program gets."""

    def is_ready(self, pid: int, port: int) -> bool:
        """Whether this process answers clients now."""

    def addresses(self, port: int) -> dict[str, str]:
        """The environment variables that clients need, by name."""
