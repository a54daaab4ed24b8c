"""What `manage.py up` shows when all of it runs: where to go, who to be, what to try first."""

import argparse
import json
import os

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from config.local import home


def show(options: argparse.Namespace, *, seconds: float, console: Console | None = None) -> None:
    """Print the panel."""
    parts = [addresses(options.address), sign_ins(), first_steps(options)]
    title = f"Outlast is ready after {seconds:.1f} s · Ctrl-C stops everything"
    console = console or Console(highlight=False, soft_wrap=False)
    console.print(Panel(Group(*(part for part in parts if part)), title=title, padding=(1, 2)))


def addresses(address: str) -> Table:
    """Every door, and every folder worth a look."""
    table = Table.grid(padding=(0, 2))
    rows = {
        "API docs": f"{address}/api/docs/",
        "Admin": f"{address}/admin/",
        "API": f"{address}/api/v1/",
        "Live": f"{home.live_base().replace('http', 'ws')}/ws/pools/1",
        "Health": f"{address}/health/detailed",
        "Stripe double": "" if os.environ.get("STRIPE_SECRET_KEY") else home.stripe_base(),
        "Sign-in provider": "" if os.environ.get("OIDC_ISSUERS") else home.oidc_base(),
        "Mails": str(home.home() / "mail"),
        "Logs": str(home.home() / "logs"),
    }
    for name, where in rows.items():
        if where:
            table.add_row(Text(name, style="bold"), Text(where, overflow="fold"))
    return table


def sign_ins() -> Table | None:
    """The demo's people, from the file that the demo leaves in the home; None when there is no demo."""
    path = home.home() / "demo.json"
    if not path.exists():
        return None
    table = Table("sign in as", "e-mail", "password", box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for person in json.loads(path.read_text(encoding="utf-8")):
        table.add_row(person["role"], person["email"], person["password"])
    return table


def first_steps(options: argparse.Namespace) -> Text | None:
    """A first quarter of an hour."""
    if not options.demo:
        return Text("\nNo demo: make an admin with  python3 manage.py createsuperuser")
    lines = [
        "Try first:",
        "  1. Admin, as the moderator: Requests, approve those of The Second Half.",
        "  2. API docs, as the player: take a token, then save a pick for round 7.",
        "  3. Join The Ten-Minute Cup: ask, have it approved, pay at the double.",
        "  4. Ten minutes after the first start round 7 locks: entries fall.",
        "",
        "Worker and scheduler speak up below only when something is wrong.",
    ]
    return Text("\n".join(lines))
