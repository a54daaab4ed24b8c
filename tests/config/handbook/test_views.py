"""The handbook is read by staff, in the back office, and nothing else is read there."""

import pytest

from config.handbook import pages as known
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

TRICKS = (
    "../going-live", "staff/../../../README", "..%2f..%2fREADME", "staff/requests.md", "docs/../../pyproject",
    "/etc/passwd", "docs/nothing", "pictures/../pages.py", "pictures/../../manage.py", "pictures/handbook/README.md",
    "pictures//etc/passwd",
)  # fmt: skip


@pytest.fixture
def office(client, moderator):
    client.force_login(moderator)
    return client


def test_staff_read_a_page_with_its_contents(office):
    page = office.get("/admin/handbook/staff/requests").content.decode()
    for words in ('id="the-workbench"', 'href="#deciding"', "/admin/handbook/finance/bank", '<article lang="en">'):
        assert words in page, words
    assert "is written in English" not in page


def test_a_picture_is_served(office):
    answer = office.get("/admin/handbook/pictures/tour/home.png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    assert "private" in answer["Cache-Control"]


def test_no_path_leads_out_of_it(office):
    assert {trick: office.get(f"/admin/handbook/{trick}").status_code for trick in TRICKS} == dict.fromkeys(TRICKS, 404)


def test_players_and_strangers_are_sent_to_the_door(client):
    addresses = ("/admin/handbook/", "/admin/handbook/staff", "/admin/handbook/pictures/tour/home.png")
    strangers = [client.get(address).status_code for address in addresses]
    client.force_login(UserFactory())
    assert strangers + [client.get(address).status_code for address in addresses] == [302] * 6


def test_nothing_is_done_there(office):
    assert office.post("/admin/handbook/staff").status_code == 405


def test_the_search_leads_to_headings(office):
    page = office.get("/admin/handbook/", {"q": "waiting list"}).content.decode()
    assert "/admin/handbook/staff/requests#deciding" in page
    assert "Nothing has all of these words" in office.get("/admin/handbook/", {"q": "<b>xyzzy"}).content.decode()


def test_in_another_language_it_says_that_it_is_english(office):
    office.cookies["outlast_language"] = "de"
    page = office.get("/admin/handbook/staff").content.decode()
    assert "Das Handbuch ist auf Englisch geschrieben." in page


def test_without_its_folder_it_says_so(office, tmp_path, monkeypatch):
    monkeypatch.setattr(known, "DOCS", tmp_path / "docs")
    for address in ("/admin/handbook/", "/admin/handbook/staff", "/admin/handbook/?q=money"):
        answer = office.get(address)
        assert answer.status_code == 404
        assert b"installed without its folder docs/" in answer.content


def test_lists_rows_and_forms_lead_there_from_their_header(office):
    for address, place in (
        ("/admin/", "staff/around#home"),
        ("/admin/pools/pool/", "staff/pools#pools"),
        ("/admin/pools/pool/add/", "staff/pools#pools"),
        ("/admin/entries/request/workbench/", "staff/requests#the-workbench"),
        ("/admin/pools/", "staff/pools"),
    ):
        page = office.get(address, follow=True).content.decode()
        assert f'<a href="/admin/handbook/{place}" target="outlast-handbook" class="help-link"' in page, address
