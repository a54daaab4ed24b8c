"""A fresh sign-in on pages: what is `fresh` asks for the password on the very page, and then goes on.

Whatever a form carried comes along in hidden fields, so nothing that was typed is lost; a chosen file has to be chosen
again, because no page can fill in a file. Who proves what, the accounts say: they register a `Prover`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from config.clock import database_now
from config.errors import Code, DomainError
from config.freshness import is_fresh

SESSION_KEY = "authenticated_at"
PASSWORD, CODE = "reauthenticate_password", "reauthenticate_otp"
OURS = (PASSWORD, CODE, "csrfmiddlewaretoken")

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True)
class Prover:
    """Who looks at what was typed: `prove` raises a DomainError unless password and code are those of the person."""

    prove: Callable[[HttpRequest, str, str], None]
    asks_code: Callable[[HttpRequest], bool]


_provers: list[Prover] = []


def register(prover: Prover) -> None:
    """Say who proves. The last one said counts."""
    _provers[:] = [prover]


def stamp(session: SessionBase) -> None:
    """Note that the person of this browser has proved this moment who they are."""
    session[SESSION_KEY] = database_now().timestamp()


def proved_at(session: SessionBase) -> datetime | None:
    """When the person of this browser last did; None where nobody knows."""
    stamped = session.get(SESSION_KEY)
    return None if stamped is None else datetime.fromtimestamp(stamped, UTC)


def ask_unless_fresh(request: HttpRequest, context: dict[str, Any]) -> HttpResponse | None:
    """The page that asks for the password again, with all that was posted; None once the sign-in is fresh.

    `context` is what every page of the site shows. The password is taken out of what the view sees.
    """
    typed = request.POST.copy()
    password, code = (str(typed.pop(name, [""])[-1]) for name in (PASSWORD, CODE))
    was_asked = PASSWORD in request.POST
    request.POST = typed  # type: ignore[assignment]  # the same, without the password
    if is_fresh(proved_at(request.session)):
        return None
    fault, status = "", 200
    if was_asked:
        try:
            _provers[0].prove(request, password, code.strip())
        except DomainError as refusal:
            fault, status = refusal.sentence, 429 if refusal.code is Code.RATE_LIMITED else 200
        else:
            stamp(request.session)
            return None
    fields = [(name, value) for name, values in typed.lists() if name not in OURS for value in values]
    page = {
        **context,
        "title": gettext("Is it you?"),
        "fields": fields,
        "files": list(request.FILES),
        "asks_code": _provers[0].asks_code(request),
        "fault": fault,
        "address": request.get_full_path(),
        "names": {"password": PASSWORD, "code": CODE},
    }
    return TemplateResponse(request, "admin/reauthenticate.html", page, status=status)


def fresh_page(view: V) -> V:
    """Ask for a fresh sign-in before a page of the admin does what was posted to it."""

    @wraps(view)
    def asked_first(page: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            question = ask_unless_fresh(request, page.admin_site.each_context(request))
            if question is not None:
                return question
        return view(page, request, *args, **kwargs)

    return asked_first  # type: ignore[return-value]  # the same signature, which a TypeVar cannot say
