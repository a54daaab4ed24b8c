"""From a bare Python 3.11 to the pinned environment in `.venv`, with the standard library alone.

`prepare()` makes the virtual environment, puts the installer into it, installs exactly the hashed lock and leaves a
stamp; with a fresh stamp it costs nothing. A changed lock is installed over the environment; another Python or a
moved folder makes it anew, because an environment holds absolute paths. Never called in staging or production.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.local.progress import Progress, StepFailed

ROOT = Path(__file__).resolve().parents[2]
FLOOR = (3, 11)


class CannotPrepare(Exception):
    """The environment cannot be made here; the message says what to do about it."""


@dataclass(frozen=True)
class Environment:
    """The virtual environment of the project in `root`."""

    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def lock(self) -> Path:
        return self.root / "config" / "local" / "requirements.txt"

    @property
    def installer(self) -> Path:
        return self.root / "config" / "local" / "installer.txt"

    @property
    def stamp(self) -> Path:
        return self.folder / ".outlast-stamp"

    def is_current(self) -> bool:
        """Whether the environment stands here, on this Python, with exactly this lock."""
        return self.python.exists() and self._stamped() == self.fingerprint()

    def is_active(self) -> bool:
        """Whether this process runs in it."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def fingerprint(self) -> dict[str, str]:
        """What the stamp must say."""
        return {
            "root": str(self.root),
            # Symbolic links followed: an upgrade of the system's python3 shows here.
            "python": str(self.python.resolve()),
            "lock": hashlib.sha256(self.lock.read_bytes()).hexdigest(),
        }

    def must_be_made_anew(self) -> bool:
        """Whether what stands there cannot be used any more."""
        if not self.python.exists():
            return True
        stamped = self._stamped()
        fingerprint = self.fingerprint()
        if stamped:
            return any(stamped.get(key) != fingerprint[key] for key in ("root", "python"))
        return not self._works()

    def write_stamp(self) -> None:
        """Say that the lock is installed. Written last, so that a broken installation is never believed."""
        unfinished = self.stamp.with_suffix(".new")
        unfinished.write_text(json.dumps(self.fingerprint()), encoding="utf-8")
        unfinished.replace(self.stamp)

    def _stamped(self) -> dict[str, str]:
        try:
            return dict(json.loads(self.stamp.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def _works(self) -> bool:
        question = f"import pip, sys; sys.exit(sys.version_info < {FLOOR})"
        return subprocess.run([self.python, "-c", question], capture_output=True, check=False).returncode == 0


def prepare(*, progress: Progress | None = None, environment: Environment | None = None) -> Environment:
    """Make sure that `.venv` holds the lock, and nothing else when it does already. Raises CannotPrepare."""
    environment = environment or Environment()
    if environment.is_current():
        return environment
    if environment.folder.is_symlink():
        # Making it anew would empty the environment of whoever it belongs to.
        raise CannotPrepare(f"{environment.folder} is a link. Remove it, and an environment is made here.")
    progress = progress or Progress()
    began = time.monotonic()
    try:
        with _alone(environment.root):
            # Whoever held the lock before us may have done the work.
            if not environment.is_current():
                _make(environment, progress)
                progress.done("environment ready", time.monotonic() - began)
    except StepFailed as failure:
        raise CannotPrepare(f"{failure}:\n{failure.output[-4000:]}") from failure
    except PermissionError as failure:
        raise CannotPrepare(f"{failure.filename} belongs to another user: {failure.strerror}.") from failure
    return environment


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One installer at a time: the project's folder itself is the lock, so no file is left behind."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(environment: Environment, progress: Progress) -> None:
    if environment.must_be_made_anew():
        _make_folder(environment, progress)
    environment.stamp.unlink(missing_ok=True)
    _install(environment, progress)
    environment.write_stamp()


def _install(environment: Environment, progress: Progress) -> None:
    """With uv, ten times as fast; with pip where uv is not to be had or does not know the mirror that pip is set to."""
    hashed = ["--require-hashes", "--requirement", str(environment.lock)]
    uv = _uv(environment, progress)
    if uv:
        with_uv = [uv, "pip", "install", "--python", str(environment.python), *hashed]
        try:
            _run_uv(with_uv, progress)
            return
        except StepFailed as failure:
            progress.note(failure.output)
    pip = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
    progress.run("packages, with pip", [*pip, *hashed])


def _run_uv(argv: list[str], progress: Progress) -> None:
    """With uv's own certificates first: a minimal machine has none. Then with the machine's, which a proxy may need."""
    try:
        progress.run("packages", argv)
    except StepFailed as failure:
        if "certificate" not in failure.output:
            raise
        progress.run("packages, with this machine's certificates", [*argv, "--system-certs"])


def _make_folder(environment: Environment, progress: Progress) -> None:
    python = getattr(sys, "_base_executable", "") or sys.executable
    make = [python, "-m", "venv", "--clear", str(environment.folder)]
    try:
        progress.run("virtual environment", make)
    except StepFailed as failure:
        # Debian's python3 without python3-venv: half an environment must not be believed later.
        shutil.rmtree(environment.folder, ignore_errors=True)
        if "ensurepip" not in failure.output:
            raise
        _install_venv(progress)
        progress.run("virtual environment", make)


def _install_venv(progress: Progress) -> None:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotPrepare(
            "This Python comes without the venv module. On Debian or Ubuntu:\n\n"
            f"    sudo apt-get update && sudo apt-get install {package}\n\nThen run the same command again."
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    progress.run("package lists", ["apt-get", "update"], env=quiet)
    progress.run(package, ["apt-get", "install", "--yes", "--no-install-recommends", package], env=quiet)


def _uv(environment: Environment, progress: Progress) -> str:
    """The fast installer: ours, put into the environment from its own hashed pin; else the machine's; else none."""
    ours = environment.folder / "bin" / "uv"
    if not ours.exists():
        pip = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            progress.run("installer", [*pip, "--require-hashes", "--requirement", str(environment.installer)])
        except StepFailed:
            return shutil.which("uv") or ""
    return str(ours)
