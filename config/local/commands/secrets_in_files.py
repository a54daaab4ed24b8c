"""Keys and passwords that lie in the tree: `python -m config.local.commands.secrets_in_files`, by detect-secrets.

It looks at what git would take in, for known shapes of keys and for strings as random as keys are.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from config.local import home
from config.local.commands.lengths import tracked_files
from config.local.findings import Finding, complaints, exceptions

CHECK = "secrets"
# Hashes of packages are as random as keys, and tell nothing.
PASSED_OVER = ("requirements.txt", "config/local/requirements.txt")
AT_A_TIME = 400
# What a trigger's definition comes to, as the tool of triggers writes it into migrations.
TRIGGER_HASH = r'hash="[0-9a-f]{40}"'


def findings_in(report: dict[str, Any]) -> list[Finding]:
    """One for each line; never with the secret itself, which would then lie in the log as well."""
    return [
        Finding(row["type"], name.removeprefix("./"), "looks like a secret", row["line_number"])
        for name, rows in report["results"].items()
        for row in rows
    ]


def scan(names: list[str]) -> list[Finding]:
    """What detect-secrets finds in these files, named as seen from the project."""
    found: list[Finding] = []
    for start in range(0, len(names), AT_A_TIME):
        argv = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", "--exclude-lines", TRIGGER_HASH]
        argv += names[start : start + AT_A_TIME]
        done = subprocess.run(argv, cwd=home.ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            return [Finding("detect-secrets", "detect-secrets", done.stderr.strip()[-1000:])]
        found += findings_in(json.loads(done.stdout))
    return found


def main() -> int:
    """Print what has to be done; 0 when there is nothing."""
    names = [str(path.relative_to(home.ROOT)) for path in tracked_files() if path.is_file()]
    found = scan([name for name in names if name not in PASSED_OVER])
    said = complaints(found, exceptions(CHECK), datetime.now(UTC).date())
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
