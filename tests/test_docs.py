"""What the pages for people name is there: files, tests, other pages."""

import re

import pytest

from config.env import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
FILE = re.compile(
    r"`((?:config|accounts|pools|entries|payments|tests|docs|templates)/[A-Za-z0-9_/.-]+\.[a-z]+)(?:::([A-Za-z0-9_:]+))?`"
)
LINK = re.compile(r"\]\((?!https?:)([A-Za-z0-9_./-]+)(?:#[a-z0-9-]+)?\)")


def found(name):
    """A file of the project; the page of guards leaves out the folder of the tests."""
    return next((file for file in (PROJECT / name, PROJECT / "tests" / name) if file.exists()), None)


def missing(page):
    for name, test in FILE.findall(page.read_text()):
        file = found(name)
        if file is None:
            yield name
        elif test and f"def {test.rpartition('::')[2]}(" not in file.read_text():
            yield f"{name}::{test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_tests_that_a_page_names_are_there(page):
    assert list(missing(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_that_are_there(page):
    assert [to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()] == []


def test_a_page_that_names_what_is_gone_is_found_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "`config/gone.py`, `tests/test_docs.py::test_gone`, `tests/test_docs.py::missing`, `config/urls.py`"
    )
    assert list(missing(page)) == ["config/gone.py", "tests/test_docs.py::test_gone"]
