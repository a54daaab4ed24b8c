"""Questions that ask for too much are refused before anything is looked up, however few lines they have."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.graphql.limits import LIMITS, TooComplex
from config.graphql.schema import prepare
from config.urls import graphql_schema
from tests.support.asking import codes, refused, send

pytestmark = pytest.mark.django_db

BOMB = 30


def chain(levels: int) -> str:
    """Requests, their entries, the requests of these …"""
    inside = "id"
    for level in range(levels):
        inside = f"{'request' if level % 2 else 'entry'} {{ {inside} }}"
    return f"{{ {'entries' if levels % 2 == 0 else 'requests'} {{ nodes {{ {inside} }} }} }}"


def fragments(count: int, *, times: int = 2) -> str:
    """Each spreads the next one several times: 2 ** count fields in `count` lines."""
    lines = [f"fragment f{n} on Pool {{ {' '.join([f'...f{n + 1}'] * times)} }}" for n in range(count)]
    return "{ pools { nodes { ...f0 } } }" + "".join(lines) + f"fragment f{count} on Pool {{ id }}"


LARGE = {
    "depth": (chain(14), "levels"),
    "nested fragments": ("{ pools { nodes " + "{ ... on Pool " * 25 + "{ id }" + " }" * 25 + " } }", "levels"),
    "aliases": ("{" + " ".join(f"a{n}: me {{ id }}" for n in range(BOMB)) + "}", "aliases"),
    "fields": ("{ pools { nodes {" + " ...a" * 410 + "} } } fragment a on Pool { id }", "selections"),
    "the same field again": ("{" + "me { id } " * 60 + "}", "repeats"),
    "the same field again in fragments": (
        "{ me { ...a " + "... on Me { id } " * 40 + "} } fragment a on Me { id }",
        "repeats",
    ),
    "the same field again where nobody looks": ("{ me { id } } fragment a on Me {" + " id" * 60 + "}", "repeats"),
    "fragments": (fragments(15), "repeats"),
    "fragments that nobody spreads": (
        "{ me { id } }" + "".join(f"fragment f{n} on Pool {{ id name status }}" for n in range(120)),
        "selections",
    ),
    "directives": ("{ me { id " + "@include(if: true) " * BOMB + "} }", "directives"),
    "tokens": ("{" + " me" * 3000 + "}", "tokens"),
    "characters": ("{ me { id } } #" + "x" * 30_000, "characters"),
    "lists in lists": ("{ entries(first: 100) { nodes { picks { game { home { code } away { code } } } } } }", "cost"),
    "pages": (
        "{" + " ".join(f"a{n}: pool(id: 1) {{ standings(first: 100) {{ nodes {{ picks {{ team }} }} }} }}"
                       for n in range(3)) + "}",
        "cost",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_too_much_of_anything_is_refused_before_anything_is_looked_up(api, player, name):
    query, what = LARGE[name]

    with CaptureQueriesContext(connection) as queries:
        answer = send(api(player), query)

    assert (answer.status_code, codes(answer)) == (400, ["QUERY_TOO_COMPLEX"])
    assert answer.json()["errors"][0]["extensions"]["details"]["limit"] == what
    assert "data" not in answer.json()
    assert [query["sql"] for query in queries] == []


def test_braces_without_end_are_refused_unread(api):
    """By the reader of bodies, which looks at no text inside."""
    assert refused(api(), "{ a " * 900 + "}" * 900) == ["PARSE_ERROR"]


@pytest.mark.parametrize("text", ["{ a " * 900 + "}" * 900, "{ me(a: " + "[" * 500 + "]" * 500 + ") { id } }"])
def test_the_parser_gives_up_on_them_as_well(text):
    with pytest.raises(TooComplex) as refusal:
        prepare(graphql_schema, text, {})
    assert refusal.value.details["limit"] == "levels"


def test_a_fragment_that_spreads_itself_is_refused(api):
    for query in (
        "{ pools { nodes { ...a } } } fragment a on Pool { ...a }",
        "{ pools { nodes { ...a } } } fragment a on Pool { ...b } fragment b on Pool { ...a }",
    ):
        assert refused(api(), query) == ["VALIDATION_ERROR"]


@pytest.mark.parametrize("first", ["0", "-1", "101", "1000000000000", '"5"', "1.5", "null", "[1]"])
def test_a_page_has_one_to_a_hundred_rows(api, first):
    assert refused(api(), f"{{ pools(first: {first}) {{ nodes {{ id }} }} }}") == ["VALIDATION_ERROR"]


@pytest.mark.parametrize("first", [0, -1, 101, 10**12, "5", 1.5, None, True, [1]])
def test_a_page_by_a_variable_has_as_many(api, first):
    query = "query ($n: Int!) { pools(first: $n) { nodes { id } } }"
    assert refused(api(), query, n=first) == ["VALIDATION_ERROR"]


def test_the_default_of_a_variable_counts_as_much_as_the_variable(api):
    query = "query ($n: Int! = 100) { entries(first: $n) { nodes { picks { game { home { code } } } } } }"
    assert refused(api(), query) == ["QUERY_TOO_COMPLEX"]
    assert refused(api(), query, n=100) == ["QUERY_TOO_COMPLEX"]


@pytest.mark.parametrize(
    "variables",
    [
        {f"v{n}": n for n in range(300)},
        {"a": [0] * 300},
        {"a": {"b": [{"c": n} for n in range(150)]}},
    ],
)
def test_variables_of_many_parts_are_refused(api, variables):
    answer = send(api(), "{ me { id } }", variables=variables)

    assert (answer.status_code, codes(answer)) == (400, ["QUERY_TOO_COMPLEX"])


def test_a_body_past_the_limit_is_refused_unread(api):
    answer = send(api(), "{ me { id } }", variables={"a": "x" * (2 * 1024 * 1024)})

    assert answer.status_code == 413


def test_what_people_ask_for_is_far_from_every_limit():
    """The largest page of standings that REST gives, with the picks of all, and everything of a pool."""
    _, measured = prepare(
        graphql_schema,
        """{ pool(id: 1) {
            name rules { text } rounds { number games { home { code } away { code } } } distribution(round: 1) { team }
            myEntries { picks { team game { id } } } standings(first: 100) { nodes { picks { team } } } } }""",
        {},
    )

    assert measured.cost <= LIMITS.cost
    assert measured.depth <= LIMITS.depth / 2
