"""Lists of the back office that are as fast with a million rows as with a thousand.

Up to `COUNTED` rows a list is Django's: counted, with numbers of pages, sorted by any column. Beyond, nobody turns to
page 4,711: rows are not counted any further, they stay in the list's own order, and one goes on from the last row
seen, however deep that is. Filters and the search make a long list a short one.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal
from unfold.views import ChangeList

from config.api.pagination import position_of, read_position, rows_after, sign_position
from config.errors import Malformed
from config.menu import called
from config.names import named

COUNTED = 10_000
AFTER, BEFORE = "after", "before"
# People, and whatever else is found first to find the rows that belong to it: beyond them one join finds both.
MOST_FOUND = 1000
# A shorter word has no three letters in a row, by which the index finds what is inside of a word: it begins one.
SHORTEST_INSIDE = 3
PREFIXES = {"^": "istartswith", "=": "iexact", "@": "search"}


class Bounded(Paginator):  # type: ignore[type-arg]  # Django's own class takes no parameter when it runs
    """Counts one row more than `COUNTED`, and no further."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        return int(found.order_by()[: COUNTED + 1].count())


class Onward(Paginator):  # type: ignore[type-arg]  # as above
    """Of a list that is gone through, not counted. `before` and `after` are the ways to its neighbours, or nothing."""

    template_name = "admin/pagination_onward.html"
    before = after = ""

    @cached_property
    def count(self) -> int:
        return COUNTED


