"""Known weaknesses of the packages in the lock file: `python -m config.local.commands.advisories`, by pip-audit.

pip-audit passes over a package that its service does not know, so an index that only mirrors packages would look like
a clean bill of health. Therefore the service is first asked about one package that it must know. Where it cannot be
asked, nothing is judged, and that is said aloud; with `--required`, as before a release, it is then a failure.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.local import home
from config.local.findings import Finding, complaints, exceptions

CHECK = "advisories"
# Everything that is installed anywhere: what production installs is a part of it.
LOCK = home.ROOT / "config" / "local" / "requirements.txt"
KNOWN_TO_ALL = "django"
TIMEOUT_SECONDS = 10
NOT_JUDGED = """\
*** NOT JUDGED: the advisory service cannot be asked, so nothing is known about weaknesses of our packages.
*** Before a release, run this where it can be: .venv/bin/python -m config.local.commands.advisories --required"""


class Unreachable(Exception):
    """The service did not answer, or does not know what it must know; the message is what pip-audit said."""


def audit(requirements: Path) -> list[dict[str, Any]]:
    """What pip-audit says of each pinned package of the file. Raises `Unreachable`."""
    argv = ["--requirement", str(requirements), "--no-deps", "--disable-pip", "--format", "json", "--aliases", "on"]
    argv += ["--progress-spinner", "off", "--timeout", str(TIMEOUT_SECONDS)]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *argv], cwd=home.ROOT, capture_output=True, text=True, check=False
    )
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise Unreachable(done.stderr.strip()[-1000:]) from None
    return rows


def probe() -> None:
    """Ask about one package that any service of advisories knows. Raises `Unreachable`."""
    pinned = next(line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith(f"{KNOWN_TO_ALL}=="))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{pinned}\n")
        file.flush()
        refuse_ignorance(audit(Path(file.name)))


def refuse_ignorance(rows: list[dict[str, Any]]) -> None:
    """Raise `Unreachable` where something was passed over that any service knows."""
    for row in rows:
        if "skip_reason" in row:
            raise Unreachable(row["skip_reason"])


def findings_in(rows: list[dict[str, Any]]) -> list[Finding]:
    """One for each advisory, and one for each package that could not be looked up."""
    found = [Finding("unknown", row["name"], row["skip_reason"]) for row in rows if "skip_reason" in row]
    for row in rows:
        for weakness in row.get("vulns", []):
            fixed = ", ".join(weakness["fix_versions"]) or "nothing yet"
            text = f"in {row['version']}, fixed by {fixed}: {weakness['description'][:200]}"
            found.append(Finding(weakness["id"], row["name"], text, also=tuple(weakness["aliases"])))
    return found


def main(argv: Sequence[str]) -> int:
    """Print what has to be done; 0 when there is nothing, or nothing could be judged and that is allowed."""
    parser = argparse.ArgumentParser(prog="advisories", description=__doc__)
    parser.add_argument("--required", action="store_true", help="fail where the service cannot be asked")
    options = parser.parse_args(argv)
    excused = exceptions(CHECK)
    try:
        probe()
    except Unreachable as reason:
        print(f"{NOT_JUDGED}\n*** {reason}")
        return 1 if options.required else 0
    said = complaints(findings_in(audit(LOCK)), excused, datetime.now(UTC).date())
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
