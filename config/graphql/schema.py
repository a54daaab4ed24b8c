"""Putting the apps' parts together, and answering a question with them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import strawberry
from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry_django.optimizer import DjangoOptimizerExtension

from config.errors import Code, Malformed
from config.graphql.context import Context
from config.graphql.errors import words_of
from config.graphql.limits import LIMITS, TooComplex
from config.graphql.measuring import Measure, measure, refuse_crowds
from config.graphql.questions import Question
from config.graphql.scalars import SCALARS

# Documents that were found good lately. A document of the largest size takes a megabyte.
REMEMBERED = 64
TOLD_AT_ONCE = 3
# What the parser says of a document that it gives up reading.
TOO_MUCH = {
    "Document contains more than": ("tokens", LIMITS.tokens),
    "Document is nested too deeply": ("levels", LIMITS.depth),
}


class Names(NameConverter):
    """Values of enumerations are the codes that the rest of the API has."""

    def from_enum_value(self, enum: StrawberryEnumDefinition, enum_value: EnumValue) -> str:
        return str(enum_value.value)


class Prepared(SchemaExtension):
    """Takes over the document that was read, measured and validated before."""

    def on_operation(self) -> Any:
        context = self.execution_context
        context.graphql_document = context.context.document
        context.validation_rules = ()
        yield


class Schema(strawberry.Schema):
    """Ours says itself what is logged."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: `config.graphql.errors` reports what is ours, and refusals are no news."""


def build_schema(*parts: type) -> Schema:
    """The schema whose questions are those of all parts."""
    return Schema(
        query=merge_types("Query", parts),
        extensions=[Prepared, lambda: DjangoOptimizerExtension(enable_only_optimization=False)],
        config=StrawberryConfig(name_converter=Names(), scalar_map=SCALARS, sort_schema=False),
    )


def prepare(schema: Schema, text: str, variables: Mapping[str, Any]) -> tuple[DocumentNode, Measure]:
    """The document, found good, and how much it asks for.

    Raises PARSE_ERROR, VALIDATION_ERROR, and QUERY_TOO_COMPLEX for what has too much of anything.
    """
    try:
        document = _read(text)
        refuse_crowds(variables)
        measured = measure(schema._schema, document, variables)
        _refuse_invalid(schema, text, is_served=settings.IS_SERVED)
    except RecursionError as error:
        raise TooComplex("levels", LIMITS.depth) from error
    return document, measured


@lru_cache(REMEMBERED)
def _read(text: str) -> DocumentNode:
    try:
        return parse(text, max_lexical_tokens=LIMITS.tokens)
    except GraphQLError as error:
        for words, (what, allowed) in TOO_MUCH.items():
            if words in error.message:
                raise TooComplex(what, allowed) from error
        places = [f"line {one.line}, column {one.column}" for one in error.locations or ()]
        raise Malformed(Code.PARSE_ERROR, words_of(error), {"query": places}) from error


@lru_cache(REMEMBERED)
def _refuse_invalid(schema: Schema, text: str, *, is_served: bool) -> None:
    """Refuse what does not fit the schema. Where this is served, the schema itself is not told."""
    rules = [*specified_rules, *[NoSchemaIntrospectionCustomRule] * is_served]
    errors = validate(schema._schema, _read(text), rules, max_errors=TOLD_AT_ONCE, hide_suggestions=is_served)
    if errors:
        raise Malformed(Code.VALIDATION_ERROR, words_of(errors[0]), {"query": [words_of(error) for error in errors]})


def answer(schema: Schema, context: Context, question: Question) -> ExecutionResult:
    """Execute the document of the context, which was found good."""
    variables = dict(question.variables)
    return schema.execute_sync(None, variables, context_value=context, operation_name=question.operation_name)
