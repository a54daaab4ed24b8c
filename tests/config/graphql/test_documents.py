"""What is committed about GraphQL is true: the schema, and every documented question runs."""

import os
import re
from dataclasses import asdict

import pytest

from config.env import PROJECT
from config.graphql.limits import LIMITS
from config.graphql.persisted import LISTED, hash_of, listed, text_of
from config.graphql.questions import Question
from config.graphql.schema import prepare
from config.graphql.scoping import OF_PARENT, scope_of
from config.urls import graphql_schema
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.asking import ask

SDL = LISTED / "schema.graphql"
DOCUMENTS = sorted(file for file in LISTED.glob("*.graphql") if file != SDL)
BUILT_IN = ("Query", "__")
PAGE = PROJECT / "docs" / "graphql.md"
# What refusals call them, where that is not the name of the field.
CALLED = {"levels": "depth", "parts of variables": "variables"}


def test_the_committed_schema_is_the_schema():
    told = graphql_schema.as_str() + "\n"
    if os.environ.get("OUTLAST_WRITE_GRAPHQL"):
        SDL.write_text(told)
    assert SDL.read_text() == told


def test_nothing_can_be_changed():
    assert (graphql_schema.mutation, graphql_schema.subscription) == (None, None)


def test_every_type_says_what_a_key_needs_for_it():
    """One that says nothing is closed to keys: then nobody thought of it."""
    types = graphql_schema._schema.type_map.values()
    objects = [one for one in types if hasattr(one, "fields") and not one.name.startswith(BUILT_IN)]
    unsaid = [one.name for one in objects if scope_of(one.extensions["strawberry-definition"].origin) is None]
    inherited = [one.name for one in objects if scope_of(one.extensions["strawberry-definition"].origin) == OF_PARENT]

    assert (unsaid, inherited) == ([], ["PageInfo"])
    assert len(objects) > 20


def test_the_limits_on_the_page_are_those_that_are_kept():
    rows = re.findall(r"^\| `([a-z ]+)` \| ([0-9,]+) \|", PAGE.read_text(), re.MULTILINE)
    told = {CALLED.get(name, name): int(number.replace(",", "")) for name, number in rows}
    kept = asdict(LIMITS)
    assert told == {name: kept[name] for name in kept if name not in ("seconds", "errors")}


@pytest.mark.django_db
@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_every_documented_question_is_answered(api, file):
    pool = PoolFactory(competition=league(code="nfl-2025"))
    entry = paid_entry(RequestFactory(approved=True, pool=pool))
    lock_round(pool.competition.rounds.get(number=1))
    given = {"pool": pool.pk, "round": 1, "entry": entry.pk, "code": "nfl-2025"}
    text = file.read_text()
    wanted = {name: value for name, value in given.items() if f"${name}:" in text}

    data = ask(api(entry.user), text, **wanted)

    assert all(value is not None for value in data.values())


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_every_documented_question_is_known_by_its_hash(file):
    text = file.read_text()

    assert listed()[hash_of(text)] == text
    assert text_of(Question(None, hash_of(text))) == text
    assert prepare(graphql_schema, text, {"first": 100})[1].scopes
