"""`POST /graphql`: who asks is found, counted and limited as at any other address; the answer has GraphQL's shape.

Always an object with `data`, `errors` or both, and `extensions` with `timestamp` and `request_id`. A question that is
refused before anything was looked up has no `data`, and the status of its code. Once something was looked up the status
is 200; a field that was refused is null, and its error names it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config import tracing
from config.api.envelope import Failure, meta
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.permissions import Public
from config.api.ratelimit import Policy
from config.api.scopes import BY_TYPE, refuse_outside
from config.api.views import ApiView
from config.errors import Code
from config.graphql.context import Context
from config.graphql.errors import all_told, told
from config.graphql.persisted import hash_of, keep, text_of
from config.graphql.questions import read_question
from config.graphql.schema import Schema, answer, prepare

# A question may stand for several calls.
QUESTION = Policy("question", 300, 60)
REFUSALS = (Code.QUERY_TOO_COMPLEX, Code.PERSISTED_QUERY_NOT_FOUND, Code.FORBIDDEN, Code.SCOPE_MISSING)


class GraphQLRenderer(BaseRenderer):
    """JSON in GraphQL's shape."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """An answer, or the failure that stands for it."""
        content = {"errors": [told(data)]} if isinstance(data, Failure) else dict(data)
        body: bytes = JSONRenderer().render({**content, "extensions": meta()})
        return body


class GraphQLResponseRenderer(GraphQLRenderer):
    """The same for who asks by the newer name."""

    media_type = "application/graphql-response+json"


class GraphQLView(ApiView):
    """Questions about everything that the schema knows."""

    permission_classes = [Public]
    renderer_classes = [GraphQLRenderer, GraphQLResponseRenderer]
    # Slips: with the nonce of another's pick one could tell it before the lock.
    tells_secrets = True
    # Described by its own schema.
    schema = None
    graphql: ClassVar[Schema | None] = None

    @operation(
        body=None, answer=None, errors=REFUSALS, limits=(QUESTION,), idempotency=Mode.OFF, scope=BY_TYPE,
        summary="Ask a question",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answer one question. Nothing is changed by it, so it may be asked again at will."""
        question = read_question(request.data)
        text = text_of(question)
        # The log names a question by its hash: the words, and what they are about, are the caller's own.
        tracing.tell(operation=f"graphql {hash_of(text)[:16]}")
        document, measured = prepare(self._graphql, text, question.variables)
        for scope in sorted(measured.scopes, key=str):
            refuse_outside(self.granted_scopes(), scope)
        keep(question)
        result = answer(self._graphql, Context(request, document), question)
        errors = all_told(result.errors or (), request)
        if result.data is None and not any("path" in error for error in errors):
            # Refused before anything was looked up: a variable that is not of its type.
            return Response({"errors": errors}, status=400)
        return Response({"data": result.data, **({"errors": errors} if errors else {})})

    @property
    def _graphql(self) -> Schema:
        if self.graphql is None:
            raise TypeError("the view is made with its schema: GraphQLView.as_view(graphql=…)")
        return self.graphql

    def get_renderers(self) -> list[BaseRenderer]:
        """By the newer name where the caller knows it, in whatever order they say so."""
        made = super().get_renderers()
        return made[::-1] if GraphQLResponseRenderer.media_type in self.request.headers.get("Accept", "") else made

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        """As every view does; and nobody keeps an answer, to whomever it was."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer

    def _refuse(self, error: Exception) -> HttpResponseBase:
        """As every view does, but in GraphQL's shape."""
        response = self.handle_exception(error)
        if not isinstance(getattr(self.request, "accepted_renderer", None), GraphQLRenderer):
            self.request.accepted_renderer = GraphQLRenderer()
            self.request.accepted_media_type = GraphQLRenderer.media_type
        return self._finish(response)
