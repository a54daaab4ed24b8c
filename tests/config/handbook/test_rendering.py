"""Whatever stands in a page, what is shown is safe, and leads only to what is served."""

import pytest

from config.handbook import pages as known
from config.handbook.pages import pages
from config.handbook.rendering import rendered
from config.handbook.searching import search


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """A folder of pages: writes one by its place, and answers it as it is shown."""
    monkeypatch.setattr(known, "DOCS", tmp_path / "docs")

    def write(place, text):
        path = tmp_path / "docs" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return rendered(next(page for page in pages().values() if page.place == place))

    return write


def test_html_is_shown_as_text(docs):
    text = "<script>alert(1)</script> <img src=x onerror=y>\n\n[x](javascript:alert(1))\n"
    shown = docs("handbook/a.md", f"# A\n\n{text}")
    assert "<script" not in shown.html
    assert "<img" not in shown.html
    assert "href" not in shown.html


def test_links_between_files_become_addresses(docs):
    docs("money.md", "# Money\n")
    docs("handbook/staff/b.md", "# B\n\n## Two\n")
    shown = docs(
        "handbook/staff/a.md",
        "# A\n\n[b](b.md#two) [money](../../money.md) [here](#a) [web](https://example.org/)"
        " [code](../../../config/urls.py) [out](../../../../etc/passwd.md)\n",
    )
    assert [address for _, address in shown.sections[0].links] == [
        "/admin/handbook/staff/b#two", "/admin/handbook/docs/money", "#a", "https://example.org/",
    ]  # fmt: skip


def test_pictures_are_served_from_here_or_not_at_all(docs, tmp_path):
    (tmp_path / "docs" / "tour").mkdir(parents=True)
    (tmp_path / "docs" / "tour" / "home.png").write_bytes(b"")
    shown = docs("handbook/a.md", "# A\n\n![home](../tour/home.png) ![else](https://example.org/x.png)\n")
    assert 'src="/admin/handbook/pictures/tour/home.png"' in shown.html
    assert "example.org" not in shown.html


def test_headings_of_the_same_name_have_anchors_as_github_gives_them(docs):
    shown = docs("handbook/a.md", "# Who, what & why?\n\n## `Two` names\n\n## Two names\n")
    assert [one.anchor for one in shown.sections] == ["who-what--why", "two-names", "two-names-1"]


def test_a_changed_file_is_shown_anew(docs):
    import os

    assert docs("handbook/a.md", "# One\n").title == "One"
    page = pages()["a"]
    page.path.write_text("# Two\n")
    os.utime(page.path, (1, 1))
    assert rendered(page).title == "Two"


def test_the_search_finds_headings_before_what_stands_below(docs):
    docs("handbook/a.md", "# Money\n\n## Bank\n\nA refund goes back.\n\n## A refund\n\nAsk first.\n")
    docs("secret.md", "# Refund\n\nOf those who run the system.\n")
    assert [(one.title, one.address) for one in search("REFUND a")] == [
        ("A refund", "/admin/handbook/a#a-refund"), ("Bank", "/admin/handbook/a#bank"),
    ]  # fmt: skip
    assert search("refund nowhere") == []
    assert search("  ") == []
