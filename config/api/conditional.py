"""What a caller has already is not sent again: `ETag` on reads, and 304 where `If-None-Match` names it.

The tag is one of the data, and of a list's pagination. The time and the id of the request are new with every answer
and no part of it, so no two answers are the same bytes and the tag is a weak one.

An answer may bring a version of its row along (`row_version`, for `If-Match`, see `config.api.editing`). It then stands
before the digest of the data, which can change while the row does not.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

READING = frozenset({"GET", "HEAD"})
DIGEST_BYTES = 16
# They tell of a body, and a 304 has none.
OF_A_BODY = ("Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Content-Language")


def digest_of(*parts: bytes) -> str:
    """A short fingerprint of the parts, each of which has its own end."""
    whole = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        whole.update(b"%d:" % len(part))
        whole.update(part)
    return whole.hexdigest()


def weak(version: str) -> str:
    """The tag of a version."""
    return f'W/"{version}"'


def tag_of(response: HttpResponseBase, digest: str = "") -> str:
    """The tag of an answer, by the version of its row, if it has one, and the digest of its data."""
    row_version = getattr(response, "row_version", None)
    return weak(digest if row_version is None else f"{row_version}.{digest}")


def has_already(given: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag, by the weak comparison that it asks for; `*` names every one."""
    if not given:
        return False
    named = parse_etags(given.strip())
    return named == ["*"] or tag.removeprefix("W/") in (one.removeprefix("W/") for one in named)


def answered(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer, or a 304 where its caller has it already. Only of a read that went well, and that has a tag."""
    tag = response.get("ETag", "")
    if request.method not in READING or response.status_code != 200 or not tag:
        return response
    if not has_already(request.headers.get("If-None-Match"), tag):
        return response
    response.close()
    return not_modified(response.headers)


def not_modified(headers: Mapping[str, Any]) -> HttpResponse:
    """The 304 of an answer with these headers: all of them but those of its body."""
    left_out = {name.lower() for name in OF_A_BODY}
    kept = {name: value for name, value in headers.items() if name.lower() not in left_out}
    return HttpResponseNotModified(headers=kept)
