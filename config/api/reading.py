"""The last steps of an answer, in their order: the fields that were asked for, the tag, a 304, compression."""

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.compression import compressed
from config.api.conditional import READING, answered, digest_of, tag_of
from config.api.envelope import EnvelopeRenderer, encode
from config.api.sparse import Choice, chosen


def finish(request: Request, response: HttpResponseBase, *, choice: Choice | None, secret: bool) -> HttpResponseBase:
    """The answer as it leaves the view. Whatever went wrong, and what brings its own tag, is left as it is.

    What is written gets a tag where it tells the version of its row, so that the next `If-Match` can name it. An answer
    with a `secret` in it is not compressed.
    """
    if not 200 <= response.status_code < 300:
        return response
    is_read = request.method in READING
    if isinstance(response, Response) and choice is not None:
        response.data = chosen(response.data, choice)
    if (is_read or hasattr(response, "row_version")) and not response.has_header("ETag"):
        _tag(response)
    if not is_read:
        return response
    response = answered(request._request, response)
    if isinstance(response, Response):
        response.render()
    return response if secret else compressed(request.headers.get("Accept-Encoding", ""), response)


def _tag(response: Any) -> None:
    """By the digest of the data, without `meta`; a stream has none, and gets no tag."""
    if response.status_code == 204:
        response.headers["ETag"] = tag_of(response)
    elif isinstance(response, Response):
        if isinstance(response.accepted_renderer, EnvelopeRenderer):
            # Encoded once: the renderer puts the envelope around these bytes.
            encoded = encode(response.data)
            response.encoded = encoded  # type: ignore[attr-defined]  # read by the renderer
            response.headers["ETag"] = tag_of(response, encoded.digest())
        else:
            response.render()
            response.headers["ETag"] = tag_of(response, digest_of(response.content))
    elif isinstance(response, HttpResponse):
        response.headers["ETag"] = tag_of(response, digest_of(response.content))
