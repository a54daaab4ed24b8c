"""What a change of the schema does to callers: breaks them, or adds something. The rules stand in `docs/contract.md`.

A caller is somebody who sends what the old schema allows, with a client made from it, and reads what it promises. So
what is sent may only come to be taken more widely, and what is answered may only come to be said more narrowly, with
two exceptions that callers have to bear: new fields in answers, and new values of an enum in answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.local.openapi.shapes import Shapes

Schema = dict[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")
JSON = "application/json"


@dataclass(frozen=True)
class Change:
    """One difference, where it is and what it is."""

    where: str
    what: str
    is_breaking: bool = True


def compare(old: Schema, new: Schema) -> list[Change]:
    """All that changed from the old schema to the new one, what breaks first."""
    found = list(_changes(old, new))
    return sorted(dict.fromkeys(found), key=lambda change: (not change.is_breaking, change.where, change.what))


def operations(schema: Schema) -> dict[str, tuple[str, str]]:
    """`GET /api/v1/pools/{}` → path and method. What a place for an id is called is nothing to callers."""
    return {
        f"{method.upper()} {_nameless(path)}": (path, method)
        for path, item in schema["paths"].items()
        for method in METHODS
        if method in item
    }


def _changes(old: Schema, new: Schema) -> Iterator[Change]:
    before, after = operations(old), operations(new)
    for name in before.keys() - after.keys():
        yield Change(name, "is gone")
    for name in after.keys() - before.keys():
        yield Change(name, "is new", is_breaking=False)
    for name in before.keys() & after.keys():
        (old_path, method), (new_path, _) = before[name], after[name]
        pair = Pair(name, old["paths"][old_path][method], new["paths"][new_path][method], Shapes(old, new))
        yield from pair.changes()


class Pair:
    """One operation, as it was and as it is."""

    def __init__(self, name: str, old: Schema, new: Schema, shapes: Shapes) -> None:
        self.name, self.old, self.new, self.shapes = name, old, new, shapes

    def changes(self) -> Iterator[Change]:
        """All of them."""
        if self.old["operationId"] != self.new["operationId"]:
            yield Change(self.name, f"operationId {self.old['operationId']} is now {self.new['operationId']}")
        if self.new.get("deprecated") and not self.old.get("deprecated"):
            yield Change(self.name, "is deprecated", is_breaking=False)
        yield from self._security()
        yield from self._parameters()
        yield from self._body()
        yield from self._answers()

    def _security(self) -> Iterator[Change]:
        """Each way to sign in that sufficed has to suffice."""
        ways = [frozenset((kind, *scopes) for kind, scopes in way.items()) for way in self.new.get("security", [{}])]
        for way in self.old.get("security", [{}]):
            needed = frozenset((kind, *scopes) for kind, scopes in way.items())
            if not any(each <= needed for each in ways):
                yield Change(self.name, f"{'anybody' if not way else ', '.join(way)} may not call it any more")

    def _parameters(self) -> Iterator[Change]:
        old, new = self._named(self.old, 0), self._named(self.new, 1)
        for key in old.keys() - new.keys():
            yield Change(self.name, f"{key} is not taken any more")
        for key in new.keys() - old.keys():
            is_required = bool(new[key].get("required"))
            yield Change(self.name, f"{key} is new{' and required' if is_required else ''}", is_breaking=is_required)
        for key in old.keys() & new.keys():
            if new[key].get("required") and not old[key].get("required"):
                yield Change(self.name, f"{key} is required")
            for said in self.shapes.narrowed(old[key].get("schema", {}), new[key].get("schema", {})):
                yield Change(f"{self.name} {key}", said)

    def _named(self, operation: Schema, side: int) -> dict[str, Schema]:
        """By place and name; of what stands in the path, by its turn."""
        found: dict[str, Schema] = {}
        for parameter in operation.get("parameters", ()):
            one = self.shapes.followed(parameter, side)
            place = len(found) if one["in"] == "path" else one["name"]
            found[f"{one['in']} {place}" if one["in"] == "path" else f"{one['in']} parameter {place}"] = one
        return found

    def _body(self) -> Iterator[Change]:
        old, new = self.old.get("requestBody"), self.new.get("requestBody")
        if new is None:
            if old is not None:
                yield Change(self.name, "takes no body any more")
            return
        if new.get("required") and not (old or {}).get("required"):
            yield Change(self.name, "wants a body")
        for kind, content in (old or {}).get("content", {}).items():
            if kind not in new["content"]:
                yield Change(self.name, f"takes no {kind} any more")
                continue
            for said in self.shapes.narrowed(content["schema"], new["content"][kind]["schema"]):
                yield Change(f"{self.name} body", said)

    def _answers(self) -> Iterator[Change]:
        old, new = self.old["responses"], self.new["responses"]
        for status in sorted(old.keys() | new.keys()):
            where = f"{self.name} {status}"
            if int(status) >= 400:
                continue
            if status not in new:
                yield Change(where, "is not answered any more")
            elif status not in old:
                # Who does not ask with a condition never meets 304.
                yield Change(where, "is a new answer", is_breaking=status != "304")
            else:
                yield from self._answer(where, old[status], new[status])
        yield from self._codes()

    def _answer(self, where: str, old: Schema, new: Schema) -> Iterator[Change]:
        for name in old.get("headers", {}).keys() - new.get("headers", {}).keys():
            yield Change(where, f"header {name} is gone")
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield Change(where, f"does not come as {kind} any more")
            elif "schema" in content:
                for said, is_breaking in self.shapes.widened(content["schema"], new["content"][kind]["schema"]):
                    yield Change(where, said, is_breaking=is_breaking)

    def _codes(self) -> Iterator[Change]:
        """A code keeps its status, and says the same wherever it said something."""
        old, new = self._by_code(self.old, 0), self._by_code(self.new, 1)
        for code in old.keys() - new.keys():
            yield Change(self.name, f"error {code} is gone")
        for code in new.keys() - old.keys():
            yield Change(self.name, f"error {code} is new", is_breaking=False)
        for code in old.keys() & new.keys():
            if old[code] != new[code]:
                yield Change(self.name, f"error {code} has status {new[code]}, not {old[code]}")

    def _by_code(self, operation: Schema, side: int) -> dict[str, str]:
        return {
            code: status
            for status, answer in operation["responses"].items()
            if int(status) >= 400
            for code in self.shapes.codes(answer["content"][JSON]["schema"], side)
        }


def _nameless(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
