"""The round room in a real browser: before the lock, while games end, results typed twice, a correction seen first."""

import pytest

from entries.models import Ruling
from entries.services.settlement import settle_competition
from pools.models import Game
from tests.factories.accounts import PASSWORD, ModeratorFactory, UserFactory
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, finish, lock_round
from tests.support.playing import enter
from tests.support.ruling import game_of

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ROOM = "/admin/entries/entry/rooms/{}/1/"


@pytest.fixture
def pool(transactional_db):
    """Five entries; one of them has not picked."""
    pool = PoolFactory(name="Thanksgiving Survivor", status="running")
    for code, name in (("ANT", "Ann"), ("ANT", "Bob"), ("BAT", "Cleo"), ("DOG", "Dan")):
        pick(enter(pool, owner=UserFactory(display_name=name)), 1, code)
    enter(pool, owner=UserFactory(display_name="Eve"))
    return pool


def test_a_round_from_before_its_lock_to_its_fallen(office, pool):
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/entries/entry/rooms")
    page = office.page
    office.look("rooms-next")
    page.get_by_role("link", name="Thanksgiving Survivor").click()
    page.wait_for_selector("text=Picks are open")
    assert page.get_by_role("link", name="Eve").is_visible()
    assert not page.get_by_text("Picks by team").is_visible()
    office.look("room-open")
    page.get_by_role("link", name="Remind those without a pick").click()
    page.wait_for_selector("text=1 entry without a pick is reminded.")
    office.look("room-remind")
    page.get_by_role("button", name="Remind", exact=True).click()
    page.wait_for_selector("text=1 entry is reminded.")
    # The lock passes, and a game ends, while somebody looks.
    lock_round(pool.competition.rounds.get(number=1))
    page.wait_for_selector("text=Picks by team", timeout=15_000)
    finish(game_of(pool, 1, "ANT"), 20, 10)
    settle_competition(competition_id=pool.competition_id)
    page.wait_for_selector("text=2 entries fell", timeout=15_000)
    office.look("room-locked")


def test_results_are_typed_twice_by_the_keyboard_and_one_is_corrected(office, pool, chromium, served):
    round_ = pool.competition.rounds.get(number=1)
    lock_round(round_)
    game = game_of(pool, 1, "ANT")
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open(f"/admin/entries/entry/rooms/results/{round_.pk}/")
    page = office.page

    def type_all(*scores):
        for score in scores:
            page.keyboard.type(score)
            page.keyboard.press("Enter")
        page.keyboard.press("Enter")

    type_all("24", "17", "3", "0")
    page.wait_for_selector("text=2 games: Typed once.")
    office.look("room-typed-once")
    page.locator("input[inputmode=numeric]").first.focus()
    type_all("24", "17", "0", "3")
    page.wait_for_selector("text=1 game: Typed twice alike")
    assert page.get_by_text("3-0 ≠ 0-3").is_visible()
    office.look("room-typed-twice")
    assert Game.objects.get(pk=game.pk).home_score == 24
    settle_competition(competition_id=pool.competition_id)

    office.open(ROOM.format(pool.pk))
    page.get_by_role("link", name="Correct").first.click()
    page.fill("input[name=home_score]", "17")
    page.fill("input[name=away_score]", "24")
    page.get_by_role("button", name="Show what would change").click()
    page.wait_for_selector("text=What would change, if this were proposed")
    assert page.get_by_text("Round 1: 2 out, 1 back in.").is_visible()
    office.look("room-correction")
    assert not Ruling.objects.exists()
    page.fill("textarea[name=reason]", "The league took it back.")
    page.get_by_role("button", name="Propose", exact=True).click()
    page.wait_for_selector("text=You proposed it: somebody else has to confirm it.")
    office.look("room-ruling")

    office.page.context.clear_cookies()
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open(ROOM.format(pool.pk))
    page.get_by_role("link", name="ended 17-24").click()
    page.get_by_role("button", name="Confirm", exact=True).click()
    page.wait_for_selector("text=2 fall, 1 are revived")
    page.locator("form button[type=submit]", has_text="Confirm").click()
    page.wait_for_selector("text=1 of 1 confirmed and settled.")
    assert Game.objects.get(pk=game.pk).home_score == 17
