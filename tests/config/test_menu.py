"""One name for each page: in the menu, above the page, and where it is looked for."""

import pytest
from django.utils.html import strip_tags

from tests.factories.pools import PoolFactory

pytestmark = pytest.mark.django_db


def found(client, words):
    answer = client.get("/admin/search/", {"s": words, "extended": "1"})
    assert answer.status_code == 200
    return {str(one["title"]): one["link"] for one in answer.context["results"]}


def heading(client, path):
    """The way to the page, as its top says it."""
    page = client.get(path).content.decode()
    part = page[page.index("header-inner") if "header-inner" in page else 0 :]
    return " ".join(strip_tags(part).split())


def test_pages_are_found_by_their_names_in_the_menu(client, admin_user):
    client.force_login(admin_user)
    assert found(client, "work for LATER") == {"Work for later": "/admin/config/outboxmessage/"}
    assert found(client, "round room") == {"Round room": "/admin/entries/entry/rooms/"}
    assert "Audit" in found(client, "audit watch")
    assert found(client, "outbox messages") == found(client, "  ") == found(client, "x" * 5000) == {}
    client.cookies["outlast_language"] = "de"
    assert found(client, "später") == {"Aufgaben für später": "/admin/config/outboxmessage/"}


def test_nobody_finds_what_they_may_not_see(client, moderator):
    client.force_login(moderator)
    assert found(client, "work for later") == {}
    assert "Requests workbench" in found(client, "work")


def test_a_page_is_called_what_its_line_is_called(client, admin_user):
    client.force_login(admin_user)
    pool = PoolFactory()
    for path, way in (
        ("/admin/config/outboxmessage/", "Watch chevron_right Work for later"),
        ("/admin/entries/request/workbench/", "Play chevron_right Requests workbench"),
        (f"/admin/pools/pool/{pool.pk}/change/", f"Play chevron_right Pools chevron_right {pool.name}"),
    ):
        assert way in heading(client, path)


def test_lists_say_whether_there_is_nothing_at_all(client, admin_user):
    client.force_login(admin_user)
    page = client.get("/admin/payments/manualrecord/").content.decode()
    assert "Nothing is here so far." in page
    assert "<title>[test] Handed over | Outlast</title>" in " ".join(page.split())
    page = client.get("/admin/payments/manualrecord/", {"q": "4711"}).content.decode()
    assert "Nothing fits this search and these filters." in page


def test_an_address_that_is_not_understood_is_answered_by_a_page(client, admin_user):
    client.force_login(admin_user)
    answer = client.get("/admin/pools/game/", {"round__number": "7"})
    assert (answer.status_code, "This address is not understood" in answer.content.decode()) == (400, True)
    answer = client.get("/admin/pools/game/", headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
