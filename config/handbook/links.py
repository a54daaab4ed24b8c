"""Which page of the handbook helps with a page of the back office.

Views say it by `helped_by`, lists and the pages of their rows by `handbook` of their admin class, and whatever says
nothing is helped by the page that its app names.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from config.handbook.rendering import address_of

F = TypeVar("F", bound=Callable[..., Any])

# Pages that Django and Unfold bring.
BROUGHT = {
    "index": "staff/around#home",
    "password_change_done": "staff/signing-in#your-password",
}
OF_AN_APP = re.compile(r"admin/(\w+)/(?:(\w+)/)?")


def helped_by(place: str) -> Callable[[F], F]:
    """Say that a page of the handbook helps with the page of this view: `staff/requests#undo`. It is the innermost
    decorator."""

    def mark(view: F) -> F:
        view.handbook = place  # type: ignore[attr-defined]  # read by `place_for`; a function has no such field
        return view

    return mark


def place_for(request: HttpRequest) -> str:
    """Page and heading for where this request is; empty where the back office does not know."""
    match = request.resolver_match
    if match is None:
        return ""
    declared = getattr(match.func, "handbook", "") or (BROUGHT.get(match.url_name or "") if match.app_names else "")
    if declared:
        return str(declared)
    found = OF_AN_APP.match(request.path_info.lstrip("/"))
    return _of(found[1], found[2]) if found else ""


def _of(app: str, model: str | None) -> str:
    try:
        config = apps.get_app_config(app)
        page = admin.site._registry.get(config.get_model(model)) if model else None
    except LookupError:
        return ""
    return str(getattr(page, "handbook", "") or getattr(config, "handbook", ""))


def help_address(request: HttpRequest) -> str:
    """Where the link in the header leads; empty where there is none."""
    page, _, anchor = place_for(request).partition("#")
    return address_of(page, anchor) if page else ""
