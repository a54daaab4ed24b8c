"""Declaring a field that is computed, with what its measure needs to know.

A type on a model is answered with rows of that model, so the `self` of its fields is such a row.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry_django
from strawberry_django.utils.typing import PrefetchCallable

from config.graphql.limits import COST, MOST

F = TypeVar("F", bound=Callable[..., Any])


def field(
    description: str, *, most: int | None = None, cost: int = 0, prefetch: PrefetchCallable | None = None
) -> Callable[[F], F]:
    """A field with a resolver.

    `most` is how many things its list holds at most, `cost` what finding them costs beside the things themselves, and
    `prefetch` what the optimizer fetches for all rows of a page at once.
    """
    metadata = {COST: cost} if most is None else {COST: cost, MOST: most}

    def declare(resolver: F) -> F:
        made = strawberry_django.field(
            resolver,
            description=description,
            metadata=metadata,
            prefetch_related=prefetch,
            # Else a field that is called as a relation of the model would have that fetched, too.
            disable_optimization=prefetch is None,
        )
        return cast(F, made)

    return declare
