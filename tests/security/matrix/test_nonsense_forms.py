"""Row 48 in the back office: no form breaks, whatever is typed into it, by whichever of its buttons, by whoever."""

import pytest
from django.db import connection

from tests.security.matrix.forms import Form, forms_of
from tests.security.matrix.nonsense import HUGE, KINDS, ask, fault, told
from tests.security.matrix.pages import VISITORS, entering, path_of, routes

pytestmark = pytest.mark.django_db
# As it stands, what cannot be chosen and no hidden field says; what the admin tries besides, who may send most of them.
TYPED, EVERYWHERE = (None,), ("", "abc")
MORE_TYPED = ("", "x" * 5000, "-1", HUGE, "٣🂡\u202e", "1e999", "0001-01-01T00:00:00+23:59", "a\x00")
MORE_EVERYWHERE = (HUGE, "-1", "1\x00")


def found_by(browser) -> dict[tuple[str, ...], tuple[str, Form]]:
    """Every form of every page, each kind once, with where it is sent."""
    found: dict[tuple[str, ...], tuple[str, Form]] = {}
    for route in routes():
        path = path_of(route)
        page = ask(browser, "GET", path)
        if page.status_code != 200 or page.streaming or "html" not in page["Content-Type"]:
            continue
        for form in forms_of(page.content.decode()):
            target = form.action or path
            # Lists are tried with their actions elsewhere; to sign out ends the walk.
            if "logout" not in target and "_selected_action" not in form.fields:
                found.setdefault(form.known_by, (target if target.startswith("/") else path, form))
    return found


@pytest.fixture
def forms(world):
    """As an admin finds them."""
    with connection.cursor() as cursor:
        # The rows that came with the migration have numbers that the story of the reports gives out again.
        cursor.execute("SELECT setval('entries_reasontemplate_id_seq', 1000)")
    with entering(world, "admin") as browser:
        return found_by(browser)


@pytest.mark.parametrize("kind", KINDS)
def test_row_48_no_form_breaks_whatever_is_typed_into_it(world, forms, kind):
    """Also of who does not see it: they are refused."""
    wrong, tried = [], 0
    is_admin = kind == "admin"
    with entering(world, kind) as browser:
        for target, form in forms.values():
            said = [
                ({}, "nothing"),
                *((one, repr(typed)) for typed in TYPED + MORE_TYPED * is_admin for one in form.sent(typed)),
                *(
                    (one, f"all {typed!r}")
                    for typed in EVERYWHERE + MORE_EVERYWHERE * is_admin
                    for one in form.sent(typed, everywhere=True)
                ),
            ]
            for sent, what in said:
                answer = ask(browser, "POST", target, sent)
                found = "is shown" if kind in VISITORS[:2] and answer.status_code == 200 else fault(answer)
                if found:
                    wrong.append(f"{target} {what[:40]} {str(sent)[:150]}: {found}")
                tried += 1
    assert wrong == [], told(wrong)
    assert tried > 300
