"""`manage.py setup`: the environment, the embedded services and the tables, then back to the prompt."""

import argparse

from config.local import services
from config.local.progress import Progress
from config.local.supervisor import tables


def main(argv: list[str]) -> int:
    """Everything that a Django command needs to work right away."""
    parser = argparse.ArgumentParser(prog="manage.py setup", description=__doc__)
    parser.parse_args(argv)
    services.ensure()
    tables.bring_up_to_date(Progress())
    return 0
