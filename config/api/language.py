"""The sentences of refusals in the caller's language, by `Accept-Language`; codes and facts are the same in each.
Pages of the back office are in the language that was chosen there.

Services raise sentences in English, with their facts (`config.phrases`). On the way out a sentence is looked up in the
catalogue (`config/locale`); one that is not in it becomes the general sentence of its code, which has one in every
language: what it said beyond that stands in `details`. Validation by Django and REST framework comes with catalogues
of its own.

The pages that players open from a mail, or come back to from a payment, speak their browser's language.

Nothing else of an answer is translated: the rules of a pool are what its players agreed to, word by word.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import override, pgettext
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from config.phrases import ORIGINAL, in_language, is_original

SPOKEN_UNDER = ("/api/v1/", "/graphql")
# Pages for players, of whom no choice is known there: who opens them need not be signed in.
OF_PLAYERS = frozenset({
    "/verify-email", "/reset-password", "/confirm-email", "/undo-email", "/unsubscribe", "/payments/return",
})  # fmt: skip
# Its pages speak English until somebody chooses.
BACK_OFFICE = "/admin/"
# In the catalogue, the context of what a code says in general.
OF_A_CODE = "error"


class LanguageMiddleware:
    """Speaks the caller's language for as long as a call of the API or a page for players lasts, and says so on
    whatever has a sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(BACK_OFFICE):
            return self._page(request)
        is_page = request.path in OF_PLAYERS
        if not is_page and not request.path.startswith(SPOKEN_UNDER):
            return self.get_response(request)
        language = language_of(request.headers.get("Accept-Language", ""))
        with override(language):
            response = self.get_response(request)
        if is_page or response.status_code >= 400:
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ["Accept-Language"])
        return response

    def _page(self, request: HttpRequest) -> HttpResponseBase:
        with override(chosen_language(request)):
            return self.get_response(request)


def chosen_language(request: HttpRequest) -> str:
    """The language that somebody chose for the back office in this browser, else English."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else ORIGINAL


def language_of(accepted: str) -> str:
    """The first language of an `Accept-Language` that is spoken here, else English."""
    for tag, weight in parse_accept_lang_header(accepted.lower()):
        if tag == "*":
            break
        if not weight:
            continue
        try:
            return str(get_supported_language_variant(tag))
        except LookupError:
            continue
    return str(get_supported_language_variant(settings.LANGUAGE_CODE))


def sentence(code: str, message: str) -> str:
    """The sentence in the language of the call."""
    if is_original() or not message:
        return str(message)
    if (found := in_language(message)) != message:
        return found
    general = pgettext(OF_A_CODE, code)
    return message if general == code else general


def facts(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details, with what they have of sentences about fields in the language of the call."""
    if is_original():
        return dict(details)
    return {
        name: [in_language(said) if isinstance(said, str) else said for said in value]
        if isinstance(value, list)
        else value
        for name, value in details.items()
    }
