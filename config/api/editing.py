"""`If-Match`: a write that goes through only if nobody else has changed what the caller looked at.

An `ETag` is `"<version>.<digest>"`. The whole of it says whether an answer is the same, for `If-None-Match`. What is
compared before a write is the version alone, that of the rows somebody can edit: that a player has joined meanwhile is
no reason to refuse an edit, though the page reads differently.
"""

import re

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import invalid
from config.versions import Seen, version_of

HEADER = "If-Match"
# Weak or strong: what a proxy packs, it marks as weak.
TAG = r'(?:W/)?"([\x21\x23-\x7e]*)"'
TAGS = re.compile(rf"\s*{TAG}\s*(?:,\s*{TAG}\s*)*")
LONGEST = 2_000


def seen_by(request: Request) -> Seen:
    """The versions that `If-Match` names; None where there is none, or any will do (`*`). Refuses what is no tag."""
    text = request.headers.get(HEADER)
    if text is None or text.strip() == "*":
        return None
    if len(text) > LONGEST or TAGS.fullmatch(text) is None:
        raise invalid(HEADER, 'Must be * or entity tags as they were given in ETag: "…", "…".')
    return frozenset(tag.partition(".")[0] for tag in re.findall(TAG, text))


def versioned(response: Response, *rows: Model) -> Response:
    """The answer, marked with the version of the rows that it shows; `config.api.conditional` makes the tag of it."""
    response.row_version = version_of(*rows)  # type: ignore[attr-defined]  # a note on the answer
    return response


def refuse_unheeded(request: Request) -> None:
    """Refuse `If-Match` where nothing is compared: to pass over it would be to say that nothing has changed."""
    if HEADER in request.headers:
        raise invalid(HEADER, "This call compares no versions.")
