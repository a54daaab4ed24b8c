"""Prometheus as Debian packages it: the checker of rules, and the server."""

import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from config.env import PROJECT

FOLDER = PROJECT / "docs" / "observability"
MISSING = "Prometheus is not here: apt-get install --no-install-recommends prometheus"


def needs_prometheus() -> None:
    """Skip, and say so where everybody sees it; with `CI` set, fail."""
    if shutil.which("promtool") is None or shutil.which("prometheus") is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        warnings.warn(MISSING, stacklevel=2)
        pytest.skip(MISSING)


def promtool(*arguments: str | Path) -> str:
    """What it says; fails with that where it finds a fault."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False, cwd=FOLDER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
