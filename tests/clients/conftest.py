"""Both clients, generated and built once, and a running system for them."""

import csv
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.local.clients.tools import Tools
from tests.support.running import ROOT, RunningSystem, wait_for

PASSWORD = "correct horse battery staple"
BOSS = "boss@example.test"
HEADER = "season fpl_id code gameweek_played kickoff_utc finished home away home_goals away_goals"


@pytest.fixture(scope="session")
def clients() -> Path:
    """What `manage.py clients` makes. It fails where one of them does not compile."""
    with tempfile.TemporaryDirectory(prefix="outlast-clients-") as folder:
        done = subprocess.run(
            [sys.executable, "manage.py", "clients", "--out", folder],
            cwd=ROOT, env=os.environ | {"OUTLAST_SERVICES": "off"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        yield Path(folder)


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The generators, which have Python and Node.js for what was generated."""
    return Tools()


@dataclass(frozen=True)
class House:
    """A running system with one pool that can be joined, whose first round is open."""

    system: RunningSystem
    pool: int
    team: str


@pytest.fixture(scope="session")
def house():
    # Not pytest's own folder: PostgreSQL runs as another user when we are root, and must be able to reach its files.
    with tempfile.TemporaryDirectory(prefix="outlast-stack-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        system = RunningSystem(Path(folder) / "home", "--no-demo")
        system.start()
        try:
            yield furnished(system, Path(folder) / "fixtures.csv")
        finally:
            code = system.stop()
            left = wait_for(lambda: not system.leftovers(), seconds=20)
        assert (code, left) == (0, True)


def furnished(system: RunningSystem, fixtures: Path) -> House:
    system.manage(
        "createsuperuser", "--noinput", DJANGO_SUPERUSER_EMAIL=BOSS, DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    with fixtures.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split())
        for week, (home, away) in enumerate((("Reds", "Blues"), ("Blues", "Reds")), start=1):
            kickoff = f"{datetime.now(UTC) + timedelta(days=7 * week):%Y-%m-%dT%H:%M:%SZ}"
            writer.writerow(["2031-32", week, 1000 + week, week, kickoff, False, home, away, "", ""])
    system.manage("import_schedule", str(fixtures), "--competition", "epl-2031")
    made = system.manage("create_pool", "--competition", "epl-2031", "--name", "Clients", "--fee-cents", "5000")
    team = system.manage("shell", "-c", "from pools.models import Team; print(Team.objects.get(name='Reds').code)")
    return House(system, int(made.split()[-1]), team.split()[-1])
