"""How much a question asks for, told from its text and its variables alone, before anything is looked up.

The walk follows fragments wherever they are spread and stops at the first limit it passes, so that a few lines that
stand for millions are refused after some hundred steps. It runs before the document is validated: what the schema does
not know is counted as well, and validation is then asked about small documents only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from config.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from config.errors import Code, Malformed, invalid
from config.graphql.limits import COST, LIMITS, MOST, Limits, TooComplex
from config.graphql.scoping import OF_PARENT, scope_of

# What a list holds at most where nobody said.
USUAL_MOST = 25
PAGE_SIZE = "first"
# Fragments are no levels, but each is a step deeper for whoever walks.
MOST_NESTED = 2 * LIMITS.depth
UNCOUNTED = -LIMITS.selections
# The connection's own list, whose length is what the connection was asked for.
PAGE = "nodes"


@dataclass
class Measure:
    """What was counted so far, and which scopes a key needs for it; None among them: no key may."""

    limits: Limits = LIMITS
    depth: int = 0
    selections: int = 0
    aliases: int = 0
    repeats: int = 0
    directives: int = 0
    cost: int = 0
    scopes: set[str | None] = field(default_factory=set)

    def add(self, what: str, number: int = 1) -> None:
        """Count. Raises `TooComplex` past the limit."""
        total = getattr(self, what) + number
        setattr(self, what, total)
        allowed = getattr(self.limits, what)
        if total > allowed:
            raise TooComplex(what, allowed)

    def reach(self, depth: int) -> None:
        """Note how deep it goes."""
        self.depth = max(self.depth, depth)
        if depth > self.limits.depth:
            raise TooComplex("levels", self.limits.depth)


def only_operation(document: DocumentNode) -> OperationDefinitionNode:
    """The one query of the document. Refuses several, and whatever else an operation could be."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        raise Malformed(Code.VALIDATION_ERROR, "Ask one question at a time.", {"query": ["Must hold one operation."]})
    if operations[0].operation is not OperationType.QUERY:
        raise Malformed(Code.VALIDATION_ERROR, "Nothing can be changed here.", {"query": ["Must be a query."]})
    return operations[0]


