"""What went wrong, in GraphQL's shape and with our codes; the words are those of the rest of the API.

    {"message": "There is nothing here, or it is not yours.", "path": ["pool"], "locations": […],
     "extensions": {"code": "NOT_FOUND", "details": {}}}

Never the text of an exception that is not ours.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from graphql import GraphQLError

from config.api import language
from config.api.envelope import Failure
from config.api.handler import explain, report
from config.errors import Code
from config.graphql.limits import LIMITS

# A value that came in is quoted back, however long it was.
LONGEST = 300
GUESS = " Did you mean "


def told(failure: Failure, **where: Any) -> dict[str, Any]:
    """One error; `where` is what of path and locations is known."""
    extensions = {"code": failure.code, "details": language.facts(failure.details)}
    return {"message": language.sentence(failure.code, failure.message), **where, "extensions": extensions}


def all_told(errors: Iterable[GraphQLError], request: Any) -> list[dict[str, Any]]:
    """The first of them, each as the rest of the API would tell it; crashes are reported."""
    found = []
    for error in list(errors)[: LIMITS.errors]:
        where: dict[str, Any] = {}
        if error.locations:
            where["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
        if error.path is not None:
            where["path"] = list(error.path)
        found.append(told(_failure_of(error, request), **where))
    return found


def refused(error: GraphQLError) -> Failure:
    """What GraphQL itself says of a question that it does not understand."""
    return Failure(Code.VALIDATION_ERROR, words_of(error))


def words_of(error: GraphQLError) -> str:
    """Its words: they quote the question. Guesses at what was meant would tell the schema, which is not for all."""
    words = error.message.partition(GUESS)[0] if settings.IS_SERVED else error.message
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def _failure_of(error: GraphQLError, request: Any) -> Failure:
    cause = error.original_error
    if cause is None:
        return refused(error)
    if isinstance(cause, GraphQLError):
        return _failure_of(cause, request)
    failure, _ = explain(cause)
    if failure.code == Code.INTERNAL_ERROR:
        report(cause, request)
    return failure
