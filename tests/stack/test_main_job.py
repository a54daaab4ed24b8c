"""The whole main job through HTTP alone, against the running system: web, worker, scheduler, PostgreSQL, Valkey.

Register, verify, ask, approve, pay at the Stripe double, webhook, entry, pick, change, lock, results, settlement,
standings, report. Nothing here touches the database or imports the product.
"""

import csv
import re
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.running import Client, RunningSystem, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PASSWORD = "correct horse battery staple"
HEADER = [
    "season",
    "fpl_id",
    "code",
    "gameweek_played",
    "kickoff_utc",
    "finished",
    "home",
    "away",
    "home_goals",
    "away_goals",
]


@pytest.fixture(scope="module")
def system():
    # Not pytest's own folder: PostgreSQL runs as another user when we are root, and must be able to reach its files.
    with tempfile.TemporaryDirectory(prefix="outlast-stack-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        system = RunningSystem(Path(folder) / "home", "--no-demo")
        system.start()
        try:
            yield system
        finally:
            code = system.stop()
            left = wait_for(lambda: not system.leftovers(), seconds=20)
        assert (code, left) == (0, True)


def fixtures(path: Path, kickoff: datetime, goals: dict[str, tuple[int, int]]) -> Path:
    """A season of two gameweeks in the format of the Premier League file."""
    games = [(1, kickoff, "Reds", "Blues"), (1, kickoff, "Greens", "Golds")]
    games += [(2, kickoff + timedelta(days=7), "Blues", "Greens"), (2, kickoff + timedelta(days=7), "Golds", "Reds")]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number, (week, at, home, away) in enumerate(games, start=1):
            known = goals.get(home) if week == 1 else None
            writer.writerow(
                ["2031-32", number, 1000 + number, week, f"{at:%Y-%m-%dT%H:%M:%SZ}", bool(known), home, away]
                + list(known or ("", ""))
            )
    return path


def register(system: RunningSystem, email: str) -> Client:
    anonymous = Client(system.base)
    body = {
        "email": email, "password": PASSWORD, "display_name": email.split("@")[0].title(),
        "date_of_birth": "1990-05-17", "country": "US",
    }  # fmt: skip
    assert anonymous.post("/auth/register", body).status == 201
    mail = wait_for(lambda: system.mails(email))[0]
    plain = mail.replace("=\n", "").replace("=3D", "=")
    token = re.search(r"verify-email\?token=([\w:.\-]+)", plain).group(1)
    assert anonymous.post("/auth/verify-email", {"token": token}).data["user"]["email_verified"] is True
    return sign_in(system, email)


def sign_in(system: RunningSystem, email: str) -> Client:
    tokens = Client(system.base).post("/auth/token", {"email": email, "password": PASSWORD}).data
    return Client(system.base, tokens["access"])


def join_and_pay(player: Client, staff: Client, pool: int, system: RunningSystem) -> int:
    request = player.post(f"/pools/{pool}/requests", key=True).data
    assert (request["status"], request["payment_status"]) == ("pending", "not_due")
    assert player.post(f"/requests/{request['id']}/approve").status == 403

    approved = staff.post(f"/requests/{request['id']}/approve", key=True).data
    assert (approved["status"], approved["payment_status"], approved["fee_cents"]) == ("approved", "pending", 5000)

    assert player.post(f"/requests/{request['id']}/payment").code == "IDEMPOTENCY_KEY_REQUIRED"
    payment = player.post(f"/requests/{request['id']}/payment", key=True).data
    assert (payment["status"], payment["amount_cents"], payment["currency"]) == ("pending", 5000, "usd")
    again = player.post(f"/requests/{request['id']}/payment", key=True).data
    assert again["checkout_url"] == payment["checkout_url"]

    declined = player.call("POST", f"{payment['checkout_url']}/pay", {"card": "4000000000000002"})
    assert declined.status == 402
    paid = player.call("POST", f"{payment['checkout_url']}/pay", {"card": "4242424242424242"})
    assert paid.status == 200

    done = wait_for(lambda: (r := player.get(f"/requests/{request['id']}").data)["payment_status"] == "completed" and r)
    assert player.get(f"/payments/{payment['id']}").data["status"] == "succeeded"
    return done["entry"]


def test_the_main_job_end_to_end(system, tmp_path):
    system.manage(
        "createsuperuser", "--noinput",
        DJANGO_SUPERUSER_EMAIL="boss@example.test", DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    ann, bob = register(system, "ann@example.test"), register(system, "bob@example.test")
    boss = sign_in(system, "boss@example.test")

    kickoff = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=45)
    schedule = fixtures(tmp_path / "fixtures.csv", kickoff, {})
    system.manage("import_schedule", str(schedule), "--competition", "epl-2031")
    pool = int(
        system.manage(
            "create_pool", "--competition", "epl-2031", "--name", "Stack pool", "--fee-cents", "5000"
        ).split()[-1]
    )
    teams = {team["name"]: team["code"] for team in ann.get("/competitions/epl-2031/teams").data}

    entries = {name: join_and_pay(client, boss, pool, system) for name, client in (("ann", ann), ("bob", bob))}

    picked = ann.put(f"/entries/{entries['ann']}/picks/1", {"team": teams["Blues"]})
    assert picked.status == 200
    changed = ann.put(f"/entries/{entries['ann']}/picks/1", {"team": teams["Reds"]}).data
    assert (changed["team"], changed["slip"]["team"]) == (teams["Reds"], teams["Reds"])
    assert bob.put(f"/entries/{entries['bob']}/picks/1", {"team": teams["Golds"]}).status == 200
    assert bob.put(f"/entries/{entries['ann']}/picks/1", {"team": teams["Golds"]}).status == 404

    # Before the lock nobody else sees anything.
    assert bob.get(f"/entries/{entries['ann']}/picks").status == 404
    assert boss.get(f"/pools/{pool}/rounds/1/distribution").code == "FORBIDDEN"
    assert all(item["picks"] == [] for item in bob.get(f"/pools/{pool}/standings").data)

    time.sleep(max(0.0, (kickoff - datetime.now(UTC)).total_seconds()) + 0.2)
    late = ann.put(f"/entries/{entries['ann']}/picks/1", {"team": teams["Blues"]})
    assert (late.status, late.code) == (422, "DEADLINE_PASSED")
    shares = wait_for(lambda: (a := bob.get(f"/pools/{pool}/rounds/1/distribution")).status == 200 and a.data)
    assert {row["team"]: row["picks"] for row in shares} == {teams["Reds"]: 1, teams["Golds"]: 1}

    fixtures(schedule, kickoff, {"Reds": (2, 0), "Greens": (1, 0)})
    system.manage("import_schedule", str(schedule), "--competition", "epl-2031")
    system.manage("settle", str(pool))

    ranks = {row["entry"]: (row["rank"], row["status"]) for row in bob.get(f"/pools/{pool}/standings").data}
    assert ranks == {entries["ann"]: (1, "winner"), entries["bob"]: (2, "eliminated")}
    report = Client(system.base).get(f"/pools/{pool}/rounds/1/report.json").data
    assert (report["picks_total"], report["missed"], report["eliminated"], report["alive_after"]) == (2, 0, 1, 1)
    lines = Client(system.base).get(f"/pools/{pool}/rounds/1/report.csv").body.decode().splitlines()
    assert len(lines) == 3
    history = ann.get(f"/entries/{entries['ann']}/picks/1/history").data
    assert [(step["from"], step["to"]) for step in history] == [(None, teams["Blues"]), (teams["Blues"], teams["Reds"])]

    exported = tmp_path / "entries.csv"
    system.manage("export_report", "entries", "--pool", str(pool), "-o", str(exported))
    rows = list(csv.DictReader(exported.open(encoding="utf-8-sig")))
    assert [(row["status"], row["eliminated_round"]) for row in rows] == [("winner", ""), ("eliminated", "1")]
    assert len(system.mails("ann@example.test")) >= 3  # verification, approval, receipt
