"""What an API key needs to be told of a type: the scope that the REST operation about the same thing asks for.

    @reads("entries:read")
    @strawberry_django.type(models.Entry)
    class Entry: ...

A question needs the scopes of every type that it reaches, by whatever way. A type that says nothing is closed to keys.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from config.api.scopes import SCOPES

T = TypeVar("T", bound=type)
NAME = "api_key_scope"
# Of a type that says something about the one around it, such as where its page ends.
OF_PARENT = "of what is around it"


def reads(scope: str) -> Callable[[T], T]:
    """Declare the scope of a type."""
    if scope not in SCOPES and scope != OF_PARENT:
        raise ValueError(f"there is no scope {scope}")

    def declare(made: T) -> T:
        setattr(made, NAME, scope)
        return made

    return declare


def scope_of(made: Any) -> str | None:
    """The declared scope; None where no key may."""
    found: str | None = getattr(made, NAME, None)
    return found
