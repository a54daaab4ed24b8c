"""Real seasons for tests. They carry no licence, so they lie beside the project and are never part of it."""

import os
from pathlib import Path

import pytest

MISSING = "REAL DATA MISSING"
FOLDER = Path(os.environ.get("OUTLAST_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")


def shared_data(name: str) -> Path:
    """The path of a data file. Without it the test is skipped by name, and in CI (`CI` is set) it fails."""
    path = FOLDER / name
    if not path.exists():
        missing = f"{MISSING}: {path}. Put it there, or name its folder in OUTLAST_SHARED_DATA."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return path
