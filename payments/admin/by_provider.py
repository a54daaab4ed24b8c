"""Lists by provider, whichever there are: no column has a list of them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from payments.providers import provider_names


class ByProvider(admin.SimpleListFilter):
    """Whose money it is."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Every name that a provider answers to."""
        return [(name, name) for name in provider_names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the name."""
        return queryset.filter(provider=self.value()) if self.value() else queryset
