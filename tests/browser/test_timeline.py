"""The timeline of a place in a real browser, and on paper."""

import io

import pytest
from pypdf import PdfReader

from entries.services.bulk_decisions import run_bulk_decision, start_bulk_decision
from entries.services.picks import save_pick
from tests.factories.accounts import PASSWORD, AdminFactory, ModeratorFactory
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.playing import play

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_story_is_read_and_printed(office):
    pool = PoolFactory(name="Thanksgiving Survivor", rules={"strikes": 1})
    request = RequestFactory(pool=pool, user__display_name="Ann Arbor")
    bulk = start_bulk_decision(kind="approve", request_ids=[request.pk], by=ModeratorFactory(display_name="Mo"))
    run_bulk_decision(bulk_id=bulk.pk)
    request.refresh_from_db()
    entry = paid_entry(request)
    for number, code in ((1, "ANT"), (1, "BAT"), (2, "DOG")):
        save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=[code])
    other = EntryFactory(in_pool=pool)
    pick(other, 1, "ANT"), pick(other, 2, "CAT")
    play(pool, 1)

    office.enter(AdminFactory(password=PASSWORD))
    office.open(f"/admin/entries/entry/{entry.pk}/change/")
    office.page.click("text=Timeline")
    office.page.wait_for_selector(".timeline")
    office.look("timeline")

    paper = PdfReader(io.BytesIO(office.page.pdf(format="A4")))
    printed = "\n".join(page.extract_text() for page in paper.pages)
    assert "Ann Arbor, place 1 in Thanksgiving Survivor" in printed
    assert "Round 1, pick: ANT → BAT" in printed
    assert "DOG" not in printed
    # The story alone: nothing of what is around it on the screen.
    assert "Requests workbench" not in printed
    assert len(paper.pages) == 1
