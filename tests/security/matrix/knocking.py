"""Knocking at doors, and undoing whatever came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches
from django.db import transaction
from rest_framework.test import APIClient

from tests.security.matrix.bodies import body_of
from tests.security.matrix.operations import Operation, operations
from tests.security.matrix.world import World

KEY = "matrix-key-0123456789"


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is written inside is undone; for the code inside there is no transaction around it."""
    block = transaction.atomic()
    block._from_testcase = True  # as of a test's own: a service that has to begin the outermost one may
    with block:
        yield
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Answer:
    """What somebody was told."""

    status: int
    content: bytes
    data: Any  # of an envelope; None of anything else

    @property
    def is_list(self) -> bool:
        return isinstance(self.data, list)


def ask(client: APIClient, verb: str, path: str, body: Any = None, **query: Any) -> Answer:
    """The answer; its effect stays. Limits of calls begin at zero."""
    caches["limits"].clear()
    client.raise_request_exception = False
    if verb == "GET":
        answer = client.get(path, query)
    else:
        send = getattr(client, verb.lower())
        answer = send(path, body, format="json", query_params=query, headers={"Idempotency-Key": KEY})
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    is_json = answer.get("Content-Type", "").startswith("application/json")
    spoken = answer.json() if is_json and content and not answer.streaming else None
    return Answer(answer.status_code, content, spoken.get("data") if isinstance(spoken, dict) else None)


def knock(world: World, kind: str, operation: Operation, **instead: Any) -> Answer:
    """What this kind of person is told who asks for the owner's thing; nothing comes of it."""
    body = None if operation.verb == "GET" else body_of(operation, world)
    with taken_back():
        return ask(world.client(kind), operation.verb, world.path(operation.route.template, **instead), body)


class Told:
    """What each kind of person is told at every door, by the operation's name: asked when somebody wants to know."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[str, dict[str, Answer]] = {}

    def by(self, kind: str) -> dict[str, Answer]:
        if kind not in self.known:
            self.known[kind] = {one.name: knock(self.world, kind, one) for one in operations()}
        return self.known[kind]
