"""Rows 1 and 19 in the back office: every page × look and empty form × who asks, and every action × each of the staff.

`OUTLAST_WRITE_MATRIX=1` writes `pages.txt` as things are now, in a run with `-m ""`; whoever does so reads each cell
that changed.
"""

import os
import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages

from tests.security import roles
from tests.security.matrix.changes import Written
from tests.security.matrix.knocking import taken_back
from tests.security.matrix.pages import (
    CELLS,
    VISITORS,
    admins,
    entering,
    first_of,
    path_of,
    routes,
    table,
    visit,
    visited,
    visiting,
)

pytestmark = pytest.mark.django_db
IS_WRITTEN = bool(os.environ.get("OUTLAST_WRITE_MATRIX"))
STAFF = ("moderator", "finance", "admin")
VERBS = ("GET", "POST")
# Every day those of the staff look who may do least; the others, and empty forms, where there is time.
AS_MARKED = [
    pytest.param(kind, verb, marks=[pytest.mark.slow] * ((kind, verb) != ("moderator", "GET")))
    for kind in VISITORS
    for verb in VERBS
]
# What says that somebody tried, and what the tries of limits are counted in.
LEFT_TO_LOOKERS = {
    "/admin/", "/admin/<app_label>/", "/admin/accounts/user/<int:pk>/personal-data", "/admin/language/",
    "/admin/entries/entry/rooms/", "/admin/password_change/", "/admin/payments/bankstatement/file/<int:pk>",
    "/admin/payments/entrymoney/timeline/<int:pk>", "/admin/payments/entrymoney/timeline/entry/<int:pk>",
    "/admin/payments/export/<int:pk>/progress", "/admin/payments/journalbatch/<int:pk>/download",
    "/admin/payments/journalentry/proof/", "/admin/payments/journalentry/trial-balance/",
    "/admin/payments/periodclose/proof/", "/admin/payments/reconciliationrun/finance/", "/admin/search/",
    "/admin/second-factor/",
}  # fmt: skip
NOTED = re.compile(r"^(config_audit|config_ratelimit|config_outbox)")


def test_row_19_every_page_has_a_row_and_no_row_is_of_none(world):
    if IS_WRITTEN:
        found = {kind: visited(world, kind, "GET") | visited(world, kind, "POST") for kind in VISITORS}
        rows = ((name, " ".join(str(found[kind][name]) for kind in VISITORS)) for name in found["admin"])
        lines = "".join(f"{statuses}  {name}\n" for name, statuses in rows)
        CELLS.write_text(f"# Who asks: {' '.join(VISITORS)}\n{lines}")
    assert {f"{verb} {route.template}" for route in routes() for verb in VERBS} == set(table())


@pytest.mark.parametrize(("kind", "verb"), AS_MARKED)
def test_rows_01_and_19_every_page_is_as_written(world, kind, verb):
    assert visited(world, kind, verb) == {
        name: cells[kind] for name, cells in table().items() if name.startswith(f"{verb} ")
    }


def test_row_19_no_page_is_for_nobody_or_for_players():
    """Whatever is asked for, they come to the door, or where nothing is."""
    shut = {302, 403, 404, 405}
    assert [name for name, cells in table().items() if not {cells["anonymous"], cells["owner"]} <= shut] == []


def test_row_48_no_page_breaks():
    assert [name for name, cells in table().items() if max(cells.values()) >= 500] == []


def actions() -> list[tuple[str, str, str]]:
    """Those of chosen rows: page, name and what it asks for."""
    return [
        (site_admin.opts.label, name, roles.permission_of(site_admin, function))
        for site_admin in admins()
        for name, function, _ in roles.actions_of(site_admin)
        if name in site_admin.actions
    ]


@pytest.mark.parametrize("kind", [*STAFF[:2], pytest.param("admin", marks=pytest.mark.slow)])
def test_row_19_every_action_is_for_those_who_may(world, kind):
    """Who may is asked to confirm, or is told what became of it; for others there is no such action, and nothing is
    written."""
    person, tried, wrong = getattr(world.people, kind), 0, []
    with visiting(world, kind) as browser:
        since = Written()
        known = set(since.rows())
        for label, name, needed in actions():
            with taken_back():
                is_refused, answer = refusal(browser, label, name)
                # What the audit and the limits note of a try is no effect.
                done = {one for one in since.rows() if not NOTED.match(one)} - known if is_refused else set()
            if answer.status_code >= 500 or is_refused == person.has_perms(needed) or done:
                wrong.append((label, name, needed, answer.status_code, sorted(done)[:2]))
            tried += 1
    assert wrong == [], "\n".join(map(str, wrong))
    assert tried > 60


@pytest.mark.slow
def test_row_19_every_action_is_refused_to_who_may_look_at_everything_and_do_nothing(world):
    """Whatever actions there are, each is refused here at least once, and refusing it writes nothing."""
    allowed, written = [], []
    with entering(world, "looker") as browser:
        since = Written()
        known = set(since.rows())
        for label, name, _ in actions():
            with taken_back():
                is_refused, _ = refusal(browser, label, name, confirmed="1", reason="Because.")
                done = {one for one in since.rows() if not NOTED.match(one)} - known
            if not is_refused:
                allowed.append((label, name))
            if done:
                written.append((label, name, sorted(done)[:2]))
    assert (allowed, written) == ([], [])


@pytest.mark.slow
def test_row_19_every_form_and_button_is_refused_to_who_may_look_at_everything_and_do_nothing(world):
    """What is left to them looks something up, or is about themselves."""
    with entering(world, "looker") as browser:
        left = {
            route.template
            for route in routes()
            if (route.template.endswith(("/add/", "/delete/", "/change/")) or not roles.USUAL.search(route.template))
            and visit(browser, "POST", path_of(route)) not in (403, 404, 405)
        }
    assert left == LEFT_TO_LOOKERS, "\n".join(sorted(left ^ LEFT_TO_LOOKERS))


def refusal(browser, label: str, name: str, **more: str):
    """Whether somebody who chooses the action for the first row there is, is not led on; and the answer."""
    app, model = label.lower().split(".")
    row = first_of(label)
    form = {"action": name, ACTION_CHECKBOX_NAME: [row.pk if row else 1], "index": "0", **more}
    browser.cookies.pop("messages", None)
    answer = browser.post(f"/admin/{app}/{model}/", form)
    said = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    is_shown = answer.status_code == 200 and f'value="{name}"' in answer.content.decode()
    is_told = answer.status_code == 302 and "No action selected." not in said
    return not (is_shown or is_told), answer
