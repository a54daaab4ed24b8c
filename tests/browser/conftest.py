"""A real browser at a real server of ours, for pages of the back office.

    def test_…(office, moderator_here):
        office.enter(moderator_here)
        office.open("/admin/entries/request/workbench")
        office.look("workbench")

The server is `config.web.serving` on the database of the test, with the headers that every deployment sends. Whatever a
console says, whatever a policy forbids and whatever breaks in a script fails the test that was there. `look` has axe
look at the page, light and dark and on a phone, and leaves pictures in `var/browser`.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.browser.office import fetched_axe, opened
from tests.support.serving import WebServer

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--disable-dev-shm-usage", "--disable-background-networking", "--no-sandbox")


@pytest.fixture(scope="module")
def chromium():
    """The system's, without a window. Skipped loudly where there is none."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: nothing looked at the pages")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, and Django takes whoever asks the database for a coroutine.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="module")
def served(django_db_setup, django_db_blocker):
    """The address of a web server of ours on the database of the tests."""
    with django_db_blocker.unblock(), tempfile.TemporaryDirectory(prefix="outlast-browser-") as folder:
        server = WebServer(settings, Path(folder) / "web.log", drain=1).start().wait()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.kill()


@pytest.fixture
def office(transactional_db, chromium, served, axe):
    """The back office in a browser of its own."""
    with opened(chromium, served, axe) as office:
        yield office


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as npm has it, pinned and checked by its lock."""
    return fetched_axe()
