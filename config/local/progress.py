"""Progress of long steps on a terminal or in a log file, with the standard library alone.

A step prints what it does, how long it has taken and the last thing the program said; on a terminal in one line that
keeps moving, elsewhere as a line every few seconds, so that a silent minute never looks like a hang.
"""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
WIDTH = 100


class StepFailed(Exception):
    """A program of a step ended with an error; `output` is what it said."""

    def __init__(self, title: str, code: int, output: str) -> None:
        super().__init__(f"{title} failed (exit code {code})")
        self.title = title
        self.code = code
        self.output = output


@dataclass
class Progress:
    """Prints steps to `stream`, which is not standard output, so that a command's own output stays clean."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    every: float = 5.0

    def say(self, line: str) -> None:
        """One line, whole."""
        clear = "\r\033[K" if self.stream.isatty() else ""
        self._write(f"{clear}{line}\n")

    def done(self, title: str, seconds: float) -> None:
        """One finished step."""
        self.say(f"✓ {title} ({seconds:.1f} s)")

    def failed(self, title: str, seconds: float) -> None:
        """One step that did not work."""
        self.say(f"✗ {title} ({seconds:.1f} s)")

    def note(self, text: str, *, lines: int = 5) -> None:
        """The last lines of what a program said, when it matters although the work goes on."""
        for line in text.strip().splitlines()[-lines:]:
            self.say(f"  {line}")

    def run(
        self, title: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Run a program as one step. Raises StepFailed with all it said."""
        began = time.monotonic()
        if not self.stream.isatty():
            self.say(f"· {title} …")
        # In our own process group: Ctrl-C must reach an installer too.
        with subprocess.Popen(
            [*argv],
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                said = self._follow(title, process, began)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            self.failed(title, time.monotonic() - began)
            raise StepFailed(title, process.returncode, "".join(said))
        self.done(title, time.monotonic() - began)

    def _follow(self, title: str, process: subprocess.Popen[str], began: float) -> list[str]:
        said: list[str] = []
        latest: deque[str] = deque([""], maxlen=1)
        reader = threading.Thread(target=_collect, args=(process.stdout, said, latest), daemon=True)
        reader.start()
        shown = began
        turn = 0
        while reader.is_alive():
            reader.join(0.1)
            now = time.monotonic()
            turn += 1
            if self.stream.isatty():
                self._redraw(f"{FRAMES[turn % len(FRAMES)]} {title} {now - began:.0f} s  {latest[0]}")
            elif now - shown >= self.every:
                shown = now
                self.say(f"  {title}: {now - began:.0f} s  {latest[0]}".rstrip()[:WIDTH])
        return said

    def _redraw(self, line: str) -> None:
        self._write(f"\r\033[K{line[:WIDTH]}")

    def _write(self, text: str) -> None:
        encoding = self.stream.encoding or "utf-8"
        self.stream.write(text.encode(encoding, "replace").decode(encoding))
        self.stream.flush()


def _collect(source: Iterable[str] | None, said: list[str], latest: deque[str]) -> None:
    for line in source or ():
        said.append(line)
        if line.strip():
            latest.append(line.strip())
