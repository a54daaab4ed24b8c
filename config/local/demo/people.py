"""The demo's people: two hundred players with invented names, and one member of staff of each kind.

They share one password, hashed once: two hundred Argon2 hashes would take ten seconds and teach nothing.
"""

import json
import os
import random
from datetime import date, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from accounts.models import Role, User
from accounts.services.roles import assign_role
from config.clock import database_now
from config.local.demo.season import SEED

PASSWORD = "outlast-demo-2026"
DOMAIN = "demo.outlast.test"
PLAYERS = 200

FIRST = [
    "Ada",
    "Ben",
    "Cleo",
    "Dana",
    "Eli",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jude",
    "Kai",
    "Lena",
    "Milo",
    "Nora",
    "Otis",
    "Pia",
    "Quin",
    "Rosa",
    "Sam",
    "Tess",
    "Uma",
    "Vic",
    "Wren",
    "Xia",
    "Yara",
    "Zeno",
    "Arlo",
    "Bea",
    "Cyrus",
    "Dora",
]
LAST = [
    "Abbott",
    "Birch",
    "Carver",
    "Drummond",
    "Ellery",
    "Fenn",
    "Garrick",
    "Holt",
    "Ingram",
    "Jessop",
    "Keane",
    "Lowell",
    "Marsh",
    "Nolan",
    "Orton",
    "Pryce",
    "Quill",
    "Rowan",
    "Sterling",
    "Thorne",
    "Upton",
    "Vance",
    "Wilder",
    "Yates",
]


def create_players() -> list[User]:
    """All players, of age and verified; `player001@…` is the one to sign in with."""
    dice = random.Random(SEED)
    now, password = database_now(), make_password(PASSWORD)
    return User.objects.bulk_create(
        User(
            email=f"player{number:03}@{DOMAIN}",
            display_name=f"{dice.choice(FIRST)} {dice.choice(LAST)}",
            date_of_birth=date(1960, 1, 1) + timedelta(days=dice.randrange(365 * 44)),
            country="US",
            email_verified_at=now,
            password=password,
        )
        for number in range(1, PLAYERS + 1)
    )


def create_staff() -> dict[Role, User]:
    """An admin, a moderator and a member of finance."""
    now, password = database_now(), make_password(PASSWORD)
    staff = {}
    for role in (Role.ADMIN, Role.MODERATOR, Role.FINANCE):
        user = User.objects.create(
            email=f"{role.value}@{DOMAIN}", display_name=f"Demo {role.label}", email_verified_at=now, password=password
        )
        staff[role] = assign_role(user=user, role=role, by=None)
    return staff


def write_sign_ins(folder: Path) -> None:
    """Leave the demo's sign-ins where `manage.py up` reads them to show them."""
    people = [(role.value, f"{role.value}@{DOMAIN}") for role in (Role.ADMIN, Role.MODERATOR, Role.FINANCE)]
    people.append(("player", f"player001@{DOMAIN}"))
    rows = [{"role": role, "email": email, "password": PASSWORD} for role, email in people]
    target = folder / "demo.json"
    target.touch(mode=0o600)
    os.chmod(target, 0o600)
    target.write_text(json.dumps(rows, indent=1))
