"""Where strangers can call, the schema is not told: neither when asked for, nor by guesses at what was meant."""

import pytest

from tests.support.asking import ask, codes, refused, send

pytestmark = pytest.mark.django_db
INTROSPECTION = """
    query IntrospectionQuery {
        __schema { queryType { name } types { ...FullType } directives { name locations args { ...InputValue } } }
    }
    fragment FullType on __Type {
        kind name description fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } }
        inputFields { ...InputValue } interfaces { ...TypeRef } enumValues { name } possibleTypes { ...TypeRef }
    }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type {
        kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
    }
"""
ASKS_SCHEMA = (
    INTROSPECTION, "{ __schema { types { name } } }", '{ __type(name: "Pick") { fields { name } } }',
    "{ a: __schema { types { name } } }", "{ ...a } fragment a on Query { __schema { types { name } } }",
    "{ me { id } __schema @skip(if: false) { types { name } } }",
)  # fmt: skip


@pytest.fixture
def served(settings):
    settings.IS_SERVED = True
    settings.SECURE_SSL_REDIRECT = False


@pytest.mark.parametrize("query", ASKS_SCHEMA)
def test_the_schema_is_told_to_nobody_where_it_is_served(api, admin_user, served, query):
    answer = send(api(admin_user), query)

    assert (answer.status_code, codes(answer)) == (400, ["VALIDATION_ERROR"])
    assert "data" not in answer.json()
    assert "slip" not in answer.content.decode()


def test_the_schema_is_told_on_a_developers_machine(api):
    names = {one["name"] for one in ask(api(), INTROSPECTION)["__schema"]["types"]}

    assert {"Pick", "PoolInFull", "Me"} <= names


def test_which_type_something_is_can_be_asked_everywhere(api, served):
    assert ask(api(), "{ __typename pools { __typename } }") == {
        "__typename": "Query",
        "pools": {"__typename": "PoolConnection"},
    }


GUESSED = (
    ("{ mee { id } }", {}),
    ("{ me { idd } }", {}),
    ("{ pools(statuss: open) { total } }", {}),
    ("{ pools(status: opn) { total } }", {}),
    ("query ($s: PoolStatuss) { pools(status: $s) { total } }", {}),
    ("{ me @skipp(if: true) { id } }", {}),
    ("{ pools { nodes { ... on Pol { id } } } }", {}),
    ("query ($s: PoolStatus) { pools(status: $s) { total } }", {"s": "opn"}),
)


@pytest.mark.parametrize(("query", "variables"), GUESSED)
def test_nothing_is_guessed_where_it_is_served(api, served, query, variables):
    answer = send(api(), query, variables=variables)

    assert codes(answer)[0] == "VALIDATION_ERROR"
    assert "Did you mean" not in answer.content.decode()
    assert not {"'me'", "'open'", "'id'", "@skip"} & set(answer.content.decode().split())


def test_a_guess_helps_on_a_developers_machine(api):
    assert "Did you mean 'me'" in send(api(), "{ mee { id } }").json()["errors"][0]["message"]


def test_an_answer_does_not_grow_with_what_was_sent(api):
    answer = send(api(), "query ($s: PoolStatus) { pools(status: $s) { total } }", variables={"s": "x" * 100_000})

    assert codes(answer) == ["VALIDATION_ERROR"]
    assert len(answer.content) < 2_000


def test_there_is_no_page_to_ask_from(api, admin_user):
    for client in (api(), api(admin_user)):
        answer = client.get("/graphql", headers={"Accept": "text/html"})
        assert answer.status_code in (405, 406)
        assert b"<html" not in answer.content


def test_only_the_first_of_many_refusals_are_told(api):
    answer = refused(api(), "{ me { " + " ".join(f"no{number}" for number in range(100)) + " } }")

    assert answer == ["VALIDATION_ERROR"]
