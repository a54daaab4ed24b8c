"""Kept pages as answers of views, for callers of whom something has to be found out first."""

from typing import Any

from rest_framework.response import Response

from config.api.envelope import Encoded
from config.api.pagination import write_cursor
from config.pages.looking import look
from config.pages.registry import asked_for


def kept_answer(view: Any) -> Response | None:
    """The page at the address of the view's request; None where it is not kept, or only parts of it are asked for.

    It is what everybody sees: nothing for a caller who sees more. A cursor is the caller's own, as on every list.
    """
    request = view.request
    asked = asked_for(request.path, request.META.get("QUERY_STRING", "")) if view.choice is None else None
    page = look(asked) if asked is not None else None
    if page is None:
        return None
    pagination = None if page.pagination is None else dict(page.pagination)
    if pagination is not None and page.after:
        pagination["next_cursor"] = write_cursor(request, page.after)
    response = Response(headers={"ETag": page.tag})
    response.encoded = Encoded(page.data, pagination)  # type: ignore[attr-defined]  # read by the renderer
    return response
