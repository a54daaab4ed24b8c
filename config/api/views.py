"""The base of every view under /api/v1/.

It adds to DRF what the contract promises for every operation: the method is checked before the credentials, rate
limits, `Idempotency-Key` on each POST of a signed-in caller, `no-store` on whatever a signed-in caller reads, and in
tests the proof that no operation answers with an error it did not declare (`config.api.operations`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import (
    AuthenticationFailed,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
    ValidationError,
)
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from config.api import idempotency, ratelimit, reading
from config.api.declared import all_errors, is_public
from config.api.deprecation import announce
from config.api.editing import refuse_unheeded
from config.api.envelope import EnvelopeRenderer
from config.api.idempotency import Mode
from config.api.operations import UNSET, Operation, operation_of
from config.api.parameters import refuse_empty, refuse_unknown
from config.api.ratelimit import API_KEY, DENIED, NOBODY, READ, WRITE, Policy
from config.api.scopes import refuse_outside, scope_of
from config.api.sparse import Choice, choice_of
from config.api.strictness import MOST_NAMED, UNKNOWN, faults_of, misspelt
from config.errors import Code
from config.freshness import refuse_stale

SAFE_METHODS = frozenset({"GET", "HEAD"})
REFUSALS = (AuthenticationFailed, NotAuthenticated, PermissionDenied)


class UndeclaredError(AssertionError):
    """A view answered with an error code that its operation does not declare, so the schema would lie."""


class Contract(APIView):
    """What every operation promises. Mixed into `ApiView` and `ApiViewSet`."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    errors: ClassVar[tuple[Code, ...]] = ()
    limits: ClassVar[tuple[Policy, ...] | None] = None
    # Whether parameters that nobody declared are let be: for addresses that somebody else makes up.
    ignores_unknown: ClassVar[bool] = False
    # Of scopes: what an API key needs to call this. Empty: no key may.
    family: ClassVar[str] = ""
    # How long a form with files may be, in bytes, where it may be longer than other bodies.
    form_limit: ClassVar[int | None] = None
    # Whether what is read here has a secret in it, which must not be compressed (`config.api.compression`).
    tells_secrets: ClassVar[bool] = False
    operation: Operation
    # Of the fields, what the caller asks for; None: all of them.
    choice: Choice | None = None
    has_path_parameters = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's own steps, with the POST of a signed-in caller wrapped by its idempotency key."""
        self.args, self.kwargs = args, kwargs
        self.request = drf_request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        self.operation = operation_of(self, request.method or "")
        try:
            self.initial(drf_request, *args, **kwargs)
            response = self._respond(drf_request)
        except Exception as error:  # noqa: BLE001  # as DRF does: its exception handler answers for all of them
            response = self._refuse(error)
        self._check_declared(response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """405 before 401: which methods an address knows is no secret, who is asking does not change it."""
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        try:
            super().initial(request, *args, **kwargs)
        except REFUSALS:
            # DRF refuses before it counts: knocking in vain would have no limit.
            ratelimit.enforce((DENIED if request.user.is_authenticated else NOBODY,), request)
            raise
        refuse_outside(self.granted_scopes(), scope_of(self, str(request.method)))
        refuse_unknown(self, request)
        self.choice = choice_of(self, request)
        if request.method not in SAFE_METHODS and not self.operation.if_match:
            refuse_unheeded(request)
        if self.operation.fresh:
            # Before the idempotency key is looked at: neither the refusal nor a kept answer is for a stale sign-in.
            refuse_stale(getattr(request.auth, "authenticated_at", None))

    def check_throttles(self, request: Request) -> None:
        """Our policies stand where DRF has its throttles, which do not count exactly."""
        of_key = () if self.granted_scopes() is None else (API_KEY,)
        ratelimit.enforce((*self.policies(), *of_key), request)

    def granted_scopes(self) -> frozenset[str] | None:
        """What the API key at hand may do; None where a person calls, or nobody known."""
        return getattr(self.request.auth, "scopes", None)

    def policies(self) -> tuple[Policy, ...]:
        """Of the operation, else of the view, else the usual ones."""
        if self.operation.limits is not None:
            return self.operation.limits
        if self.limits is not None:
            return self.limits
        return (READ,) if self.request.method in SAFE_METHODS else (WRITE,)

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        """DRF's, plus the limiter's headers, and no cache for what only this caller may see."""
        answer = super().finalize_response(request, cast(Response, response), *args, **kwargs)
        for name, value in ratelimit.headers_of(request).items():
            answer[name] = value
        if request.successful_authenticator is not None:
            answer.setdefault("Cache-Control", "no-store")
        elif request.method in SAFE_METHODS and answer.status_code == 200 and is_public(self):
            # Anybody may keep it, and asks each time whether it still holds: what players see is never old.
            answer.setdefault("Cache-Control", "public, no-cache")
        patch_vary_headers(answer, ["Authorization"])
        announce(self.operation, answer)
        return answer

    def valid_body(self, serializer: type[BaseSerializer[Any]] | None = None) -> dict[str, Any]:
        """The validated body, by the operation's own `body` or `form` unless another is given.

        Refuses, besides what its fields refuse, every field that is not declared, and values of another type.
        """
        is_form = (self.request.content_type or "").startswith(MultiPartParser.media_type)
        declared = self.operation.form if is_form and self.operation.form is not None else self.operation.body
        return self._valid(serializer or declared, self.request.data, faults_of)

    def valid_query(self) -> dict[str, Any]:
        """The validated query, by the operation's `query`."""
        refuse_empty(self.operation.query, self.request.query_params)
        return self._valid(self.operation.query, self.request.query_params, misspelt)

    def _valid(
        self,
        serializer: type[BaseSerializer[Any]] | None,
        data: Any,
        beside: Callable[[BaseSerializer[Any], Any], dict[str, list[str]]],
    ) -> dict[str, Any]:
        """What the fields make of the data, unless they, or what looks `beside` them, find a fault."""
        if serializer is None or serializer is UNSET:
            raise TypeError(f"{type(self).__name__} {self.request.method} declares nothing to validate with")
        checked = serializer(data=data, context={"request": self.request, "view": self})
        faults: dict[str, Any] = dict(beside(checked, data))
        if not checked.is_valid() or faults:
            raise ValidationError(faults | dict(checked.errors))
        return cast(dict[str, Any], checked.validated_data)

    def _refuse_body(self, request: Request) -> None:
        """Where money moves without a word, one is not passed over: somebody meant something by it."""
        declared = self.operation
        if declared.moves_money and declared.body is None and declared.form is None and request.data:
            names = request.data if isinstance(request.data, Mapping) else ["non_field_errors"]
            raise ValidationError({str(name): [UNKNOWN] for name in list(names)[:MOST_NAMED]})

    def _respond(self, request: Request) -> HttpResponseBase:
        self._refuse_body(request)
        handler = getattr(self, str(request.method).lower())
        mode = self.operation.idempotency
        if request.method != "POST" or mode is Mode.OFF or not request.user.is_authenticated:
            return self._finish(handler(request, *self.args, **self.kwargs))
        key = idempotency.key_of(request, required=self.operation.key_required)
        if key is None:
            return self._finish(handler(request, *self.args, **self.kwargs))

        def work() -> HttpResponseBase:
            # Rendered inside the transaction: what is kept is what is sent.
            return self._rendered(self._finish(handler(request, *self.args, **self.kwargs)))

        def refuse(error: Exception) -> HttpResponseBase:
            return self._rendered(self._refuse(error))

        answer = idempotency.run(request, key, mode, moves_money=self.operation.moves_money, work=work, refuse=refuse)
        return answer if isinstance(answer, Response) else self._finish(answer)

    def _finish(self, response: HttpResponseBase) -> HttpResponseBase:
        answer = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        return reading.finish(self.request, answer, choice=self.choice, secret=self.tells_secrets)

    def _refuse(self, error: Exception) -> HttpResponseBase:
        response = self.handle_exception(error)
        # Also where the answer would have been CSV: an error is always JSON.
        self.request.accepted_renderer = EnvelopeRenderer()
        self.request.accepted_media_type = EnvelopeRenderer.media_type
        return self._finish(response)

    def _rendered(self, response: HttpResponseBase) -> HttpResponseBase:
        return response.render() if isinstance(response, Response) else response

    def _check_declared(self, response: HttpResponseBase) -> None:
        if settings.OUTLAST_ENV != "test" or response.status_code < 400:
            return
        code = getattr(getattr(response, "data", None), "code", None)
        if code is not None and code not in all_errors(self, self.request.method or ""):
            raise UndeclaredError(f"{type(self).__name__} {self.request.method} does not declare {code}.")


class ApiView(Contract):
    """One address that is no collection."""


if TYPE_CHECKING:
    _GenericViewSet = GenericViewSet[Any]
else:
    _GenericViewSet = GenericViewSet


class ApiViewSet(Contract, _GenericViewSet):
    """A collection. Methods validate, call one service, serialise; `get_queryset` is scoped to the caller."""

    lookup_value_regex = r"[0-9]{1,18}"


class ReadOnlyViewSet(RetrieveModelMixin, ListModelMixin, ApiViewSet):
    """A collection that can only be read."""
