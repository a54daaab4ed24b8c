"""Row 14: before its lock nobody learns a pick by any question: not from words, numbers, headers or the work it takes.

Case by case: `tests/cases/test_secrecy.py` and `tests/entries/test_secrecy.py`.
"""

import re

import pytest
from django.core.cache import caches
from django.db import connection

from config.api.parameters import known_parameters
from tests.security.matrix.knocking import ask, taken_back
from tests.security.matrix.operations import operations
from tests.security.matrix.world import World

pytestmark = pytest.mark.django_db
TEAMS = ("ANT", "BAT")
# What is asked with every team: what a door knows, and what it might know.
QUESTIONS = ("search", "status", "kind", "team", "teams", "ordering", "picks__team", "fields")
# Sealed anew each time.
CURSOR = re.compile(rb'"next_cursor":"[^"]*"')
# Of the call.
OF_THE_CALL = {"X-Request-ID", "traceparent", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"}


def questions() -> list[tuple[str, dict[str, str]]]:
    """Every door that can be read, plainly, and lists by whatever names a team."""
    found: list[tuple[str, dict[str, str]]] = []
    for one in operations():
        # One's own data say each time when they were fetched before; those of others are not there.
        if one.verb == "GET" and "export" not in one.name:
            found.append((one.route.template, {}))
            if "search" in known_parameters(one.view, "GET") or one.route.template in (
                "/api/v1/entries",
                "/api/v1/requests",
            ):
                found += [(one.route.template, {name: team}) for name in QUESTIONS for team in TEAMS]
    return found


def told(world: World, kind: str) -> dict[str, tuple]:
    """What each door says, with its headers, and how often it asks the database."""
    answers = {}
    for template, query in questions():
        asked: list[str] = []

        def count(execute, sql, params, many, context, asked=asked):
            asked.append(sql)
            return execute(sql, params, many, context)

        caches["limits"].clear()
        with taken_back(), connection.execute_wrapper(count):
            answer = world.client(kind).get(world.path(template), query)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_CALL}
        answers[f"{template} {query}"] = (
            answer.status_code,
            CURSOR.sub(b"", content.partition(b'"meta"')[0]),
            headers,
            len(asked),
        )
    return answers


@pytest.mark.parametrize(
    "kind", ["pool", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("moderator", "admin"))]
)
def test_row_14_no_door_tells_by_any_question_what_was_picked(world, kind):
    """The same answer, the same headers, an ETag and a length among them, and the same work, whichever team it is."""
    address = f"/api/v1/entries/{world.rows['entry'].pk}/picks/1"
    with taken_back():
        told(world, kind)  # what is only made once is made
        before, owners = told(world, kind), ask(world.client("owner"), "GET", address.removesuffix("/1")).content

        assert ask(world.client("owner"), "PUT", address, {"team": "BAT"}).status == 200

        after = told(world, kind)
        assert ask(world.client("owner"), "GET", address.removesuffix("/1")).content != owners
    assert {name for name in before if before[name] != after[name]} == set()
    assert len(before) > 100
