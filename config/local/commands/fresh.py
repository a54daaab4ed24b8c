"""`up --fresh`: a home that begins anew, without its data and with its ports."""

import os
import shutil
from pathlib import Path

from config.local import home, services

# Locks and remembered ports stay: a lock file that is deleted while held would let a second holder in.
LOCKS = (".lock", ".lease", ".keeper")
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
        empty(place / "run", but=LOCKS)


def empty(folder: Path, *, but: tuple[str, ...] = ()) -> None:
    """Delete everything in the folder, but for files with such an end. The folder stays; it may be a link."""
    for entry in os.scandir(folder):
        if but and entry.name.endswith(but):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry)
        else:
            os.unlink(entry)
