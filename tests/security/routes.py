"""Every address there is, from the URL conf itself: whoever adds one answers for it in the tests that walk them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What stands for any value of a converter, in a path that leads to the view.
SAMPLES = {"code": "cup-0", "provider": "stripe", "kind": "entries", "name": "stripe"}
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
OF_A_KIND = {"uuid": "00000000-0000-4000-8000-000000000000"}


@dataclass(frozen=True)
class Route:
    """One pattern of the URL conf, with the whole path that leads to it."""

    template: str
    pattern: URLPattern

    @property
    def view(self) -> type[APIView] | None:
        """The class, where it is one of DRF's."""
        return getattr(self.pattern.callback, "cls", None) or getattr(self.pattern.callback, "view_class", None)

    @property
    def is_api(self) -> bool:
        return self.template.startswith("/api/v1/") and self.view is not None and issubclass(self.view, APIView)

    @property
    def verbs(self) -> list[str]:
        """Those that the view knows."""
        known = getattr(self.pattern.callback, "actions", None) or {
            verb.lower(): True for verb in VERBS if hasattr(self.view, verb.lower())
        }
        return [verb for verb in VERBS if verb.lower() in known]

    @property
    def nameless(self) -> str:
        """With nothing said about what the parts are called: two descriptions of it agree in this."""
        return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", self.template)

    def path(self, **given: Any) -> str:
        """An address that leads here, whether or not anything is there."""

        def value(found: re.Match[str]) -> str:
            kind, name = found[1], found[2]
            return str(given.get(name, OF_A_KIND.get(kind, SAMPLES.get(name, "1"))))

        return PLACE.sub(value, self.template)


def walk(patterns: Any = None, prefix: str = "/") -> Iterator[Route]:
    """Depth first."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        part = simplify_regex(str(each.pattern)) if "(?P" in str(each.pattern) or "^" in str(each.pattern) else None
        whole = prefix + (str(each.pattern) if part is None else part.lstrip("/")).removesuffix("$")
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns, whole)
        else:
            yield Route(whole.replace("\\.", ".").removesuffix("\\Z"), each)


def api_routes() -> list[Route]:
    """Those under /api/v1/ that are views of ours."""
    return [route for route in walk() if route.is_api]
