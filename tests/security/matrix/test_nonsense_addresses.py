"""Row 48 in the back office: no address breaks, whatever stands in it for an id, and whoever asks."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.apps import apps

from tests.security.matrix.nonsense import A_UUID, ENDLESS, HUGE, KINDS, ask, fault, told
from tests.security.matrix.pages import VISITORS, entering, path_of, routes, shown_by
from tests.security.routes import PLACE, Route

pytestmark = pytest.mark.django_db
# No number, one of too many digits, an end of text; what the admin tries besides: the edges of columns, a number of
# another kind, signs that count as digits elsewhere or quote something.
IDS = ("abc", ENDLESS, "1%00")
MORE = ("0", "-1", HUGE, str(2**63), A_UUID, "..%2f..", "%D9%A3", "_", "'%22%25")
# Who must be told of nothing.
OUTSIDE = VISITORS[:2]


def addresses(route: Route, ids: tuple[str, ...]) -> Iterator[str]:
    """With each of them in each place, the others as they should be."""
    for _, name in PLACE.findall(route.template):
        for said in ids:
            yield path_of(route, **{name: said})


def with_ids() -> list[Route]:
    """But for Django's old addresses of rows, which lead on to the form of one and look for nothing."""
    return [route for route in routes() if "<" in route.template and not route.template.endswith("<path:object_id>/")]


def walked(world, kind: str, paths: Iterator[str]) -> int:
    """How many were tried, looked at and sent an empty form."""
    wrong, tried = [], 0
    with entering(world, kind) as browser:
        for path in paths:
            for verb in ("GET", "POST"):
                answer = ask(browser, verb, path)
                # What no address of ours is, Django's admin tries with a slash behind it.
                if answer.status_code == 301 and urlsplit(answer["Location"]).path.endswith("/"):
                    answer = ask(browser, verb, path + "/")
                found = "is shown" if kind in OUTSIDE and answer.status_code == 200 else fault(answer)
                if found:
                    wrong.append(f"{verb} {path[:200]}: {found}")
                tried += 1
    assert wrong == [], told(wrong)
    return tried


@pytest.mark.parametrize("kind", KINDS)
def test_row_48_no_address_breaks_whatever_stands_for_its_id(world, kind):
    ids = IDS + MORE * (kind == "admin")
    assert walked(world, kind, (path for route in with_ids() for path in addresses(route, ids))) > 1000


@pytest.mark.parametrize("kind", KINDS)
def test_row_48_no_address_breaks_of_another_row_or_of_one_that_is_gone(world, kind):
    """The last row of its kind, which is somebody else's, and the number after it."""

    def paths() -> Iterator[str]:
        for route in with_ids():
            label = shown_by(route)
            if label is None:
                continue
            last = apps.get_model(label)._base_manager.order_by("pk").values_list("pk", flat=True).last()
            for number in (last, last + 1 if isinstance(last, int) else "2026-02-30") if last else ():
                place = PLACE.findall(route.template)[0][1]
                yield path_of(route, **{place: number})

    assert walked(world, kind, paths()) > 500
