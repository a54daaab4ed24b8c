"""The headers that every answer has, whatever made it: what a page may do, and that nobody keeps what is somebody's.

Both stand outside everything that may refuse, so refusals and crashes have them as well. A view that says something
narrower of its own keeps it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from config.web.policies import policy_of

# What a page could ask a browser for; none of ours does.
POWERS = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
    "midi", "payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
ALWAYS: Final = {
    "Permissions-Policy": ", ".join(f"{power}=()" for power in POWERS),
    "Cross-Origin-Opener-Policy": "same-origin",
    # Reading by CORS is another matter; this one is about being embedded.
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
KEPT_BY_NOBODY = ("no-store", "private")
WITHOUT_BODY = frozenset({204, 304})


class PolicyMiddleware(CSPMiddleware):
    """Writes the Content-Security-Policy of the path; its nonce is `request.csp_nonce`."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        return parts if report_only else replace(parts, config=dict(policy_of(request.path)))


class HeadersMiddleware:
    """Adds the headers that are the same everywhere; keeps answers to somebody out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.setdefault(name, value)
        if _is_of_somebody(request):
            _keep_from_caches(response)
        if response.status_code in WITHOUT_BODY:
            # Django counts the bytes of every body, and of these there is none.
            response.headers.pop("Content-Length", None)
        return response


def _is_of_somebody(request: HttpRequest) -> bool:
    """Whether the caller said who they are, or would have to at this place."""
    if request.path.startswith(settings.STATIC_URL):
        return False
    return "Authorization" in request.headers or bool(request.COOKIES) or request.path.startswith("/admin")


def _keep_from_caches(response: HttpResponseBase) -> None:
    known = response.get("Cache-Control", "")
    if not any(word in known for word in KEPT_BY_NOBODY):
        response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Authorization", "Cookie"])
