#!/usr/bin/env python3
"""The one door: `python3 manage.py up`, `test`, and every Django command. A bare Python 3.11 is enough.

The commands of the house first make sure of the environment in `.venv` and run inside it; Django's commands use the
environment they find, and fall back to the same. In staging and production nothing is installed or started here.
"""

import os
import sys

HOUSE = {
    "setup": "environment and embedded services, migrated; then exits",
    "up": "the whole system with a demo pool in play; Ctrl-C stops everything",
    "test": "the tests, in parallel, with coverage; arguments go to pytest",
    "lint": "style, types, import contracts, migrations, deployment checks, OpenAPI",
    "bench": "the benchmarks, or the one named; exits 1 when one is over its bar",
    "clients": "the typed Python and TypeScript clients, generated from the schema and built",
    "replay": "a real season, compared entry by entry with its published results",
}
ROOT = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Run the command in the environment that it needs."""
    if sys.version_info < (3, 11):
        sys.exit(f"Outlast needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in ("help", "--help", "-h") and len(sys.argv) <= 2:
        print_help()
    elif command in HOUSE:
        enter_environment()
        from config.local.commands import run

        sys.exit(run(command, sys.argv[2:]))
    else:
        if not has_django():
            enter_environment()
        run_django(sys.argv)


def run_django(argv: list[str]) -> None:
    """Hand over to Django."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)


def environment_name() -> str:
    """OUTLAST_ENV, also when only the `.env` file says it."""
    given = os.environ.get("OUTLAST_ENV", "").strip()
    path = os.path.join(ROOT, ".env")
    if not given and os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                name, _, value = line.partition("=")
                if name.replace("export ", "").strip() == "OUTLAST_ENV":
                    given = value.strip().strip("\"'")
    return given or "local"


def has_django() -> bool:
    """Whether this interpreter is meant for Django commands: a virtual environment, or an image, that has it."""
    from importlib.util import find_spec

    if not find_spec("django"):
        return False
    # A Django of the system's own Python is another version, unless no environment of ours stands beside it.
    return sys.prefix != sys.base_prefix or not os.path.exists(os.path.join(ROOT, ".venv", "bin", "python"))


def enter_environment() -> None:
    """Make `.venv` or bring it up to date, and run the same command again inside it. Refuses where strangers are."""
    name = environment_name()
    if name in ("staging", "production"):
        wanted = f"`{sys.argv[1]}` is for development" if sys.argv[1] in HOUSE else "Django is not installed here"
        sys.exit(f"{wanted}, and nothing is installed or started when OUTLAST_ENV is {name}.")
    from config.local.bootstrap import CannotPrepare, Environment, prepare

    environment = Environment()
    was_current = environment.is_current()
    try:
        prepare(environment=environment)
    except CannotPrepare as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)
    if not (was_current and environment.is_active()):
        os.execv(environment.python, [str(environment.python), os.path.abspath(__file__), *sys.argv[1:]])


def print_help() -> None:
    """The commands of the house, then Django's own list; looking installs and starts nothing."""
    python = os.path.join(ROOT, ".venv", "bin", "python")
    if not has_django() and os.path.exists(python) and sys.prefix == sys.base_prefix:
        os.execv(python, [python, os.path.abspath(__file__), "help"])
    print("The commands of the house:\n")
    for name, meaning in HOUSE.items():
        print(f"    python3 manage.py {name:<8} {meaning}")
    print("\nEach takes --help, and every Django command works too.\n", flush=True)
    if has_django():
        os.environ.setdefault("OUTLAST_SERVICES", "off")
        run_django([sys.argv[0], "help"])


if __name__ == "__main__":
    main()
