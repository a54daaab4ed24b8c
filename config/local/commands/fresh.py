"""`up --fresh`: a home that begins anew, without its data and with its ports."""

import os
import shutil
from pathlib import Path

from config.local import home, services

# Locks and remembered ports stay: a lock file that is deleted while held would let a second holder in.
FOLDERS = ("data", "logs", "mail", "reports", "uploads")
FILES = ("secrets.json", "demo.json")


def begin_anew() -> None:
    """Delete what the home holds. Raises InUse while any process works with its servers; refuses a strange folder."""
    place = home.home()
    if place in (Path.home(), Path("/"), home.ROOT) or place in home.ROOT.parents:
        raise home.HomeUnusable(f"{place} is more than a home of Outlast; nothing is deleted there.")
    with services.exclusive():
        for name in FOLDERS:
            empty(place / name)
        for name in FILES:
            (place / name).unlink(missing_ok=True)
        for state in (place / "run").glob("*.json"):
            state.unlink()


def empty(folder: Path) -> None:
    """Delete everything in the folder and keep the folder, which may be a link."""
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry)
        else:
            os.unlink(entry)
