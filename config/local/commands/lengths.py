"""Names every source file that is too long to be read in one go: `python -m config.local.commands.lengths 400`."""

import subprocess
import sys
from pathlib import Path

from config.local import home

# Not migrations: they are written by `makemigrations`, and never edited by hand.
SUFFIXES = (".py", ".html", ".sql", ".js", ".css")


def tracked_files() -> list[Path]:
    """Everything that git knows or would take in; all files where there is no git."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        said = subprocess.run(listing, cwd=home.ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        hidden = (".venv", "var")
        return [path for path in home.ROOT.rglob("*") if path.relative_to(home.ROOT).parts[0] not in hidden]
    return [home.ROOT / name for name in said.split("\0") if name]


def too_long(files: list[Path], longest: int) -> list[str]:
    """A sentence for each file with more lines than allowed."""
    found = []
    for path in files:
        if path.suffix in SUFFIXES and path.is_file() and "migrations" not in path.parts:
            count = path.read_bytes().count(b"\n")
            if count > longest:
                found.append(f"{path.relative_to(home.ROOT)} has {count} lines; {longest} are allowed")
    return found


if __name__ == "__main__":
    sentences = too_long(tracked_files(), int(sys.argv[1]))
    print("\n".join(sentences))
    sys.exit(1 if sentences else 0)
