"""Which parameters an address knows. Others are refused: a misspelt filter would look like one that was heeded.

No name of a parameter ever becomes a name of a column: each is a field that somebody wrote down.
"""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.api import sparse
from config.api.operations import operation_of

READING = frozenset({"GET", "HEAD"})
EMPTY = "Leave it out, or give it a value."
UNKNOWN = "This address knows no such parameter."
TWICE = "Given more than once: which of them is meant?"


def known_parameters(view: Any, method: str) -> set[str]:
    """Those of the operation's own, and of lists."""
    declared = operation_of(view, method)
    names = {one.name for one in declared.parameters if one.location == OpenApiParameter.QUERY}
    if declared.query is not None:
        names |= set(getattr(declared.query, "_declared_fields", ()))
    paginator = getattr(view, "paginator", None)
    if paginator is not None:
        names |= {str(one["name"]) for one in paginator.get_schema_operation_parameters(view)}
    if sparse.names_of(view, method):
        names.add(sparse.PARAMETER)
    return names


def refuse_unknown(view: Any, request: Request) -> None:
    """Raise VALIDATION_ERROR naming what is not known, and what is given twice. The fields asked for may come in parts.

    Where something is written without any, none is looked at.
    """
    method = str(request.method)
    if (
        view.schema is None
        or view.ignores_unknown
        or (method not in READING and operation_of(view, method).query is None)
    ):
        return
    known = known_parameters(view, method)
    faults = {name: UNKNOWN for name in request.query_params if name not in known}
    for name, values in request.query_params.lists():
        if len(values) > 1 and name != sparse.PARAMETER:
            faults.setdefault(name, TWICE)
    if faults:
        raise ValidationError({name: [faults[name]] for name in sorted(faults)})


def refuse_empty(serializer: Any, given: QueryDict) -> None:
    """Raise VALIDATION_ERROR naming what came without a value, where nothing is no value: DRF would pass over it."""
    fields: Mapping[str, Any] = getattr(serializer, "_declared_fields", {})
    empty = [name for name in fields if given.get(name) == "" and not getattr(fields[name], "allow_blank", False)]
    if empty:
        raise ValidationError({name: [EMPTY] for name in empty})
