"""Choosing a game or an entry by typing a part of its name: a league has hundreds, a pool a million."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.row_numbers import row_number
from entries.models import Entry, Ruling
from pools.models import Game


class Finder(AutocompleteJsonView):
    """Answers the field while somebody types, with each row as its own page describes it."""

    def get_queryset(self) -> QuerySet[Any]:
        """With what the descriptions name."""
        found: QuerySet[Any] = super().get_queryset()
        page: Any = self.model_admin
        return found.select_related(*page.list_select_related)

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """The row for the list."""
        return {"id": str(obj.pk), "text": described(obj)}


class _Select(AutocompleteSelect):
    """Asks the finder, and looks like the other fields."""

    def __init__(self, field: str) -> None:
        super().__init__(
            Ruling._meta.get_field(field),
            admin.site,
            attrs={"class": "unfold-admin-autocomplete", "data-theme": "admin-autocomplete", "style": "width: 100%"},
        )

    def get_url(self) -> str:
        return reverse("admin:entries_ruling_find")

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        """With what is chosen; an address may fill in what is no row's number."""
        chosen = [one for one in value if not one or row_number(one) is not None]
        groups: list[Any] = super().optgroups(name, chosen, attrs)
        return groups


if TYPE_CHECKING:
    RowField = forms.ModelChoiceField[Model]
else:
    RowField = forms.ModelChoiceField


class Found(RowField):
    """One row of a model that rulings are about."""

    def __init__(self, model: type[Model], field: str, **options: Any) -> None:
        options.setdefault("widget", _Select(field))
        super().__init__(model._default_manager.all(), **options)

    def label_from_instance(self, obj: Model) -> str:
        """As its own page describes it."""
        return described(obj)


def game_field() -> Found:
    """A game, found by the schedule's name for it or by a team."""
    return Found(Game, "game", help_text=_("Type a team's name, or the schedule's name of the game."))


def entry_field() -> Found:
    """An entry, found by its player or by its imported reference."""
    return Found(Entry, "entry", help_text=_("Type the player's name or e-mail address, or the imported reference."))


def described(row: Any) -> str:
    """The row in a line, as the confirm pages of its model have it."""
    page: Any = admin.site._registry[type(row)]
    return str(page.describe(row))
