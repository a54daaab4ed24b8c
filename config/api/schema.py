"""The OpenAPI schema, from the declarations that the views themselves obey.

drf-spectacular describes what a view returns; `AutoSchema` puts it into the envelope, as the renderer does, and adds
every error of `config.api.declared` under its status, with the codes as an enum and an example of each, and the headers
of `config.api.headers`. What concerns the document as a whole is done afterwards, in `config.api.document`.
"""

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.fields import CharField
from rest_framework.parsers import MultiPartParser

from config.api import failures, sparse
from config.api.components import DESCRIPTIONS, SHARED, Schema, envelope_of, failure_name, failure_of
from config.api.declared import all_errors, is_public
from config.api.deprecation import endings_of
from config.api.document import EXAMPLE_OF_BODY
from config.api.headers import ANSWERED, Taken, answered, is_revalidated, taken
from config.api.names import name_of
from config.api.operations import UNSET, operation_of
from config.api.scopes import scope_of
from config.api.statuses import by_status
from config.errors import Code

if TYPE_CHECKING:
    from config.api.views import Contract


# PostgreSQL has no NUL in its texts; space around a text is cut off, and what is left has to be something. To Python
# four separators and a line break are space, too, that not every reader of patterns takes for such.
TEXT = r"^[^\u0000]*$"
UNTRIMMED = r"^[^\u0000]+$"
SOME_TEXT = r"^[^\u0000]*[^\u0000\s\u001c-\u001f\u0085][^\u0000]*$"


# Where a text is one of a list, the list says all of it.
OF_TEXTS = frozenset({"pattern", "minLength", "maxLength"})


