"""What is done to the schema as a whole once every operation is described: examples, tags, links.

drf-spectacular calls `finish` after it has named the enums, so references are what they stay.
"""

import re
from collections.abc import Iterator
from typing import Any

from config.api import sparse_answers
from config.api.examples import Examples
from config.api.failures import META
from config.api.links import link
from config.api.tags import TAGS

Schema = dict[str, Any]
# Where `AutoSchema` leaves the operation's own example until this module shows it.
EXAMPLE_OF_BODY = "x-example-of-body"
# How the router says that a part of an address is a number, and of how many digits.
DIGITS = re.compile(r"\^\[0-9\]\{1,(\d+)\}\$")
# A value that is described by itself.
ECHO = re.compile(r"\* `(.*)` - \1")
METHODS = frozenset({"get", "put", "post", "patch", "delete"})


def finish(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular's post-processing hook."""
    examples = Examples(result["components"]["schemas"])
    for _, _, operation in operations(result):
        _show(operation, examples)
        sparse_answers.describe(result, operation)
    link(result, list(operations(result)))
    _leave_out_echoes(result)
    used = {tag for _, _, operation in operations(result) for tag in operation["tags"]}
    result["tags"] = [{"name": name, "description": TAGS.get(name, name)} for name in sorted(used)]
    return result


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Path, method and description of each, in the document's order."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _show(operation: Schema, examples: Examples) -> None:
    """Give the operation an example of its parameters, its body and its good answer."""
    for parameter in operation.get("parameters", ()):
        if found := DIGITS.fullmatch(parameter.get("schema", {}).get("pattern", "")):
            parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": 10 ** int(found[1]) - 1}
        is_needed = parameter.get("in") == "path" or parameter.get("required")
        if "$ref" not in parameter and is_needed and "example" not in parameter:
            parameter["example"] = examples.of(parameter["schema"], parameter["name"])
    declared = operation.pop(EXAMPLE_OF_BODY, None)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content.setdefault("example", declared or examples.of(content["schema"], whole=False))
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            if int(status) < 300 and kind == "application/json":
                content.setdefault("example", _with_meta(examples.of(content["schema"])))


def _leave_out_echoes(part: Any) -> None:
    """Take lists of values that only say each of them twice out of all descriptions."""
    if isinstance(part, dict):
        if isinstance(said := part.get("description"), str):
            lines = said.split("\n")
            listed = [line for line in lines if line.startswith("* `")]
            if listed and all(ECHO.fullmatch(line) for line in listed):
                part["description"] = "\n".join(line for line in lines if line not in listed).strip()
                if not part["description"]:
                    del part["description"]
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        _leave_out_echoes(each)


def _with_meta(answer: Any) -> Any:
    """Of a file of JSON there is no envelope."""
    if not isinstance(answer, dict) or "meta" not in answer:
        return answer
    return {**answer, "meta": {**answer["meta"], **META}}
