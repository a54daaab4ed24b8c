"""`manage.py clients`: the typed Python and TypeScript clients, generated from the schema and built."""

import argparse
import os
from pathlib import Path

from config.local import home
from config.local.bootstrap import CannotPrepare
from config.local.clients.build import build_python, build_typescript, write_schema
from config.local.clients.plain import for_generators
from config.local.clients.tools import ready
from config.local.progress import Progress, StepFailed


def main(argv: list[str]) -> int:
    """Write both into a folder, by default that of the home; exits with 1 where one of them does not compile."""
    parser = argparse.ArgumentParser(prog="manage.py clients", description=__doc__)
    parser.add_argument("--out", type=Path, default=None, help="where to; by default clients/ in OUTLAST_HOME")
    out: Path = (parser.parse_args(argv).out or home.home() / "clients").resolve()
    progress = Progress()
    try:
        tools = ready(progress)
        schema = write_schema(for_generators(_schema()), out)
        print(build_python(schema, out / "python", tools, progress))
        print(build_typescript(schema, out / "typescript", tools, progress))
    except (StepFailed, CannotPrepare) as failure:
        print(f"{failure}\n{getattr(failure, 'output', '')[-6000:]}")
        return 1
    return 0


def _schema() -> dict[str, object]:
    """As the code says it; no database is asked."""
    os.environ.setdefault("OUTLAST_SERVICES", "off")
    import django

    django.setup()
    from config.local.openapi import documents

    return documents.made()
