"""Retakes the pictures of the tour and of the handbook from a running demo:
`.venv/bin/python docs/scenes/take.py http://127.0.0.1:8000 tour handbook`.

Scenes can be named instead (`lock`, `rulings` …). Needs `python3 manage.py up --fresh` in another terminal, started
less than eight minutes ago, and Chromium. The handbook comes before the tour: some scenes spend what others show.
"""

import shutil
import sys

import handbook
import tour
from playwright.sync_api import sync_playwright

BOOKS = {"handbook": handbook.SCENES, "tour": tour.SCENES}


def main(base: str, *wanted: str) -> None:
    """Take the scenes of these books, or these scenes; all where none is named."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--disable-dev-shm-usage", "--disable-background-networking", "--no-sandbox"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for book, scenes in BOOKS.items():
            for scene in scenes:
                if not wanted or book in wanted or scene.__name__ in wanted:
                    scene(page, base)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
