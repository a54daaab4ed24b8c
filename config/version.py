"""Which code this is: kept on whatever has to be explained later, such as runs and exports."""

from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 60


def code_version() -> str:
    """The release that was deployed (OUTLAST_RELEASE), else the commit that is checked out, else "unknown"."""
    return settings.OUTLAST_RELEASE[:LONGEST] or _commit(ROOT / ".git") or "unknown"


@cache
def _commit(folder: Path) -> str:
    """Read from git's files: neither git nor its folder need be where this runs."""
    try:
        head = (folder / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        loose = folder / name
        if loose.exists():
            return loose.read_text().strip()[:12]
        packed = (line.split() for line in (folder / "packed-refs").read_text().splitlines())
        return next((parts[0][:12] for parts in packed if parts[-1:] == [name]), "")
    except OSError:
        return ""
