"""Row 48 in the back office: nothing that somebody puts into an address, a filter, a search or a form breaks a page.

Every address with ids that are none, as everybody; every list with each of its filters, orders and searches; every form
with what nobody would type. What comes of it is a page, the way back to one, or a refusal.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from django.core.cache import caches
from django.db import connection

from tests.security import roles
from tests.security.matrix.forms import forms_of
from tests.security.matrix.knocking import taken_back
from tests.security.matrix.pages import VISITORS, admins, entering, path_of, routes
from tests.security.matrix.test_pages import STAFF
from tests.security.routes import PLACE
from tests.support.running import ROOT

pytestmark = pytest.mark.django_db
# Nobody, a player, the staff; somebody of the staff who may look at everything and do nothing, and one who may nothing.
KINDS = (*VISITORS, "looker", "newcomer")
IDS = ("0", "-1", "9" * 30, "abc", "..%2f..", "1%00")
SWITCH = "/admin/language/"
SHUT = {400, 403, 404, 405}
NONSENSE = (
    "abc", "-1", "9" * 30, "\x00", "x" * 5000, "'\"%_\\", "2026-99-99", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
)  # fmt: skip
TYPED = ("x" * 5000, "-1", "9" * 30, "0001-01-01T00:00:00+23:59")
APPS = ("accounts", "config", "entries", "payments", "pools")
# What pages of ours read from an address.
READ = re.compile(r"""(?:GET|asked|given|query|parameters)(?:\.get\(|\[)"(\w+)\"""")
ASKED = sorted({
    name for app in APPS for path in (ROOT / app).rglob("admin/**/*.py") for name in READ.findall(path.read_text())
} | {"q", "s", "p", "next", "app_label", "model_name", "field_name", "term", "_to_field", "_popup"})  # fmt: skip
# Choices of one filter that are tried.
MOST_CHOICES = 6


def fault(answer) -> str:
    """What is wrong with an answer, or nothing."""
    if answer.status_code == 302:
        place = urlsplit(answer["Location"])
        # The switch of languages leads to the front page whoever came from elsewhere.
        is_ours = not place.netloc and (place.path.startswith("/admin/") or answer.wsgi_request.path == SWITCH)
        return "" if is_ours else f"leads to {answer['Location']}"
    if answer.status_code in SHUT | {200}:
        return ""
    said = getattr(answer, "exc_info", None)
    return f"{answer.status_code} {said[1]!r}"[:300] if said else str(answer.status_code)


def ask(browser, verb: str, path: str, form: dict[str, str] | None = None):
    """The answer; nothing comes of it."""
    caches["limits"].clear()
    with taken_back():
        return browser.get(path) if verb == "GET" else browser.post(path, form or {})


@pytest.mark.parametrize("kind", KINDS)
def test_row_48_no_address_breaks_whatever_stands_for_its_id(world, kind):
    wrong, tried = [], 0
    with entering(world, kind) as browser:
        for route in routes():
            for said in IDS if "<" in route.template else ():
                path = PLACE.sub(lambda _, said=said: said, route.template)
                for verb in ("GET", "POST"):
                    answer = ask(browser, verb, path)
                    found = fault(answer)
                    if kind in VISITORS[:2] and answer.status_code == 200:
                        found = "is shown"
                    if found:
                        wrong.append(f"{verb} {path}: {found}")
                    tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 2000


def offered(cl) -> Iterator[str]:
    """What each filter of the list offers to choose, as the end of an address."""
    for spec in cl.filter_specs:
        for place, choice in enumerate(spec.choices(cl)):
            if place >= MOST_CHOICES:
                break
            if "query_string" in choice:
                yield str(choice["query_string"])
            for name, field in getattr(choice.get("form"), "fields", {}).items():
                for value, _ in list(getattr(field, "choices", ()))[:MOST_CHOICES]:
                    yield "?" + urlencode({name: str(value)})


def names_of(cl) -> set[str]:
    """What the filters of the list are called in an address."""
    found = set()
    for spec in cl.filter_specs:
        found |= {str(name) for name in spec.expected_parameters() if name}
        for choice in list(spec.choices(cl))[:1]:
            found |= set(getattr(choice.get("form"), "fields", {})) if isinstance(choice, dict) else set()
    return found


@pytest.mark.parametrize("app", APPS)
def test_row_48_every_list_has_each_of_its_filters_and_orders(world, app):
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for path, cl in lists_of(browser, app):
            orders = [f"?o={sign}{place}" for place in range(1, len(cl.list_display) + 1) for sign in ("", "-")]
            for query in (*offered(cl), *orders, "?q=a", "?q=7", "?p=2", "?all="):
                answer = ask(browser, "GET", path + query)
                # Of a page that is not there, and of what a field cannot be, it leads back.
                if answer.status_code != 200 and not (query in ("?p=2",) and answer.status_code == 302):
                    wrong.append(f"{path}{query}: {fault(answer) or answer.status_code}")
                tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 20


@pytest.mark.parametrize("app", APPS)
def test_row_48_no_list_breaks_whatever_is_asked_for(world, app):
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for path, cl in lists_of(browser, app):
            for name in sorted({*names_of(cl), "q", "o", "p", "after", "nobody", "id__gt"}):
                for value in NONSENSE:
                    answer = ask(browser, "GET", f"{path}?{urlencode({name: value})}")
                    if found := fault(answer):
                        wrong.append(f"{path}?{name}={value[:30]!r}: {found}")
                    tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 200


def lists_of(browser, app: str) -> Iterator[tuple[str, object]]:
    """Every list of the app, and what it is made of."""
    for site_admin in admins():
        if site_admin.opts.app_label == app:
            path = f"/admin/{app}/{site_admin.opts.model_name}/"
            answer = ask(browser, "GET", path)
            assert answer.status_code == 200, path
            yield path, answer.context["cl"]


@pytest.mark.parametrize("kind", STAFF)
def test_row_48_no_form_breaks_whatever_is_typed_into_it(world, kind):
    wrong, tried, seen = [], 0, set()
    with connection.cursor() as cursor:
        # The rows that came with the migration have numbers that the story of the reports gives out again.
        cursor.execute("SELECT setval('entries_reasontemplate_id_seq', 1000)")
    with entering(world, kind) as browser:
        for route in routes():
            path = path_of(route)
            page = ask(browser, "GET", path)
            if page.status_code != 200 or page.streaming or "html" not in page["Content-Type"]:
                continue
            for form in forms_of(page.content.decode()):
                # Those of every page, to sign out and to change the language, are tried once.
                target = form.action or path
                known = (target.partition("?")[0], *form.fields)
                if "logout" in target or "action" in form.fields or known in seen:
                    continue
                seen.add(known)
                for typed in (None, *TYPED):
                    answer = ask(browser, "POST", target if target.startswith("/") else path, form.sent(typed))
                    if found := fault(answer):
                        wrong.append(f"{target} {str(typed)[:20]!r}: {found}")
                    tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 30


def test_row_48_no_action_breaks_whatever_is_confirmed(world):
    """A number that was not shown is asked for again, and so is no reason; a reason that is none is refused."""
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for site_admin in admins():
            path = f"/admin/{site_admin.opts.app_label}/{site_admin.opts.model_name}/"
            row = site_admin.model._base_manager.order_by("pk").values_list("pk", flat=True).first() or 1
            for name in site_admin.actions or ():
                for chosen, confirmed, reason in (
                    (["abc"], "1", "x"), (["0"], "1", "x"), (["9" * 30], "1", "x"), ([], "1", "x"),
                    (["1\x00"], "1", ""), ([row], "-1", "x"), ([row], "9" * 30, "x"),
                    ([row], "abc", "x" * 5000), ([row], "1", "\x00"),
                ):  # fmt: skip
                    form = {
                        "action": name, "_selected_action": chosen, "confirmed": confirmed, "reason": reason,
                        "index": "x", "select_across": "0",
                    }  # fmt: skip
                    if found := fault(ask(browser, "POST", path, form)):
                        wrong.append(f"{path} {name} {chosen} {confirmed[:9]} {reason[:9]!r}: {found}")
                    tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 500


@pytest.mark.parametrize("said", ["abc", "9" * 30, "-1", "x" * 5000])
def test_row_48_no_page_of_the_house_breaks_whatever_is_asked_for(world, said):
    """What Django's admin does not make of every model: the workbench, the studio, finance's page, searches."""
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for route in routes():
            if roles.USUAL.search(route.template) and not route.template.endswith("/add/"):
                continue
            for query in (*({name: said} for name in ASKED), dict.fromkeys(ASKED, said)):
                answer = ask(browser, "GET", f"{path_of(route)}?{urlencode(query)}")
                if found := fault(answer):
                    wrong.append(f"{route.template} {'all' if len(query) > 1 else query}: {found}"[:400])
                tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 1000
