"""Code that invites trouble: `python -m config.local.commands.weaknesses`, by bandit, whatever its severity."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from config.local import home
from config.local.findings import Finding, complaints, exceptions

CHECK = "weaknesses"
PACKAGES = ("manage.py", "config", "accounts", "pools", "entries", "payments")


def findings_in(report: dict[str, Any]) -> list[Finding]:
    """One for each of bandit's results, and one for each file that it could not read."""
    found = [Finding("unread", row["filename"].removeprefix("./"), row["reason"]) for row in report["errors"]]
    for row in report["results"]:
        text = f"{row['issue_severity'].lower()}: {row['issue_text']}"
        found.append(Finding(row["test_id"], row["filename"].removeprefix("./"), text, row["line_number"]))
    return found


def scan() -> list[Finding]:
    """What bandit finds in our packages."""
    # Marks in the code are ignored: an exception has a reason and a date, and its place is one file.
    argv = [sys.executable, "-m", "bandit", "--recursive", *PACKAGES, "--format", "json", "--quiet", "--ignore-nosec"]
    done = subprocess.run(argv, cwd=home.ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return [Finding("bandit", "bandit", done.stderr.strip()[-1000:])]
    return findings_in(json.loads(done.stdout))


def main() -> int:
    """Print what has to be done; 0 when there is nothing."""
    said = complaints(scan(), exceptions(CHECK), datetime.now(UTC).date())
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