class HouseChangeList(ChangeList):  # type: ignore[misc]  # unfold ships no types
    """One page of a list."""

    queryset: QuerySet[Any]
    result_count: int
    search_help_text: str | None
    is_long = False
    position: tuple[str, str] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # In the window's title, instead of Django's "Select … to change".
        self.title = called(self.opts)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """All rows that are meant. Where the page begins says which page it is, not which list: no filter knows it."""
        for name in (AFTER, BEFORE):
            self.filter_params.pop(name, None)
            if text := self.params.pop(name, ""):
                self.position = (name, text)
        self.search_help_text = named(self.search_help_text or "")
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows

    def get_filters(self, request: HttpRequest) -> Any:
        """Django's, with their names and choices in the language of the page."""
        found = super().get_filters(request)
        for spec in found[0]:
            spec.title = named(spec.title)
            field: Any = getattr(spec, "field", None)
            if getattr(field, "choices", None):
                spec.field = copy(field)
                spec.field.choices = [(value, named(label)) for value, label in field.flatchoices]
        return found

    def get_results(self, request: HttpRequest) -> None:
        """Django's for a short list; for a long one the rows after a position.

        Of what no column can be compared with, such as an instant before the first year, it leads back to the whole.
        """
        try:
            super().get_results(request)
        except DataError as error:
            raise IncorrectLookupParameters from error
        # "12 results (show all)" says something only where something was left out.
        if not (self.has_active_filters or self.query):
            self.full_result_count = self.result_count
        if self.result_count > COUNTED:
            self._go_on(request)

    def _go_on(self, request: HttpRequest) -> None:
        self.is_long, self.sortable_by = True, ()
        self.params.pop(ORDER_VAR, None)
        ordering = self.get_ordering(request, self.queryset.order_by())
        self.queryset = self.queryset.order_by(*ordering)
        self.paginator = Onward(self.queryset, self.list_per_page)
        self.can_show_all, self.multi_page = False, True
        if _can_go_on(self.lookup_opts, ordering, _annotations(self.model_admin)):
            self.result_list = self._by_position(ordering)
        else:
            self.result_list = self._by_number(ordering)
        # What cannot be looked through is not acted upon as a whole: "select all" is offered for short lists.
        self.result_count = self.full_result_count = len(self.result_list)

    def _by_position(self, ordering: Sequence[str]) -> list[Any]:
        where = (str(self.model_admin.opts.label),)
        is_back = self.position is not None and self.position[0] == BEFORE
        order = [_turned(name) for name in ordering] if is_back else list(ordering)
        place = None
        if self.position is not None:
            try:
                place = read_position(where, self.position[1], length=len(ordering), name=self.position[0])
            except Malformed as refusal:
                raise IncorrectLookupParameters from refusal
        keys: list[Any] = []
        for part in _parts(self.lookup_opts, order, _annotations(self.model_admin)):
            if place is None or part.has(place):
                keys += part.keys(self.queryset, place, most=self.list_per_page + 1 - len(keys))
                place = None
        found, has_more = self._rows(keys, ordering)

        def to(name: str, row: Any) -> str:
            return str(self.get_query_string({name: sign_position(where, position_of(row, _named(ordering)))}))

        if found and (is_back or has_more):
            self.paginator.after = to(AFTER, found[-1])
        if found and (has_more if is_back else self.position is not None):
            self.paginator.before = to(BEFORE, found[0])
        return found

    def _by_number(self, ordering: Sequence[Any]) -> list[Any]:
        """In an order that no position stands for: by the page's number, as far as it is counted."""
        last = max(COUNTED // self.list_per_page, 1)
        number = min(max(self.page_num, 1), last)
        start = (number - 1) * self.list_per_page
        keys = self.queryset.values_list("pk", flat=True)[start : start + self.list_per_page + 1]
        found, has_more = self._rows(list(keys), ordering)
        if number > 1:
            self.paginator.before = self.get_query_string({"p": number - 1})
        if number < last and has_more:
            self.paginator.after = self.get_query_string({"p": number + 1})
        return found

    def _rows(self, keys: list[Any], ordering: Sequence[Any]) -> tuple[list[Any], bool]:
        """One page of them, and whether there are more: keys first, so that nothing is worked out for other rows."""
        size = self.list_per_page
        return list(self.queryset.filter(pk__in=keys[:size]).order_by(*ordering)), len(keys) > size


@dataclass(frozen=True)
class _Part:
    """A part of a list that an index is read for by itself; of a column that may be empty the rows without come last.

    As PostgreSQL sorts, who goes backwards meets them first.
    """

    where: Q
    order: Sequence[str]
    empty: bool | None = None  # whether the list's first column is; None where it never is

    def has(self, place: Sequence[Any]) -> bool:
        """Whether a row that stands there is of this part."""
        return self.empty is None or self.empty == (place[0] is None)

    def keys(self, rows: QuerySet[Any], place: Sequence[Any] | None, *, most: int) -> list[Any]:
        """Of its first rows, or of those after the place."""
        rows = rows.filter(self.where).order_by(*self.order)
        if place is not None:
            rows = rows.filter(rows_after(place[1:] if self.empty else place, self.order))
        return list(rows.values_list("pk", flat=True)[:most])


def _annotations(page: Any) -> Sequence[str]:
    """By which a page orders beside columns: what it works out for each row, and promises never to be empty."""
    found: Sequence[str] = getattr(page, "ordering_annotations", ())
    return found


def _parts(options: Any, order: Sequence[str], annotations: Sequence[str]) -> list[_Part]:
    name = order[0].lstrip("-")
    if name == "pk" or name in annotations or not options.get_field(name).null:
        return [_Part(Q(), order)]
    parts = [
        _Part(Q(**{f"{name}__isnull": False}), order, False),
        _Part(Q(**{f"{name}__isnull": True}), order[1:], True),
    ]
    return parts[::-1] if order[0].startswith("-") else parts


def in_words(model: type[Model], name: Any) -> Any:
    """A column whose values have words, as a function that shows those; any other as it is."""
    field = next((one for one in model._meta.concrete_fields if one.name == name), None)
    if field is None or not field.choices:
        return name

    @admin.display(description=field.verbose_name, ordering=name, empty_value=None)
    def shown(row: Any) -> str | None:
        value = getattr(row, f"get_{name}_display")()
        return named(value) if value else None

    shown.__name__ = str(name)
    return shown


def _named(ordering: Sequence[str]) -> list[str]:
    return [name.lstrip("-") for name in ordering]


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _can_go_on(options: Any, ordering: Sequence[Any], annotations: Sequence[str] = ()) -> bool:
    """Whether a row's place is known by its own columns or these: none but the first ever empty, the key last."""
    if not all(isinstance(name, str) for name in ordering):
        return False
    names = _named(ordering)
    if not names or names[-1] not in ("pk", options.pk.name):
        return False
    names = [name for name in names if name not in annotations]
    try:
        fields = [options.pk if name == "pk" else options.get_field(name) for name in names]
    except FieldDoesNotExist:
        return False
    # A key that is another row's is a number like any other.
    return not any(field.is_relation for field in fields if not field.primary_key) and not any(
        field.null for field in fields[1:]
    )


def found_rows(rows: QuerySet[Any], fields: Sequence[str], term: str) -> QuerySet[Any]:
    """The rows in which every word of the search is found in some field.

    What belongs to others, a player's name, is looked for among those others first, by their own indexes: one
    condition over both would be tried on every row there is.
    """
    for word in smart_split(term):
        text = unescape_string_literal(word) if word[0] in "\"'" and len(word) > 1 and word[0] == word[-1] else word
        rows = rows.filter(_anywhere(rows.model, fields, text))
    return rows


def _anywhere(model: type[Model], fields: Sequence[str], word: str) -> Q:
    found = Q(pk__in=())
    for path, names in _by_owner(model, fields).items():
        where = Q()
        for name in names:
            where |= _condition(_owner(model, path), name, word)
        if where:
            found |= _of_owner(model, path, where)
    return found


def _by_owner(model: type[Model], fields: Sequence[str]) -> dict[str, list[str]]:
    """The searched fields by the relation that leads to them; fields of the model itself under nothing."""
    found: dict[str, list[str]] = {}
    for name in fields:
        parts, owner, path = name.lstrip("^=@").split(LOOKUP_SEP), model, []
        sign = name[0] if name[0] in PREFIXES else ""
        while len(parts) > 1 and (step := _relation(owner, parts[0])) is not None:
            owner = step
            path.append(parts.pop(0))
        found.setdefault(LOOKUP_SEP.join(path), []).append(sign + LOOKUP_SEP.join(parts))
    return found


def _relation(model: type[Model], name: str) -> type[Model] | None:
    field: Any = model._meta.get_field(name)
    return field.related_model if field.is_relation else None


def _owner(model: type[Model], path: str) -> type[Model]:
    for name in filter(None, path.split(LOOKUP_SEP)):
        model = _relation(model, name) or model
    return model


def _condition(owner: type[Model], name: str, word: str) -> Q:
    """By a word that the field cannot have, nothing is found."""
    lookup = PREFIXES.get(name[0], "icontains")
    name, _, given = name.lstrip("^=@").partition(LOOKUP_SEP)
    lookup = given or lookup
    field: Any = owner._meta.get_field(name)
    if lookup == "iexact" and not _is_text(field):
        lookup = "exact"
    if lookup == "exact":
        try:
            word = field.get_prep_value(field.to_python(word))
        except (ValidationError, ValueError, TypeError, OverflowError):
            return Q()
    if lookup == "icontains" and len(word) < SHORTEST_INSIDE:
        return Q(**{f"{name}{LOOKUP_SEP}istartswith": word}) | Q(**{f"{name}{LOOKUP_SEP}icontains": f" {word}"})
    return Q(**{f"{name}{LOOKUP_SEP}{lookup}": word})


def _is_text(field: "Field[Any, Any]") -> bool:
    return field.get_internal_type() in ("CharField", "TextField", "EmailField", "SlugField")


def _of_owner(model: type[Model], path: str, where: Q) -> Q:
    """The rows of those who were found: named one by one where they are few."""
    others: QuerySet[Any] = _owner(model, path)._default_manager.order_by().filter(where)
    keys = list(others.values_list("pk", flat=True)[: MOST_FOUND + 1])
    chosen: Any = others.values("pk") if len(keys) > MOST_FOUND else keys
    if not _is_many(model, path):
        return Q(**{f"{path or 'pk'}__in": chosen})
    # One row may have many of the others: by its own key no row comes twice.
    rows: QuerySet[Any] = model._default_manager.order_by().filter(**{f"{path}__in": chosen})
    return Q(pk__in=rows.values("pk"))


def _is_many(model: type[Model], path: str) -> bool:
    for name in filter(None, path.split(LOOKUP_SEP)):
        field: Any = model._meta.get_field(name)
        if field.one_to_many or field.many_to_many:
            return True
        model = _relation(model, name) or model
    return False
