"""Row 48 in the back office: no list and no page of ours breaks, whatever its address asks for."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.security import roles
from tests.security.matrix.nonsense import APPS, ENDLESS, HUGE, NONSENSE, STAFF, ask, fault, lists_of, told
from tests.security.matrix.pages import entering, path_of, routes
from tests.support.running import ROOT

pytestmark = pytest.mark.django_db
# What pages of ours read from an address.
READ = re.compile(r"""(?:GET|asked|given|query|parameters)(?:\.get\(|\[)"(\w+)\"""")
COMMON = {"q", "s", "p", "o", "after", "next", "app_label", "model_name", "field_name", "term", "_to_field", "_popup"}
FILES = [path for app in APPS for path in (ROOT / app).rglob("admin/**/*.py")]
ASKED = sorted(COMMON.union(*(READ.findall(path.read_text()) for path in FILES)))
# Asked for one by one; the others all at once.
ALONE = (ENDLESS,)
# As the value of one filter: no word of it, too long a number, an end of text, an instant before the first.
VALUES = ("abc", ENDLESS, "\x00", "0001-01-01T00:00:00+23:59")
# Choices of one filter that are tried.
MOST_CHOICES = 6
SEARCHES = ("", "a", "'\"%_\\", "a\x00b", "x " * 2000, "🂡 ٣", "{name}", "(a&b|c")
# Whose lists these people may not see.
SEEN_BY_OTHERS = (("moderator", "config"), ("finance", "config"), ("moderator", "payments"))
# Of a page that is not there, it leads back to the list.
PAGES = ("?p=2", "?p=0", "?p=99", "?all=")


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
@pytest.mark.parametrize("kind", STAFF[:3])
def test_row_48_every_list_has_each_of_its_filters_and_orders(world, kind, app):
    wrong, tried = [], 0
    with entering(world, kind) as browser:
        for path, cl in lists_of(browser, app):
            columns = range(1, len(cl.list_display) + 1)
            orders = [f"?o={sign}{place}" for place in columns for sign in ("", "-")]
            for query in (*offered(cl), *orders, "?o=1.-2", "?q=a", *PAGES):
                answer = ask(browser, "GET", path + query)
                if answer.status_code != 200 and not (query in PAGES and answer.status_code == 302):
                    wrong.append(f"{path}{query}: {fault(answer) or answer.status_code}")
                tried += 1
    assert wrong == [], told(wrong)
    assert tried > 20 or (kind, app) in SEEN_BY_OTHERS


@pytest.mark.parametrize("app", APPS)
def test_row_48_no_list_breaks_whatever_is_asked_for(world, app):
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for path, cl in lists_of(browser, app):
            names = sorted({*names_of(cl), "o", "p", "after", "before", "nobody", "id__gt", "pk__in"})
            asked = [(name, value) for name in names for value in VALUES]
            for name, value in (*asked, *(("q", words) for words in SEARCHES), ("o", "99.-99"), ("o", f"-{HUGE}")):
                answer = ask(browser, "GET", f"{path}?{urlencode({name: value})}")
                if found := fault(answer):
                    wrong.append(f"{path}?{name}={value[:30]!r}: {found}")
                tried += 1
    assert wrong == [], told(wrong)
    assert tried > 100


@pytest.mark.parametrize("said", [*NONSENSE, ""], ids=lambda said: ascii(said)[:20])
def test_row_48_no_page_of_the_house_breaks_whatever_is_asked_for(world, said):
    """What Django's admin does not make of every model: the workbench, the studio, finance's page, searches."""
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for route in routes():
            if roles.USUAL.search(route.template) and not route.template.endswith("/add/"):
                continue
            alone = [{name: said} for name in ASKED if said in ALONE]
            for query in (*alone, dict.fromkeys(ASKED, said)):
                answer = ask(browser, "GET", f"{path_of(route)}?{urlencode(query)}")
                if found := fault(answer):
                    wrong.append(f"{route.template} {'all' if len(query) > 1 else query}: {found}"[:400])
                tried += 1
    assert wrong == [], told(wrong)
    assert tried > 50
