"""`python -m config.local.benches.feed_run`: one run of the feed in a process of its own, as a worker's is.

Prints how many seconds it took, and the most megabytes that the process held from its very start.
"""

import json
import os
import time
from pathlib import Path

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from payments.reconciliation.feed import run_feed

    began = time.monotonic()
    run = run_feed()
    taken = time.monotonic() - began
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    held = int(lines["VmHWM"].split()[0]) / 1024
    print(json.dumps({"run": run and run.pk, "seconds": taken, "megabytes": held}))


if __name__ == "__main__":
    main()
