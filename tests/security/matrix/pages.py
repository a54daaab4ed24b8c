"""Every address of the back office, and one of each thing that is shown there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.db.models import Model
from django.test import Client, RequestFactory

from accounts.models import User
from tests.factories.accounts import ModeratorFactory
from tests.security.matrix.knocking import taken_back
from tests.security.matrix.world import World
from tests.security.routes import Route, walk

CELLS = Path(__file__).with_name("pages.txt")
# Nobody, a player, and the staff.
VISITORS = ("anonymous", "owner", "moderator", "finance", "admin")
OF_A_MODEL = re.compile(r"/admin/(\w+)/(\w+)/")
# By the beginning of an address: what its id is of, where that is not what the page lists.
OTHERWISE = {
    "/admin/entries/entry/rooms/results/": "pools.Round",
    "/admin/entries/entry/rooms/typed/": "pools.TypedResult",
    "/admin/entries/entry/rooms/": "pools.Pool",
    "/admin/payments/entrymoney/timeline/entry/": "entries.Entry",
    "/admin/payments/entrymoney/timeline/": "entries.Request",
    "/admin/payments/bankstatement/file/": "payments.BankFile",
    "/admin/payments/manualrecord/evidence/": "payments.Evidence",
    "/admin/payments/refund/request/": "payments.Receipt",
}


def routes() -> list[Route]:
    """Each once; signing in and out have tests of their own."""
    found = {route.template: route for route in walk() if route.template.startswith("/admin/")}
    return [route for template, route in found.items() if not template.endswith(("/login/", "/logout/"))]


def first_of(name: str) -> Model | None:
    """The first row that the list of it shows, or of what has no list."""
    model = apps.get_model(name)
    page = admin.site._registry.get(model)
    rows = model._base_manager.all() if page is None else page.get_queryset(RequestFactory().get("/"))
    return rows.order_by("pk").first()


def shown_by(route: Route) -> str | None:
    """Of what the id in an address is."""
    label = next((model for start, model in OTHERWISE.items() if route.template.startswith(start)), None)
    found = OF_A_MODEL.match(route.template)
    if label is None and found and apps.is_installed(found[1]):
        label = f"{found[1]}.{found[2]}"
    return label if "<" in route.template else None


def path_of(route: Route, **instead: Any) -> str:
    """An address with the first row there is, or with one that is not there; `instead` says parts of it otherwise."""
    label = shown_by(route)
    row = first_of(label) if label else None
    number = row.pk if row else 1
    named = {
        "object_id": number, "pk": number, "row_id": number, "receipt_id": number, "run_id": number,
        "app_label": "pools", "url": "x", "content_type_id": 1, "page": "staff", "picture": "tour/home.png",
        "name": "look_after",
    }  # fmt: skip
    return route.path(**named | instead)


def browser_of(world: World, kind: str) -> Client:
    """Signed in as this kind of person, a moment ago."""
    browser = Client(raise_request_exception=False)
    if kind != "anonymous":
        browser.force_login(getattr(world.people, kind))
    return browser


def of_the_staff(*, looks: bool) -> User:
    """Somebody of the staff without any group, who may look at everything, or may nothing."""
    person: User = ModeratorFactory()
    person.groups.clear()
    if looks:
        person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return person


@contextmanager
def entering(world: World, kind: str) -> Iterator[Client]:
    """As `visiting`; also as a `looker`, who has half of every permission, and a `newcomer`, who has none."""
    if kind not in ("looker", "newcomer"):
        with visiting(world, kind) as browser:
            yield browser
        return
    with taken_back():
        browser = Client(raise_request_exception=False)
        browser.force_login(of_the_staff(looks=kind == "looker"))
        yield browser


@contextmanager
def visiting(world: World, kind: str) -> Iterator[Client]:
    """A browser, each of whose visits is undone in the end."""
    with taken_back():
        yield browser_of(world, kind)


def visit(browser: Client, verb: str, path: str) -> int:
    """The status; nothing comes of it. Limits of calls begin at zero."""
    caches["limits"].clear()
    with taken_back():
        return browser.generic(verb, path).status_code


def visited(world: World, kind: str, verb: str) -> dict[str, int]:
    """What each page answers to a look, or to an empty form."""
    with visiting(world, kind) as browser:
        return {f"{verb} {route.template}": visit(browser, verb, path_of(route)) for route in routes()}


def table() -> dict[str, dict[str, int]]:
    """By verb and address, and who asks: the status."""
    rows = {}
    for line in CELLS.read_text().splitlines()[1:]:
        *statuses, verb, template = line.split()
        rows[f"{verb} {template}"] = dict(zip(VISITORS, map(int, statuses), strict=True))
    return rows


def admins() -> list[Any]:
    return sorted(admin.site._registry.values(), key=lambda one: one.opts.label_lower)
