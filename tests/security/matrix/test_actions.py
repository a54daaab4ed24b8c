"""Row 19 in the back office: whatever may be done there, it is refused at least once here, and a new action will be.

What there is to do is read off the pages, whichever way they offer it. Somebody who may look at everything and do
nothing tries it, and so does each of the staff. The last tests add actions that nobody guards, and see them found.
"""

import re

import pytest
from django.contrib import admin
from django.core.cache import caches

from config.admin import OutboxMessageAdmin
from tests.security import roles
from tests.security.matrix.actions import actions, buttons, refusal
from tests.security.matrix.changes import Written
from tests.security.matrix.knocking import taken_back
from tests.security.matrix.pages import entering, path_of, routes, visit, visiting

pytestmark = pytest.mark.django_db
STAFF = ("moderator", "finance", "admin")
# What says that somebody tried, and what the tries of limits are counted in.
NOTED = re.compile(r"^(config_audit|config_ratelimit|config_outbox)")
LEFT_TO_LOOKERS = {
    "/admin/", "/admin/<app_label>/", "/admin/accounts/user/<int:pk>/personal-data", "/admin/language/",
    "/admin/entries/entry/rooms/", "/admin/password_change/", "/admin/payments/bankstatement/file/<int:pk>",
    "/admin/payments/entrymoney/timeline/<int:pk>", "/admin/payments/entrymoney/timeline/entry/<int:pk>",
    "/admin/payments/export/<int:pk>/progress", "/admin/payments/journalbatch/<int:pk>/download",
    "/admin/payments/journalentry/proof/", "/admin/payments/journalentry/trial-balance/",
    "/admin/payments/periodclose/proof/", "/admin/payments/reconciliationrun/<int:run_id>/seen.csv",
    "/admin/payments/reconciliationrun/finance/", "/admin/search/", "/admin/second-factor/",
}  # fmt: skip


@pytest.mark.parametrize("kind", STAFF)
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


def not_refused(world) -> tuple[list[tuple[str, str]], list[tuple[str, str, list[str]]]]:
    """Actions that somebody is led on in, or that write something, who may look at everything and do nothing."""
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
    return allowed, written


def left_to_lookers(world) -> set[str]:
    """Addresses of forms and buttons that the same person is not shut out of; of an act by its name, each of them."""
    acts, left = {name for _, name, _ in actions()}, set()
    with entering(world, "looker") as browser:
        for route in routes():
            if roles.USUAL.search(route.template) and not route.template.endswith(("/add/", "/delete/", "/change/")):
                continue
            names = acts if "<slug:name>" in route.template else {""}
            paths = [path_of(route, **{"name": name} if name else {}) for name in names]
            if any(visit(browser, "POST", path) not in (403, 404, 405) for path in paths):
                left.add(route.template)
    return left


def out_of_reach() -> list[str]:
    """Buttons whose address is none of those that are walked."""
    walked = {route.pattern.name for route in routes()}
    return [f"{label} {name}" for label, name, address in buttons() if address not in walked]


def test_row_19_every_action_is_refused_to_who_may_look_at_everything_and_do_nothing(world):
    """Whatever actions there are, each is refused here at least once, and refusing it writes nothing."""
    assert not_refused(world) == ([], [])


def test_row_19_every_form_and_button_is_refused_to_who_may_look_at_everything_and_do_nothing(world):
    """What is left to them looks something up, or is about themselves. A button beside "Save" is of its form."""
    left = left_to_lookers(world)
    assert left == LEFT_TO_LOOKERS, "\n".join(sorted(left ^ LEFT_TO_LOOKERS))


def test_row_19_looking_changes_nothing(world):
    """Whatever is at an address, a link leads there, and so does a browser that fetches it before anybody wants it."""
    wrong = {}
    with entering(world, "admin") as browser:
        since = Written()
        known = set(since.rows())
        for route in routes():
            caches["limits"].clear()
            with taken_back():
                browser.get(path_of(route))
                if done := {one for one in since.rows() if not NOTED.match(one)} - known:
                    wrong[route.template] = sorted(done)[:2]
    assert wrong == {}


def test_row_19_every_button_is_at_an_address_that_is_walked():
    assert buttons() != []
    assert out_of_reach() == []


def test_row_19_an_action_that_nobody_guards_is_found(world, monkeypatch):
    def slip(page, request, rows):
        rows.update(attempts=7)

    monkeypatch.setattr(OutboxMessageAdmin, "slip", slip, raising=False)
    monkeypatch.setattr(OutboxMessageAdmin, "actions", (*OutboxMessageAdmin.actions, "slip"))
    assert not_refused(world)[0] == [("config.OutboxMessage", "slip")]


def test_row_19_so_is_one_of_the_whole_site(world, monkeypatch):
    monkeypatch.setattr(admin.site, "_actions", {**admin.site._actions, "slip": lambda page, request, rows: None})
    allowed, _ = not_refused(world)
    assert {name for _, name in allowed} == {"slip"}
    assert ("config.OutboxMessage", "slip") in allowed


@pytest.mark.parametrize("kind", ["actions_list", "actions_row", "actions_detail"])
def test_row_19_so_is_a_button_that_is_walked_by_nobody(monkeypatch, kind):
    monkeypatch.setattr(OutboxMessageAdmin, kind, ({"title": "More", "items": ["slip"]},))
    assert out_of_reach() == ["config.OutboxMessage slip"]
