"""Every page of the back office is helped by a part of the handbook that is there, and the handbook hangs together."""

import ast
import re

from django.contrib import admin
from django.test import RequestFactory
from django.urls import resolve

from config.env import PROJECT
from config.handbook.contents import contents
from config.handbook.links import help_address, place_for
from config.handbook.pages import CONTENTS, DOCS, pages, pictures
from config.handbook.rendering import address_of, rendered
from tests.security.routes import walk

# What nobody looks at: doors, files of scripts, hops, and the handbook itself.
NO_PAGES = (
    "/admin/login/", "/admin/logout/", "/admin/language/", "/admin/autocomplete/", "/admin/jsi18n/", "/admin/r/",
    "/admin/<url>", "/admin/handbook/",
)  # fmt: skip
ROUTES = sorted(
    {route.template: route for route in walk() if route.template.startswith("/admin/")}.values(),
    key=lambda route: route.template,
)
LOOKED_AT = [route for route in ROUTES if not route.template.startswith(NO_PAGES)]
PICTURE = re.compile(r"!\[([^]]*)\]\(([^)]+\.png)\)")
LINK = re.compile(r"(?<!!)\[[^]]+\]\(([^)]+)\)")
BOOK = [page for page in pages().values() if page.is_handbook]


def asked(path):
    request = RequestFactory().get(path)
    request.resolver_match = resolve(path)
    return request


def is_there(place):
    """Whether a page has this heading."""
    name, _, anchor = place.partition("#")
    page = pages().get(name)
    return page is not None and (not anchor or anchor in {one.anchor for one in rendered(page).sections})


def test_every_page_of_the_back_office_is_helped_by_a_part_that_is_there():
    places = {route.template: place_for(asked(route.path(app_label="pools"))) for route in LOOKED_AT}
    assert {template: place for template, place in places.items() if not place or not is_there(place)} == {}
    assert len(places) > 300


def test_a_view_says_it_before_its_list_and_the_list_before_its_app():
    said = {path: place_for(asked(path)) for path in ("/admin/entries/request/workbench/", "/admin/entries/request/")}
    assert list(said.values()) == ["staff/requests#the-workbench", "staff/requests#the-list-of-requests"]
    assert place_for(asked("/admin/entries/")) == "staff/requests"
    assert help_address(asked("/admin/second-factor/")) == "/admin/handbook/staff/signing-in#the-second-factor"
    assert help_address(asked("/admin/login/")) == ""


def test_every_list_has_a_part_of_its_own():
    assert [one.__class__.__name__ for one in admin.site._registry.values() if not getattr(one, "handbook", "")] == []


def test_links_lead_to_headings_that_are_there():
    known, wrong, tried = {address_of(name): name for name in pages()}, [], 0
    for page in BOOK:
        shown = [address for section in rendered(page).sections for _, address in section.links]
        # A link that leads nowhere here is shown as text.
        if len(shown) != len(LINK.findall(page.path.read_text())):
            wrong.append((page.name, "a link leads nowhere"))
        for address in shown:
            path, _, anchor = address.partition("#")
            name = known.get(path) if path else page.name
            if name is None or (anchor and not is_there(f"{name}#{anchor}")):
                wrong.append((page.name, address))
            tried += 1
    assert wrong == []
    assert tried > 80


def test_every_page_is_in_the_list_of_contents_once():
    listed = [address for book in contents() for _, address in book.pages]
    assert sorted(listed) == sorted(address_of(page.name) for page in BOOK if page.name != CONTENTS)


def test_pictures_are_there_and_say_what_they_show():
    wrong = [
        (page.name, words, place)
        for page in BOOK
        for words, place in PICTURE.findall(page.path.read_text())
        if not (page.path.parent / place).is_file() or len(words) < 10
    ]
    assert wrong == []


def test_every_picture_is_taken_by_a_scene_and_used():
    used = {
        (page.parent / place).resolve().relative_to(DOCS).as_posix()
        for page in [PROJECT / "README.md", *DOCS.rglob("*.md")]
        for _, place in PICTURE.findall(page.read_text())
    }
    taken = set(scenes())
    there = {place for place in pictures() if place.startswith(("tour/", "handbook/"))}
    assert (taken - used, taken - there, there - taken) == (set(), set(), set())


def scenes():
    """The pictures that the scenes take: `shoot(page, "tour/home", …)`."""
    for path in (DOCS / "scenes").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "shoot":
                yield f"{ast.literal_eval(call.args[1])}.png"
