"""Who may call the API: a secret key of test mode, as Bearer token or as the user name of Basic."""

import base64
import binascii
import hmac

from config.local.stripe.errors import Unauthorized
from config.local.stripe.wire import Request

PREFIX = "sk_test_"


def check_secret_key(request: Request, expected: str | None) -> None:
    """Any `sk_test_…` key will do, unless the double was given one. Refuses live keys always."""
    key = _presented_key(request)
    if not key:
        raise Unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    accepted = key.startswith(PREFIX) and len(key) > len(PREFIX) and key.isascii()
    if expected is not None:
        accepted = accepted and hmac.compare_digest(key, expected)
    if not accepted:
        raise Unauthorized(f"Invalid API Key provided: {_masked(key)}")


def _presented_key(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _masked(key: str) -> str:
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * len(key)
