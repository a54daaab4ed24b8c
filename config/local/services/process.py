"""Starting programs that never outlive who started them."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from config.local.services.account import Account

PR_SET_PDEATHSIG = 1
# Looked up once, before any fork. Linux alone has it; elsewhere a leftover is found at the next start.
_prctl: Any = getattr(ctypes.CDLL(None), "prctl", None)


def tied_to_us(death_signal: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the child this signal when the thread that starts it ends, even by kill -9."""
    parent = os.getpid()

    def tie() -> None:
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        # We may have died before the call above: then nobody would ever send the signal.
        if os.getppid() != parent:
            os._exit(1)

    return tie


def spawn(
    argv: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    death_signal: signal.Signals,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
    pass_fds: Sequence[int] = (),
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, as `account` if given, tied to this process."""
    identity: dict[str, Any] = {}
    if account:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [str(part) for part in argv],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
        pass_fds=pass_fds,
        # Runs after the change of user, which would undo it.
        preexec_fn=tied_to_us(death_signal),
        **identity,
    )


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def runs(pid: int, mentioning: Path) -> bool:
    """Whether this process exists and names the path on its command line, so that a reused id is not mistaken."""
    import psutil

    try:
        return any(str(mentioning) in part for part in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
