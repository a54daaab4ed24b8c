"""`manage.py test`: all tests in parallel on the real servers, with the coverage floor; arguments go to pytest.

Any argument makes it a partial run, which measures no coverage: `manage.py test tests/pools -k capacity`. Tests marked
`slow` run only when asked for: `manage.py test -m slow`.
"""

import os
import sys

from config.local import home

COVERAGE_FLOOR = 90
PACKAGES = ("config", "accounts", "pools", "entries", "payments")
# With these pytest must stay in one process, or has been told how many to use.
ALONE = ("--pdb", "--trace", "-s", "--capture=no", "--co", "--collect-only", "-n", "--numprocesses", "--version", "-h")


def main(argv: list[str]) -> int:
    """Become pytest: its exit code is ours."""
    if argv in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    os.chdir(home.ROOT)
    os.environ["OUTLAST_ENV"] = "test"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *options(argv)])


def options(argv: list[str]) -> list[str]:
    """What pytest is told: ours first, so that the caller's win."""
    found = list(argv)
    if not any(argument.startswith(ALONE) for argument in argv):
        found = ["-n", str(workers()), "--dist", "loadgroup", *found]
    if not argv:
        measured = [f"--cov={package}" for package in PACKAGES]
        found += [*measured, "--cov-branch", "--cov-report=term:skip-covered", f"--cov-fail-under={COVERAGE_FLOOR}"]
        found += ["--durations=10"]
    return found


def workers() -> int:
    """One for each core we may use, and two at least: tests wait for databases too."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, cores)
