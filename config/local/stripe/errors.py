"""Refusals in Stripe's shape: `{"error": {"type", "code", "message", "param"}}`.

Two facts about each decide what a retry meets. `stored`: the idempotency layer keeps the answer, because the
endpoint had begun to work. `commits`: what was done before the refusal stays (a declined card leaves a charge).
"""

from typing import Any

from config.local.stripe.wire import Json, Response, json_response

DOCUMENTED_AT = "https://docs.stripe.com/error-codes#"


class StripeError(Exception):
    """A request the endpoint worked on and refused, such as a refund larger than the charge."""

    status = 400
    type = "invalid_request_error"
    stored = True
    commits = False

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.more = more

    def body(self) -> Json:
        error: Json = {"message": self.message, "type": self.type, **self.more}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": DOCUMENTED_AT + self.code.replace("_", "-")}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}

    def response(self) -> Response:
        return json_response(self.status, self.body())


class InvalidParameter(StripeError):
    """Malformed or unknown parameters; found before the endpoint starts, so nothing is stored."""

    stored = False


class ResourceMissing(StripeError):
    status = 404

    def __init__(self, noun: str, id: str, *, param: str = "id") -> None:
        super().__init__(f"No such {noun}: '{id}'", code="resource_missing", param=param)


class UnknownUrl(StripeError):
    status = 404
    stored = False

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            f"Unrecognized request URL ({method}: {path}). The Stripe double answers only what its documentation "
            "lists; see GET /_double."
        )


class Unauthorized(StripeError):
    status = 401
    stored = False


class CardDeclined(StripeError):
    """The bank said no. The failed charge and its events stay."""

    status = 402
    type = "card_error"
    commits = True


class IdempotencyMismatch(StripeError):
    """The key was used before, for something else."""

    type = "idempotency_error"
    stored = False


class KeyInUse(StripeError):
    """The same key is being worked on at this moment."""

    status = 409
    stored = False

    def __init__(self, key: str) -> None:
        super().__init__(
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later.",
            code="idempotency_key_in_use",
        )


class RateLimited(StripeError):
    """429 comes before the idempotency layer: the same key may be sent again."""

    status = 429
    stored = False


class ServerFault(StripeError):
    """5xx. Stripe stores it under the key, so sending the key again meets the same fault."""

    status = 500
    type = "api_error"

    def __init__(self, status: int = 500) -> None:
        super().__init__("An unknown error occurred. (The Stripe double was told to fail here.)")
        self.status = status
