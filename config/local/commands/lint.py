"""`manage.py lint`: style, types, import contracts, migrations, deployment checks, OpenAPI, weaknesses, secrets.

All run, then the verdict.

`manage.py lint NAME …` runs only the named checks.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from config.local import home, services
from config.local.progress import Progress

LONGEST_FILE = 400
HEARTBEAT = 10.0
# What a check begins with that is content, and has something to say all the same.
ALOUD = "***"


@dataclass(frozen=True)
class Check:
    """One check: a program that ends with 0 when all is well."""

    name: str
    argv: list[str]
    env: Callable[[], dict[str, str]] = field(default=dict)


@dataclass(frozen=True)
class Verdict:
    """How a check went."""

    check: Check
    is_ok: bool
    seconds: float
    output: str


def checks() -> list[Check]:
    """The slowest first, so that they overlap with the rest."""
    bin_folder = Path(sys.executable).parent
    manage = [sys.executable, "manage.py"]
    return [
        Check("secrets", [sys.executable, "-m", "config.local.commands.secrets_in_files"]),
        Check("mypy", [sys.executable, "-m", "mypy"]),
        Check("openapi", [*manage, "openapi", "--check"]),
        Check("weaknesses", [sys.executable, "-m", "config.local.commands.weaknesses"]),
        Check("deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"], production_environment),
        Check("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        Check("imports", [str(bin_folder / "lint-imports"), "--no-cache"]),
        Check("ruff", [sys.executable, "-m", "ruff", "check", "--output-format=concise", "."]),
        Check("format", [sys.executable, "-m", "ruff", "format", "--check", "--output-format=concise", "."]),
        Check("advisories", [sys.executable, "-m", "config.local.commands.advisories"]),
        Check("lengths", [sys.executable, "-m", "config.local.commands.lengths", str(LONGEST_FILE)]),
    ]


def production_environment() -> dict[str, str]:
    """A complete environment of production with throw-away values, and nothing of the developer's own."""
    from config.env.declared import VARIABLES

    given = {
        "OUTLAST_ENV": "production",
        "OUTLAST_HOME": str(home.home()),
        "SECRET_KEY": secrets.token_urlsafe(60),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(60),
        "SLIP_SIGNING_KEY": secrets.token_urlsafe(60),
        "PERSONAL_DATA_KEYS": secrets.token_urlsafe(60),
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
        "STRIPE_SECRET_KEY": f"sk_live_{secrets.token_hex(24)}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(24)}",
        "PUBLIC_URL": "https://pools.example.com",
        "ALLOWED_HOSTS": "pools.example.com",
        "EMAIL_URL": f"smtp+tls://mailer:{secrets.token_hex(16)}@mail.example.com:587",
        "DEFAULT_FROM_EMAIL": "Outlast <no-reply@example.com>",
        "TRUSTED_PROXY_COUNT": "1",
        "METRICS_TOKEN": secrets.token_hex(24),
    }
    # Named although empty: a developer's `.env` must not fill them in.
    return {**{variable.name: "" for variable in VARIABLES}, **given}


def main(argv: list[str]) -> int:
    """Run the checks side by side and show each with its seconds; 1 when any failed."""
    known = checks()
    parser = argparse.ArgumentParser(prog="manage.py lint", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(check.name for check in known))
    names = parser.parse_args(argv).names
    if strange := set(names) - {check.name for check in known}:
        parser.error(f"no such check: {', '.join(sorted(strange))}")
    services.ensure()
    return report(run_all([check for check in known if not names or check.name in names], Progress(stream=sys.stdout)))


def report(verdicts: list[Verdict]) -> int:
    """Print what the failed checks found, and what others say aloud; 1 when any failed."""
    failed = [verdict for verdict in verdicts if not verdict.is_ok]
    for verdict in [*failed, *(each for each in verdicts if each.is_ok and each.output.startswith(ALOUD))]:
        print(f"\n--- {verdict.check.name}: {' '.join(verdict.check.argv[1:])}\n{verdict.output.strip()}")
    print(f"\n{len(verdicts) - len(failed)} of {len(verdicts)} checks ok", flush=True)
    return 1 if failed else 0


def run_all(wanted: list[Check], progress: Progress) -> list[Verdict]:
    """Every check's verdict, shown as they come; a line now and then names what still runs."""
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        waiting: dict[Future[Verdict], Check] = {pool.submit(judge, check): check for check in wanted}
        while waiting:
            done, _ = wait(waiting, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            for future in done:
                del waiting[future]
                verdict = future.result()
                verdicts.append(verdict)
                mark, word = ("✓", "ok") if verdict.is_ok else ("✗", "failed")
                progress.say(f"{mark} {verdict.check.name:<11} {verdict.seconds:6.1f} s  {word}")
            if not done:
                progress.say(f"  waiting for {', '.join(check.name for check in waiting.values())}")
    return verdicts


def judge(check: Check) -> Verdict:
    """Run one check."""
    began = time.monotonic()
    result = subprocess.run(
        check.argv,
        cwd=home.ROOT,
        env={**os.environ, **check.env()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Verdict(check, result.returncode == 0, time.monotonic() - began, result.stdout)
