"""The child processes of `manage.py up`: their lines, their logs, their ends.

Each child leads a process group of its own, so that its own children can be ended with it, and dies with us even on
kill -9: the kernel signals it, and the undertaker makes sure of the group.
"""

import io
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TextIO

from config.local import home
from config.local.services.process import spawn
from config.local.supervisor.programs import Program
from config.local.supervisor.undertaker import send

COLOURS = (36, 33, 35, 32, 34, 31)
NAME_WIDTH = 7


@dataclass
class Child:
    """A running child, its log and the last lines it wrote."""

    program: Program
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    colour: int
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    unfinished: bytes = b""

    def lines(self, written: bytes) -> list[str]:
        """The whole lines that are there now and are worth a terminal."""
        *whole, self.unfinished = (self.unfinished + written).split(b"\n")
        lines = [line.decode(errors="replace") for line in whole]
        self.recent.extend(lines)
        return [line for line in lines if not (self.program.chatter and self.program.chatter in line)]


@dataclass(frozen=True)
class Ending:
    """A child that is gone: its exit code, or minus the signal that killed it, and the last lines it wrote."""

    name: str
    code: int
    lines: list[str]


class Children:
    """All children. Not a thread anywhere: `pump()` is called often, and reads whatever they wrote."""

    def __init__(self, output: TextIO, *, lock: int) -> None:
        self.output = output
        self.running: dict[str, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._undertaker = subprocess.Popen(
            [sys.executable, "-m", "config.local.supervisor.undertaker"],
            cwd=home.ROOT,
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            # It keeps the home locked until the last child is gone, also when we are gone already.
            pass_fds=[lock],
        )

    def start(self, program: Program) -> None:
        """Start a program as a child; its name prefixes its lines and names its log."""
        process = spawn(
            program.argv,
            output=subprocess.PIPE,
            death_signal=signal.SIGTERM,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            cwd=home.ROOT,
        )
        self._tell_undertaker(f"+{process.pid}")
        colour = COLOURS[len(self.running) % len(COLOURS)]
        child = Child(program, process, home.open_log(f"{program.name}.log"), colour)
        self.running[program.name] = child
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def pump(self, timeout: float) -> None:
        """Pass on what the children write within the next moments."""
        for key, _ in self._selector.select(timeout):
            self._read(key.data)

    def ended(self) -> Ending | None:
        """A child that ended although nobody asked it to; the undertaker counts as one."""
        if self._undertaker.poll() is not None:
            return Ending("undertaker", self._undertaker.returncode, [])
        for child in self.running.values():
            if child.process.poll() is not None:
                self._read(child)
                return Ending(child.program.name, child.process.returncode, list(child.recent))
        return None

    def restart(self, name: str) -> None:
        """Start the program of an ended child again."""
        child = self.running[name]
        self._forget(child)
        self.start(child.program)

    def stop(self, *names: str, timeout: float = 8.0) -> None:
        """Ask children to stop, wait, and end what is left of their groups by force."""
        leaving = [self.running[name] for name in names if name in self.running]
        for child in leaving:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + timeout
        while any(child.process.poll() is None for child in leaving) and time.monotonic() < deadline:
            self.pump(0.05)
        for child in leaving:
            self._forget(child)

    def close(self) -> None:
        """End whatever still runs, and the undertaker."""
        self.stop(*self.running)
        if self._undertaker.stdin:
            self._undertaker.stdin.close()
        self._undertaker.wait()

    def _forget(self, child: Child) -> None:
        send(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._read(child)
        if child.unfinished:
            self._show(child, child.lines(b"\n"))
        self._unlisten(child)
        child.log.close()
        del self.running[child.program.name]
        self._tell_undertaker(f"-{child.process.pid}")

    def _read(self, child: Child) -> None:
        assert child.process.stdout is not None
        written = child.process.stdout.read()
        if written:
            child.log.write(written)
            child.log.flush()
            self._show(child, child.lines(written))
        elif written == b"":
            # Closed: it would be readable for ever. `ended()` notices the rest.
            self._unlisten(child)

    def _unlisten(self, child: Child) -> None:
        output = child.process.stdout
        if output and output in self._selector.get_map():
            self._selector.unregister(output)

    def _tell_undertaker(self, line: str) -> None:
        assert self._undertaker.stdin is not None
        try:
            self._undertaker.stdin.write(f"{line}\n".encode())
        except BrokenPipeError:
            # It was killed: `ended()` says so.
            return

    def _show(self, child: Child, lines: list[str]) -> None:
        prefix = f"{child.program.name:>{NAME_WIDTH}} | "
        if self.output.isatty():
            prefix = f"\033[{child.colour}m{prefix}\033[0m"
        try:
            self.output.write("".join(f"{prefix}{line}\n" for line in lines))
            self.output.flush()
        except OSError:
            # The terminal is gone; the logs go on, and the hang-up signal ends us properly.
            self.output = io.StringIO()
