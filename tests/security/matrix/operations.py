"""Every operation of the API, from the URL conf."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.api.operations import Operation as Promised
from config.api.operations import operation_of
from config.api.scopes import scope_of
from tests.security.routes import Route, api_routes


@dataclass(frozen=True)
class Operation:
    """One verb of one address, and the view that answers it."""

    route: Route
    verb: str
    view: Any

    @property
    def name(self) -> str:
        return f"{self.verb} {self.route.template}"

    @property
    def promised(self) -> Promised:
        return operation_of(self.view, self.verb)

    @property
    def scope(self) -> str | None:
        """What an API key needs for it."""
        return scope_of(self.view, self.verb)


def operations() -> Iterator[Operation]:
    for route in api_routes():
        callback = route.pattern.callback
        for verb in route.verbs:
            view = callback.cls(**callback.initkwargs)
            view.action = (getattr(callback, "actions", None) or {}).get(verb.lower(), verb.lower())
            yield Operation(route, verb, view)