def measure(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> Measure:
    """Count everything. Raises `TooComplex`, or VALIDATION_ERROR for what cannot be counted."""
    measured = Measure()
    operation = only_operation(document)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    _count_text(document, measured)
    walk = _Walk(schema, fragments, _values_of(operation, variables), measured)
    walk.directives(operation)
    walk.selections(operation.selection_set, Place(schema.query_type))
    return measured


def refuse_crowds(variables: Mapping[str, Any], limits: Limits = LIMITS) -> None:
    """Refuse variables of too many parts, and a NUL in any, which no text of ours can hold."""
    waiting: list[Any] = [variables]
    parts = 0
    while waiting:
        value = waiting.pop()
        inside = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
        parts += len(inside)
        if parts > limits.variables:
            raise TooComplex("parts of variables", limits.variables)
        if isinstance(value, str) and "\x00" in value:
            raise invalid("variables", "No text holds a NUL.")
        waiting.extend(inside)


def _count_text(document: DocumentNode, measured: Measure) -> None:
    """Whatever stands in the document, spread or not: validation looks at all of it, at some of it in pairs."""
    found = repeated = 0
    waiting: list[Any] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        chosen = getattr(node, "selection_set", None)
        inside = chosen.selections if chosen else ()
        names = [_name_in_answer(each) for each in inside if isinstance(each, FieldNode)]
        found, repeated = found + 1, repeated + len(names) - len(set(names))
        if found > measured.limits.selections:
            raise TooComplex("selections", measured.limits.selections)
        if repeated > measured.limits.repeats:
            raise TooComplex("repeats", measured.limits.repeats)
        waiting.extend(inside)


def _name_in_answer(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _values_of(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, with the whole numbers among their defaults."""
    defaults = {
        one.variable.name.value: int(one.default_value.value)
        for one in operation.variable_definitions or ()
        if isinstance(one.default_value, IntValueNode)
    }
    return {**defaults, **variables}


@dataclass(frozen=True)
class Place:
    """Where the walk is: in which type, how deep, how often that may be answered, how many rows its page has."""

    parent: Any
    depth: int = 1
    times: int = 1
    page: int = 1
    # What is asked for here already, fragments included.
    asked: set[str] = field(default_factory=set)

    def as_type(self, parent: Any) -> "Place":
        """The same place, in a fragment on a type."""
        return Place(parent, self.depth, self.times, self.page, self.asked)


@dataclass
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    measured: Measure
    inside: list[str] = field(default_factory=list)
    nesting: int = 0

    def selections(self, chosen: SelectionSetNode, place: Place) -> None:
        """Count what is chosen there, and whatever is inside."""
        self.nesting += 1
        if self.nesting > MOST_NESTED:
            raise TooComplex("levels", self.measured.limits.depth)
        for node in chosen.selections:
            self.measured.add("selections")
            self.directives(node)
            if isinstance(node, FieldNode):
                self._field(node, place)
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition
                self.selections(node.selection_set, place.as_type(self.schema.get_type(on.name.value)) if on else place)
            elif isinstance(node, FragmentSpreadNode):
                self._spread(node, place)
        self.nesting -= 1

    def directives(self, node: Any) -> None:
        """Count those of a node, and look at what they are given."""
        found: tuple[DirectiveNode, ...] = tuple(node.directives or ())
        self.measured.add("directives", len(found))
        for directive in found:
            self._look_at(directive.arguments)

    def _spread(self, node: FragmentSpreadNode, place: Place) -> None:
        name = node.name.value
        fragment = self.fragments.get(name)
        if fragment is None:
            return  # validation says so
        if name in self.inside:
            raise Malformed(
                Code.VALIDATION_ERROR, "A fragment spreads itself.", {"query": [f"Fragment {name} spreads itself."]}
            )
        self.inside.append(name)
        self.directives(fragment)
        self.selections(fragment.selection_set, place.as_type(self.schema.get_type(fragment.type_condition.name.value)))
        self.inside.pop()

    def _field(self, node: FieldNode, place: Place) -> None:
        self.measured.reach(place.depth)
        self.measured.add("aliases", int(node.alias is not None))
        self.measured.add("repeats", int(_name_in_answer(node) in place.asked))
        place.asked.add(_name_in_answer(node))
        self._look_at(node.arguments)
        if node.selection_set is None:
            return
        parent, name = place.parent, node.name.value
        known = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
        target = get_named_type(known.type) if known else None
        if name.startswith("__") or (target is not None and target.name.startswith("__")):
            # What tools ask about the schema costs nothing, however deep it goes. Where it is no one's to know,
            # validation refuses it.
            self.selections(node.selection_set, Place(target, depth=UNCOUNTED))
            return
        times = place.times * (_most(known, name, place.page) if known else 1)
        self._count(known, target, times)
        inner = Place(target, place.depth + 1, times, self._page_of(node, known))
        self.selections(node.selection_set, inner)

    def _count(self, known: GraphQLField | None, target: Any, times: int) -> None:
        if not isinstance(target, GraphQLObjectType) or known is None:
            return
        self.measured.add("cost", times + _said(known, COST, 0))
        definition = target.extensions.get("strawberry-definition")
        scope = None if definition is None else scope_of(definition.origin)
        if scope != OF_PARENT:
            self.measured.scopes.add(scope)

    def _page_of(self, node: FieldNode, known: GraphQLField | None) -> int:
        """How many rows a connection is asked for. Refuses what is not a whole number from 1 to 100."""
        if known is None or PAGE_SIZE not in known.args:
            return 1
        given = next((one.value for one in node.arguments or () if one.name.value == PAGE_SIZE), None)
        value: Any = DEFAULT_LIMIT
        if isinstance(given, IntValueNode):
            value = int(given.value)
        elif isinstance(given, VariableNode):
            value = self.variables.get(given.name.value, DEFAULT_LIMIT)
        elif given is not None:
            value = None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LIMIT:
            raise invalid(PAGE_SIZE, f"Must be a whole number from 1 to {MAX_LIMIT}.")
        return value

    def _look_at(self, arguments: Any) -> None:
        for argument in arguments or ():
            for value in _values_in(argument.value):
                if isinstance(value, StringValueNode) and "\x00" in value.value:
                    raise invalid(argument.name.value, "No text holds a NUL.")


def _values_in(value: ValueNode) -> Iterator[ValueNode]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ListValueNode):
            waiting.extend(one.values)
        elif isinstance(one, ObjectValueNode):
            waiting.extend(each.value for each in one.fields)


def _most(known: GraphQLField, name: str, page: int) -> int:
    """How many things a field answers with at most."""
    kind = known.type.of_type if is_non_null_type(known.type) else known.type
    if not is_list_type(kind):
        return 1
    return page if name == PAGE else _said(known, MOST, USUAL_MOST)


def _said(known: GraphQLField, name: str, otherwise: int) -> int:
    """What the field's metadata says."""
    definition = known.extensions.get("strawberry-definition")
    metadata = getattr(definition, "metadata", None) or {}
    return int(metadata.get(name, otherwise))
