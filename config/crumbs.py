"""The way to a page in the header of the back office, where it is not simply an app, a list and a row.

A view puts it into its context as `crumbs`; `templates/unfold/helpers/welcomemsg.html` shows it.
"""

from typing import TypedDict


class Crumb(TypedDict):
    """One step; the page itself has no link."""

    title: str
    link: str


def crumbs(*steps: tuple[object, str]) -> list[Crumb]:
    """The steps in their order, each with its address."""
    return [Crumb(title=str(title), link=link) for title, link in steps]
