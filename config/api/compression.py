"""JSON that is read travels compressed where the caller takes gzip and it is worth it.

What may be compressed is decided with BREACH in mind: whoever can make a victim's browser ask with the victim's
credentials, put text of his own into the answer and see how long it is, learns what else stands in it, letter by
letter. Callers of this API bring a token in a header, which no foreign page can make a browser send; that alone stops
it. Besides, no answer with a secret in it is ever compressed: tokens, keys, one-time codes and a payment's secret come
as answers to a POST, and only reads are compressed; reads that tell a secret, such as the slips of one's own picks, say
so (`tells_secrets` of the view). And each answer that is compressed here is longer by a random number of bytes; kept
pages (`config.pages.packing`) are not, because they are the same for everybody. The pages of the back office, which
know their visitor by a cookie, are not compressed at all; nor are files and streams.
"""

from typing import TypeGuard

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

# Below it the answer fits into one packet anyway.
SMALLEST = 1024
RANDOM_BYTES = 100


def compressed(accepted: str, response: HttpResponseBase) -> HttpResponseBase:
    """The answer, in gzip where `accepted` (an `Accept-Encoding`) takes that. Only whole JSON that is read."""
    if not is_compressible(response):
        return response
    patch_vary_headers(response, ["Accept-Encoding"])
    if response.status_code != 200 or len(response.content) < SMALLEST or not accepts_gzip(accepted):
        return response
    response.content = compress_string(response.content, max_random_bytes=RANDOM_BYTES)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.content))
    return response


def is_compressible(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
    """Whether it is JSON that lies here whole, and that nobody has encoded. A strong tag is one of these very bytes."""
    if not isinstance(response, HttpResponse) or response.has_header("Content-Encoding"):
        return False
    return response.get("Content-Type", "").startswith("application/json") and not response.get("ETag", "").startswith(
        '"'
    )


def accepts_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` takes gzip: by its name, else by `*`, and not with a weight of nothing."""
    weights = {}
    for part in accepted.split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip().lower()] = _weight(parameter)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
