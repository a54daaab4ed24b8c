"""What the public account calls have in common: no credentials, answers nobody may keep, and their own limits."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import Public
from config.api.views import ApiView


class Door(ApiView):
    """A call for people who are not signed in. A bearer token sent along, good or bad, is not looked at."""

    authentication_classes = ()
    permission_classes = [Public]

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        """Tokens and persons: kept by no cache."""
        response.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)
