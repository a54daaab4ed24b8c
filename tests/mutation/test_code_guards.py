"""Each guard of the code, taken out: the tests that stand for it fail. With it they pass, in the ordinary run."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.mutation.code_guards import MUTATIONS, ROOT, Mutation
from tests.mutation.plugin import BROKEN

TIMEOUT_SECONDS = 180
NONSENSE = ("NameError", "ImportError", "UnboundLocalError", "SyntaxError", "ProgrammingError")
WITHOUT = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_TESTRUNUID", "COVERAGE_PROCESS_START",
           "OUTLAST_SLICE")  # fmt: skip


each_mutation = pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])


@each_mutation
def test_what_is_taken_out_is_there(mutation):
    """The words of the code may change; then the mutation has to follow."""
    compile(mutation.applied(), str(mutation.path), "exec")
    for test in mutation.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert name in names_in(ROOT / file), f"{test} is not there"


def test_each_has_a_name_of_its_own():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.fixture(scope="session")
def database():
    """How the next run comes by its database: the first makes it."""
    yield (ways := ["--create-db"])
    ways.clear()


@pytest.mark.slow
@pytest.mark.sliced
@each_mutation
def test_without_it_its_tests_fail(mutation, database):
    ended, said = run(mutation, *database)
    if ended != BROKEN:
        database.clear()
    assert ended == 1, said
    # The guard is missed: it is not that the change made no sense.
    assert [name for name in NONSENSE if name in said] == [], said


def run(mutation: Mutation, *options: str) -> tuple[int, str]:
    """How pytest ended on the tests of a mutation, and what it said."""
    environment = {name: value for name, value in os.environ.items() if name not in WITHOUT}
    environment |= {
        "OUTLAST_MUTATION": mutation.name, "OUTLAST_RACE_REPETITIONS": "20", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    call = [
        sys.executable, "-m", "pytest", "-p", "pytest_django.plugin", "-p", "tests.mutation.plugin",
        "-p", "no:cacheprovider", "-q", "-x", "--tb=short", "--reuse-db", "-m", "slow or not slow",
        *options, *mutation.tests,
    ]  # fmt: skip
    done = subprocess.run(
        call, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    return done.returncode, done.stdout[-6000:] + done.stderr[-2000:]


@cache
def names_in(file: Path) -> set[str]:
    """The tests of a file, as pytest names them after it."""
    found = ast.parse(file.read_text()).body
    classes = [node for node in found if isinstance(node, ast.ClassDef)]
    own = {node.name for node in found if isinstance(node, ast.FunctionDef)}
    return own | {
        f"{node.name}::{test.name}" for node in classes for test in node.body if isinstance(test, ast.FunctionDef)
    }
