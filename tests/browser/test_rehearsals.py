"""A rehearsal in a real browser: two rule sets chosen, read, played and compared."""

import pytest

from config import outbox
from entries.models import Rehearsal
from tests.factories.accounts import PASSWORD, ModeratorFactory
from tests.support.rehearsing import season

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_two_rule_sets_are_rehearsed_side_by_side(office):
    competition = season()
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/pools/pool/studio/")
    page = office.page
    page.click("a:has-text('Rehearse rules over a season that is over')")
    page.select_option("[name=competition]", label=competition.name)
    page.select_option("[name=rules]", "template:classic")
    page.select_option("[name=other]", "template:two-lives")
    page.fill("[name=entries]", "400")
    page.fill("[name=fee]", "25")
    page.fill("[name=seed]", "12")
    page.click("button:has-text('Show the rules')")
    page.wait_for_selector("text=An entry survives one loss")
    office.look("rehearsal-form")
    page.fill("[name=favourites]", "50")
    page.click("button:has-text('Rehearse')")
    page.wait_for_selector("text=The shares must add up to 100")
    page.fill("[name=favourites]", "55")
    page.click("button:has-text('Rehearse')")
    page.wait_for_selector("text=of 6 rounds are played.")

    outbox.drain()

    # The page looks again by itself.
    page.wait_for_selector("text=Entries left after each round")
    assert Rehearsal.objects.get().status == "done"
    assert page.locator(".rehearsal-chart canvas").bounding_box()["height"] > 100
    assert page.locator("tr.is-different").count() > 2
    office.look("rehearsal-result")
    page.click("a:has-text('Again, with changes')")
    page.wait_for_selector("[name=seed]")
    assert (page.input_value("[name=seed]"), page.input_value("[name=other]")) == ("12", "template:two-lives")
    office.open("/admin/entries/rehearsal/")
    office.look("rehearsals")
