"""The sidebar of the back office, by what people do there. Apps make their lists and pages known when their admin is
imported; whoever may not see a list does not see its line either.

    menu(Group.PLAY, Line("entries_request", _("Requests"), "person_add", 10))
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import TextChoices
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.names import named


class Group(TextChoices):
    """What people do here, in this order."""

    PLAY = "play", _("Play")
    PEOPLE = "people", _("People")
    MONEY = "money", _("Money")
    BOOKS = "books", _("Books")
    WATCH = "watch", _("Watch")


@dataclass(frozen=True, slots=True)
class Line:
    """A list, by its table, or a page, by the name of its address and the permission that it takes."""

    table: str
    label: str | Promise
    icon: str
    place: int
    page: str = ""
    permission: str = ""

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(f"admin:{self.page or f'{self.table}_changelist'}")

    def is_open_to(self, request: HttpRequest) -> bool:
        """Whether this person may see it."""
        if self.permission:
            return bool(request.user.has_perm(self.permission))
        app, _app, model = self.table.partition("_")
        page = admin.site._registry.get(apps.get_model(app, model))
        return page is not None and page.has_view_permission(request)


_lines: dict[Group, list[Line]] = {group: [] for group in Group}


def menu(group: Group, *lines: Line) -> None:
    """Make these known."""
    _lines[group].extend(lines)


def listed_tables() -> set[str]:
    """The tables that have a line."""
    return {line.table for lines in _lines.values() for line in lines if line.table}


def called(table: Any) -> str:
    """What a table's list is called: by its line of the menu, else by its own name. `table` is the model's `_meta`."""
    name = f"{table.app_label}_{table.model_name}"
    labels = (line.label for lines in _lines.values() for line in lines if line.table == name)
    return str(next(labels, named(table.verbose_name_plural)))


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """What `UNFOLD["SIDEBAR"]["navigation"]` is: the groups in which this person may see something."""
    home = reverse("admin:index")
    first = {"title": pgettext_lazy("first page", "Home"), "icon": "home", "link": home, "active": request.path == home}
    book = {"title": _("Handbook"), "icon": "menu_book", "link": reverse("handbook")}
    _mark(request, [book])
    return [{"items": [first, book]}, *_groups(request)]


def _groups(request: HttpRequest) -> Iterator[dict[str, Any]]:
    for group, lines in _lines.items():
        items = [
            {"title": line.label, "icon": line.icon, "link": line.address}
            for line in sorted(lines, key=lambda line: line.place)
            if line.is_open_to(request)
        ]
        _mark(request, items)
        if items:
            yield {"title": group.label, "name": group.value, "collapsible": True, "items": items}


def in_the_menu(request: HttpRequest, trail: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Unfold's way to a page, from its app and its table, in the words of the menu: its group, its line, its row."""
    found = [(line.address, group, line) for group, lines in _lines.items() for line in lines]
    around = [one for one in found if request.path.startswith(one[0])]
    if len(trail) < 2 or not around:
        return trail
    address, group, line = max(around, key=lambda one: len(one[0]))
    return [{"title": group.label}, {"link": address, "title": line.label}, *trail[2:]]


def _mark(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """The line of the list that the page belongs to: the longest address that its own begins with."""
    around = [item for item in items if request.path.startswith(item["link"])]
    for item in items:
        item["active"] = bool(around) and item is max(around, key=lambda one: len(one["link"]))
