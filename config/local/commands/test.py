"""`manage.py test`: all tests in parallel on the real servers; arguments go to pytest.

`manage.py test --coverage` takes longer and holds the coverage floor. Tests marked `slow` run
only when asked for: `manage.py test -m slow`; a part is named as pytest does: `manage.py test tests/pools -k capacity`.
"""

import os
import signal
import subprocess
import sys

from config.local import home

COVERAGE = "--coverage"
COVERAGE_FLOOR = 90
PACKAGES = ("config", "accounts", "pools", "entries", "payments")
# With these pytest must stay in one process, or has been told how many to use.
ALONE = ("--pdb", "--trace", "-s", "--capture=no", "--co", "--collect-only", "-n", "--numprocesses", "--version", "-h")


def main(argv: list[str]) -> int:
    """Run pytest; its exit code is ours."""
    if argv in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    os.chdir(home.ROOT)
    os.environ["OUTLAST_ENV"] = "test"
    # Containers often forbid it; then each worker, and each process that a test starts, would compile all anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.stdout.flush()
    # pytest takes Ctrl-C itself and ends in order; we only wait for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call([sys.executable, "-m", "pytest", *options(argv)], preexec_fn=restore_interrupt)


def restore_interrupt() -> None:
    """In the child: Ctrl-C means what it always does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def options(argv: list[str]) -> list[str]:
    """What pytest is told: ours first, so that the caller's win."""
    found = [argument for argument in argv if argument != COVERAGE]
    if not any(argument.startswith(ALONE) for argument in found):
        found = ["-n", str(workers()), "--dist", "worksteal", *found]
    if COVERAGE in argv:
        measured = [f"--cov={package}" for package in PACKAGES]
        found += [*measured, "--cov-branch", "--cov-report=term:skip-covered", f"--cov-fail-under={COVERAGE_FLOOR}"]
    return [*found, "--durations=10"] if argv in ([], [COVERAGE]) else found


def workers() -> int:
    """One more than the cores we may use: many tests wait, for a lock, a deadline or another process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1
