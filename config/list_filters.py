"""Filters of lists that do not look at every row to know what there is to choose from."""

from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter

# What has not come up in so many rows is rare, and can still be asked for in the address.
NEWEST = 2000


class SeenValuesFilter(AllValuesFieldListFilter):
    """The values that the newest rows have, and the one that is asked for."""

    def __init__(
        self,
        field: "Field[Any, Any]",
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        rows: QuerySet[Any] = model_admin.get_queryset(request).order_by("-pk")
        values = set(rows.values_list(field_path, flat=True)[:NEWEST])
        asked: Any = self.lookup_val
        values |= set(asked if isinstance(asked, list) else [asked] if asked else [])
        # What comes without a value comes last, as Django has it.
        self.lookup_choices: Any = sorted(values, key=lambda value: (value is None, str(value)))


class YesNoFilter(BooleanRadioFilter):  # type: ignore[misc]  # unfold ships no types
    """Yes, no, or all, which browsers without scripts send as an empty value: Unfold takes that for a wrong one."""

    def __init__(
        self,
        field: "Field[Any, Any]",
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        name = f"{field_path}__exact"
        if params.get(name) == [""]:
            del params[name]
        super().__init__(field, request, params, model, model_admin, field_path)


def fast_filter(model: type[Model], given: Any) -> Any:
    """The filter as it was declared, or one of these where Django's own would read the whole table."""
    if not isinstance(given, str):
        return given
    field: Any = model._meta.get_field(given)
    is_open = field.get_internal_type() in ("CharField", "TextField", "EmailField", "IntegerField")
    return (given, SeenValuesFilter) if is_open and not field.choices else given