class AutoSchema(SpectacularSchema):
    """drf-spectacular's, with our envelope, errors and headers."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Schema | None:
        """The operation as callers meet it."""
        cast("Contract", self.view).has_path_parameters = "{" in path
        found = super().get_operation(path, path_regex, path_prefix, method, registry)
        if found is None:
            return None
        self._register_shared()
        if example := operation_of(self.view, method).example:
            found[EXAMPLE_OF_BODY] = dict(example)
        found.setdefault("parameters", []).extend(_reference("parameters", one.component) for one in self._taken())
        for parameter in found["parameters"]:
            if parameter.get("in") == "query":
                _say_text(parameter["schema"])
        for status, response in found["responses"].items():
            self._envelop(int(status), response)
        if is_revalidated(self.view, self.method):
            found["responses"]["304"] = {"description": DESCRIPTIONS[304], "headers": self._headers(304)}
        for status, meaning in getattr(self.view, "also_answers", {}).items():
            found["responses"][str(status)] = {"description": meaning, "headers": self._headers(status)}
        for status, codes in by_status(self._errors()).items():
            found["responses"][str(status)] = self._failure(status, codes)
        return found

    def get_operation_id(self) -> str:
        """The declared name, else the one that method and address make."""
        declared = operation_of(self.view, self.method).name
        return declared or name_of(self.method, self.path, is_list=self.method == "GET" and self._is_list_view())

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Who may call, with the scope that an API key needs; where keys have no business, people alone."""
        scope = scope_of(self.view, self.method)
        ways: list[dict[str, list[str]]] = []
        for way in super().get_auth():
            if "apiKey" not in way:
                ways.append(way)
            elif scope is not None:
                ways.append({"apiKey": [scope]})
        # Nobody need sign in, and who does has to do it well.
        return [*ways, {}] if is_public(self.view) else ways

    def get_override_parameters(self) -> list[Any]:
        """What the operation declares; headers are added as references."""
        declared = operation_of(self.view, self.method)
        parameters: list[Any] = [*super().get_override_parameters(), *declared.parameters]
        if declared.query is not None:
            parameters.append(declared.query)
        if (fields := sparse.parameter_of(self.view, self.method)) is not None:
            parameters.append(fields)
        return parameters

    def is_deprecated(self) -> bool:
        """Where it is announced to end."""
        return operation_of(self.view, self.method).deprecated is not None

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        """With what the serializer says besides: `values` of a field, `shape` of the whole, `examples`.

        A body takes no field that is not there.
        """
        found: Schema = SpectacularSchema._map_basic_serializer(self, serializer, direction)
        if direction == "request":
            _say_values(found, serializer)
        for name, value in getattr(serializer, "examples", {}).items():
            if name in found["properties"]:
                found["properties"][name] = {**found["properties"][name], "examples": [value]}
        for name in endings_of(serializer):
            # Beside a reference there may stand something only inside of `allOf`.
            known = found["properties"][name]
            found["properties"][name] = {**({"allOf": [known]} if "$ref" in known else known), "deprecated": True}
        if direction == "request" and not getattr(serializer, "open_fields", False):
            found["additionalProperties"] = False
        return found

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Schema | None:
        """Of a text that is sent, also that it holds no NUL, and something else than space."""
        found: Schema | None = SpectacularSchema._map_serializer_field(self, field, direction, bypass_extensions)
        is_text = type(field) is CharField and found is not None and not found.keys() & {"format", "enum", "pattern"}
        # One that may be blank is described twice by drf-spectacular as soon as it has a pattern.
        if direction == "request" and is_text and found is not None and not field.allow_blank:
            found["pattern"] = SOME_TEXT if field.trim_whitespace else UNTRIMMED
        return found

    def _get_request_for_media_type(self, serializer: Any, direction: str = "request") -> tuple[Schema | None, bool]:
        """Where every way that the `shape` knows needs something, there has to be a body."""
        found, is_required = SpectacularSchema._get_request_for_media_type(self, serializer, direction)
        ways = getattr(serializer, "shape", {}).get("oneOf", ({},))
        return found, is_required or all(way.get("required") for way in ways)

    def get_summary(self) -> str | None:
        """The operation's own, else the first sentence of the method's docstring."""
        declared = operation_of(self.view, self.method).summary
        return declared or super().get_summary() or self.get_description().split("\n\n")[0].split(". ")[0].rstrip(".")

    def get_request_serializer(self) -> Any:
        """The declared body."""
        declared = operation_of(self.view, self.method)
        if declared.form is not None:
            bodies = {"application/json": declared.body, MultiPartParser.media_type: declared.form}
            return {kind: body for kind, body in bodies.items() if body is not None}
        return super().get_request_serializer() if declared.body is UNSET else declared.body

    def get_response_serializers(self) -> Any:
        """The declared answer under the declared status."""
        declared = operation_of(self.view, self.method)
        if declared.media_types:
            return {(declared.status or 200, kind): text for kind, text in declared.media_types.items()}
        answer = super().get_response_serializers() if declared.answer is UNSET else declared.answer
        if declared.status is not None or answer is None:
            return {declared.status or (204 if answer is None else 200): answer}
        return answer

    def _errors(self) -> set[Code]:
        """405 is an answer of the address, not of any of its operations."""
        return all_errors(self.view, self.method) - {Code.METHOD_NOT_ALLOWED}

    def _taken(self) -> list[Taken]:
        return taken(self.view, self.method)

    def _register_shared(self) -> None:
        for name, schema in SHARED:
            self._register(name, schema)
        for header in ANSWERED:
            self._register(header.name, header.described(), kind=ResolvedComponent.HEADER)
        for one in self._taken():
            self._register(one.component, one.described(), kind=ResolvedComponent.PARAMETER)

    def _register(self, name: str, schema: Schema, *, kind: str = ResolvedComponent.SCHEMA) -> None:
        self.registry.register_on_missing(ResolvedComponent(name=name, type=kind, object=name, schema=schema))

    def _headers(self, status: int) -> Schema:
        return {name: _reference("headers", name) for name in answered(self.view, self.method, status)}

    def _envelop(self, status: int, response: Schema) -> None:
        response["headers"] = {**response.get("headers", {}), **self._headers(status)}
        response["description"] = response.get("description") or ("Made." if status == 201 else "Done.")
        content = response.get("content", {}).get("application/json")
        if content is not None:
            content["schema"] = self._enveloped(content["schema"])

    def _enveloped(self, data: Schema) -> Schema:
        """The data's schema in the envelope; as a component of its own where the data is one, or a list of one."""
        is_page = self._is_list_view() and getattr(self.view, "pagination_class", None) is not None
        schema = envelope_of(data, is_page=is_page)
        one = data if "$ref" in data else data.get("items", {})
        if "$ref" not in one:
            return schema
        name = one["$ref"].rsplit("/", 1)[-1]
        # drf-spectacular has a component for the items of a page.
        if is_page:
            name = f"Paged{name.removeprefix('Paginated').removesuffix('List')}"
        else:
            name = f"{'Enveloped' if '$ref' in data else 'Listed'}{name}"
        self._register(name, schema)
        return _reference("schemas", name)

    def _failure(self, status: int, codes: list[Code]) -> Schema:
        name = failure_name(status, codes, self.get_operation_id())
        self._register(name, failure_of(codes))
        for code in codes:
            example = {"summary": str(code), "value": failures.example_of(code)}
            self._register(str(code), example, kind=ResolvedComponent.EXAMPLE)
        content = {
            "schema": _reference("schemas", name),
            "examples": {str(code): _reference("examples", str(code)) for code in codes},
        }
        return {
            "description": DESCRIPTIONS[status],
            "headers": self._headers(status),
            "content": {"application/json": content},
        }


def _say_text(schema: Schema) -> None:
    """An address that has a NUL in its query is refused."""
    if schema.get("type") == "string" and not schema.keys() & {"format", "enum", "pattern"}:
        schema["pattern"] = TEXT


def _say_values(found: Schema, serializer: Any) -> None:
    """What is taken beyond what the fields say: no NUL in what may be blank, the `values` and the `shape`."""
    properties = found["properties"]
    for name, field in getattr(serializer, "fields", {}).items():
        if type(field) is CharField and field.allow_blank and name in properties:
            properties[name] = {"pattern": TEXT, **properties[name]}
    for name, more in getattr(serializer, "values", {}).items():
        if name in properties:
            kept = {key: value for key, value in properties[name].items() if "enum" not in more or key not in OF_TEXTS}
            properties[name] = {**kept, **more}
    found.update(getattr(serializer, "shape", {}))


def _reference(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}
