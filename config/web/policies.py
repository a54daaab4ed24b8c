"""What each kind of page may load and do: its Content-Security-Policy. docs/http.md says why, and lists the exceptions.

What is not a page may do nothing at all, so a JSON answer that a browser is tricked into showing stays text.
"""

from collections.abc import Mapping
from typing import Any, Final

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

Policy = Mapping[str, list[Any]]

NOTHING: Final[Policy] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
# The pages that links in mails lead to: a script of ours hands the token to the API, no form is ever sent.
LINK_PAGE: Final[Policy] = {**NOTHING, "script-src": [SELF], "style-src": [SELF], "connect-src": [SELF]}
# The page that turns letters off: a plain form, which posts to the page itself.
FORM_PAGE: Final[Policy] = {**NOTHING, "style-src": [SELF], "form-action": [SELF]}
# What a player sees who comes back from paying: words and their look.
RETURN_PAGE: Final[Policy] = {**NOTHING, "style-src": [NONCE]}
# Exception until 2027-05-31: Swagger UI writes `style` attributes.
SWAGGER: Final[Policy] = {
    **NOTHING,
    "script-src": [SELF, NONCE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
}
# Exception until 2027-05-31: Redoc writes style elements and attributes of its own.
REDOC: Final[Policy] = {
    **NOTHING,
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
}
# Exception until 2027-05-31: Alpine, which Unfold is built on, makes functions of its attributes, and Unfold writes
# `style` elements and attributes. No script in the page itself runs, nor one of another origin.
BACK_OFFICE: Final[Policy] = {
    **NOTHING,
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}

BY_PATH: Final[Mapping[str, Policy]] = {
    "/verify-email": LINK_PAGE,
    "/reset-password": LINK_PAGE,
    "/confirm-email": LINK_PAGE,
    "/undo-email": LINK_PAGE,
    "/unsubscribe": FORM_PAGE,
    "/payments/return": RETURN_PAGE,
    "/api/docs/": SWAGGER,
    "/api/redoc/": REDOC,
}


def policy_of(path: str) -> Policy:
    """The policy of whatever is answered at this path, errors included."""
    if path.startswith("/admin/"):
        return BACK_OFFICE
    return BY_PATH.get(path, NOTHING)
