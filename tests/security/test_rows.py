"""The checklist has forty-nine rows, and each has tests: `docs/security.md` names them.

A test counts that pytest collects, and that nothing keeps from running.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", re.M)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
OF_A_ROW = re.compile(r"^test_rows?_0?(\d+)(?:_and_(\d+))?_")
# What would leave a test standing there and not running.
ASIDE = re.compile(r"\b(skip|skipif|xfail|importorskip)\b")


def rows() -> dict[int, list[tuple[str, str]]]:
    page = (ROOT / "docs" / "security.md").read_text()
    return {int(number): NAMED.findall(tests) for number, tests in LINE.findall(page)}


def named_in(path: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Those that pytest collects from the file, as it names them."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
                    yield f"{node.name}::{inner.name}", inner


def test_every_row_of_the_checklist_has_tests():
    assert list(rows()) == list(range(1, 50))
    assert [number for number, tests in rows().items() if not tests] == []


@pytest.mark.parametrize("number", range(1, 50))
def test_the_tests_of_a_row_are_there_and_run(number):
    for file, name in rows()[number]:
        assert Path(file).name.startswith("test_"), file
        found = dict(named_in(ROOT / file))
        assert name in found, f"{file}::{name}"
        assert [mark for mark in map(ast.unparse, found[name].decorator_list) if ASIDE.search(mark)] == []


def test_every_test_that_is_named_after_a_row_is_in_its_row():
    forgotten = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = str(path.relative_to(ROOT))
        for name, _ in named_in(path) if "test_row" in path.read_text() else ():
            if found := OF_A_ROW.match(name.rpartition(":")[2]):
                forgotten += [
                    f"{number}: {file}::{name}"
                    for number in filter(None, found.groups())
                    if (file, name) not in rows().get(int(number), [])
                ]
    assert forgotten == []
