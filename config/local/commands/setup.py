"""`manage.py setup`: the environment, the embedded services and the tables, then back to the prompt."""

import argparse
import sys

from config.local import home, services
from config.local.progress import Progress

MIGRATE = [sys.executable, str(home.ROOT / "manage.py"), "migrate", "--noinput"]


def main(argv: list[str]) -> int:
    """Everything that a Django command needs to work right away."""
    parser = argparse.ArgumentParser(prog="manage.py setup", description=__doc__)
    parser.parse_args(argv)
    services.ensure()
    Progress().run("migrations", MIGRATE, cwd=home.ROOT)
    return 0
