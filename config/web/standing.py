"""The headers that an answer has whatever is in it, for answers that are made without going through Django.

They are asked of Django itself: its middleware is gone through once for each kind of request, around an answer with
nothing in it, and what was said is kept. So a header that somebody adds is there on every answer, and a request that
middleware refuses or redirects is not answered without it.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.module_loading import import_string
from rest_framework.response import Response

from config.web.gate import REFUSED

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Headers = tuple[tuple[str, str], ...]
Answering = Callable[[HttpRequest], HttpResponseBase]

# They write down that a request came and what came of it: whoever answers without Django does so for themselves. The
# last one reads all static files when it is made, and says nothing of anything else.
LEFT_OUT = frozenset(
    {
        "config.api.middleware.RequestIdMiddleware",
        "config.audit.middleware.AuditMiddleware",
        "config.metrics.MetricsMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
    }
)
# What of a request may change what is said around its answer.
TELLING = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_FORWARDED_PROTO", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme")
# Every address of the API is refused alike.
API = "/api/v1/"
# So many kinds of request are known apart; whoever thinks of more only makes us ask again.
KINDS = 256


def headers_around(method: str, path: str, environ: "WSGIEnvironment", *, bearer: bool = True) -> Headers | None:
    """Those of an answer of 200 at an address like this one, to the bearer of a token, else to nobody in particular.

    None where middleware would not let the request through.
    """
    return _headers(200, method, path, tuple(environ.get(name, "") for name in TELLING), bearer)


def headers_of_refusal(environ: "WSGIEnvironment") -> Headers | None:
    """Those of what a caller of the API is told who has to come again; None where they would be told otherwise."""
    told = tuple(environ.get(name, "") for name in TELLING)
    found = _headers(503, environ["REQUEST_METHOD"], API, told, "HTTP_AUTHORIZATION" in environ)
    return None if found is None else tuple(one for one in found if one[0] != "Retry-After")


@lru_cache(maxsize=KINDS)
def _headers(status: int, method: str, path: str, told: tuple[str, ...], bearer: bool) -> Headers | None:
    environ: dict[str, Any] = {name: value for name, value in zip(TELLING, told, strict=True) if value}
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO()}
    if bearer:
        environ["HTTP_AUTHORIZATION"] = "Bearer of a stand-in"
    if status == 503:
        environ[REFUSED] = 1
    answer = _middleware()(WSGIRequest(environ))
    if answer.status_code != status:
        return None
    return tuple((name, value) for name, value in answer.items() if name.lower() != "content-length")


@cache
def _middleware() -> Answering:
    answering: Answering = _bare_answer
    for name in reversed(settings.MIDDLEWARE):
        if name not in LEFT_OUT:
            answering = cast(Answering, convert_exception_to_response(import_string(name)(answering)))
    return answering


def _bare_answer(request: HttpRequest) -> HttpResponseBase:
    """What the view of the address says around nothing at all."""
    match = resolve(request.path_info)
    view: Any = match.func
    action = view.actions[str(request.method).lower()]
    bare: Any = type("Bare", (view.cls,), {"initial": lambda *_, **__: None, action: lambda *_, **__: Response({})})
    if "Authorization" in request.headers:
        # As REST framework's own tests sign in: nobody is looked up.
        request._force_auth_user = AnonymousUser()  # type: ignore[attr-defined]  # REST framework's own
    answer: HttpResponseBase = bare.as_view(view.actions, **view.initkwargs)(request, *match.args, **match.kwargs)
    return answer.render() if isinstance(answer, Response) else answer
