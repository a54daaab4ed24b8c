"""What a correction would change, shown before it is proposed; and a confirmation that does just what was shown."""

import pytest
from django.urls import reverse

from accounts.models import User
from config.errors import DomainError
from entries.models import Ruling
from entries.services.rulings import confirm_ruling, preview_ruling, rehearse_ruling
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory
from tests.support.playing import enter, play, void
from tests.support.ruling import fate, game_of, propose, state_of
from tests.support.winning import booked, paid_out, won_pool

pytestmark = pytest.mark.django_db
FORM = reverse("admin:entries_ruling_propose_game")


@pytest.fixture
def pool():
    """Round 1 is played: ANT has won the pool, BAT and DOG are out."""
    pool = PoolFactory(name="Cup", entry_fee_cents=5000)
    for code in ("ANT", "BAT", "DOG"):
        enter(pool, code, owner=UserFactory(display_name=f"Fan of {code}"))
    play(pool, 1)
    return pool


def scored(pool, **about):
    return {
        "kind": "game", "game_id": game_of(pool, 1, "ANT").pk,
        "details": {"verdict": "score", "home_score": 0, "away_score": 7}, **about,
    }  # fmt: skip


def test_it_is_rehearsed_before_anybody_proposes_it(pool, moderator):
    before = state_of(pool)
    preview = rehearse_ruling(by=moderator, **scored(pool))
    assert (preview.tally.total.unseated, preview.tally.total.winners) == (1, 1)
    assert dict(preview.tally.rounds) == {(1, "fall"): 1, (1, "back"): 1}
    assert (Ruling.objects.count(), state_of(pool)) == (0, before)


def test_who_is_disqualified_after_a_fall_does_not_come_back(pool, moderator):
    _ant, bat, _dog = pool.entries.order_by("pk")
    tally = rehearse_ruling(by=moderator, kind="disqualify", entry_id=bat.pk).tally
    assert (tally.total.voided, dict(tally.rounds)) == (1, {})


def test_a_rehearsal_refuses_what_a_proposal_would(pool, moderator, finance):
    with pytest.raises(DomainError, match="does not run pools"):
        rehearse_ruling(by=finance, **scored(pool))
    wrong = scored(pool, details={"verdict": "score", "home_score": -1, "away_score": 0})
    with pytest.raises(DomainError, match="whole number"):
        rehearse_ruling(by=moderator, **wrong)


def test_pools_that_go_on_again_and_where_they_end_are_named(moderator):
    pool = PoolFactory(name="Cup")
    for code in ("ANT", "BAT", "BAT"):
        enter(pool, code)
    play(pool, 1)
    tally = rehearse_ruling(by=moderator, **scored(pool)).tally
    [end] = tally.ends
    assert (end.pool, end.ended_before, end.ends_in, end.from_round) == ("Cup", 1, None, 1)


def test_it_does_just_what_was_seen_or_nothing(pool, moderator, colleague):
    ruling = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    seen = preview_ruling(ruling=ruling, by=colleague).fingerprint
    assert preview_ruling(ruling=ruling, by=colleague, listed=0).fingerprint == seen
    # A place that was in what was shown is void now.
    ant, bat, dog = pool.entries.order_by("pk")
    void(enter(pool, owner=UserFactory()))
    dropped = propose("disqualify", by=moderator, entry=bat)
    confirm_ruling(ruling=dropped, by=colleague)
    before = state_of(pool)
    with pytest.raises(DomainError) as refusal:
        confirm_ruling(ruling=ruling, by=colleague, seen=seen)
    assert str(refusal.value.code) == "RULING_STALE"
    assert (Ruling.objects.get(pk=ruling.pk).status, state_of(pool)) == ("proposed", before)
    now = preview_ruling(ruling=ruling, by=colleague).fingerprint
    assert now != seen
    assert confirm_ruling(ruling=ruling, by=colleague, seen=now).status == "confirmed"
    # Everybody else fell in the same round: they share.
    assert [fate(entry)[0] for entry in (ant, bat, dog)] == ["winner", "void", "winner"]


def test_money_that_went_out_already_is_named(moderator, colleague):
    pool, winner, _loser = won_pool()
    booked(pool)
    game = winner.picks.get(round__number=2).game
    score = {"verdict": "score", "home_score": 0, "away_score": 9} if game.home.code == "CAT" else {
        "verdict": "score", "home_score": 9, "away_score": 0,
    }  # fmt: skip
    asked = {"kind": "game", "game_id": game.pk, "details": score}
    before = rehearse_ruling(by=moderator, **asked)
    assert before.tally.paid_out.payments == {}
    payout = paid_out(winner)
    after = rehearse_ruling(by=moderator, **asked)
    [(key, numbers)] = after.tally.paid_out.of(is_gone=True).items()
    assert (key, numbers) == ((pool.pk, pool.currency), (1, payout.amount_cents))
    assert after.fingerprint != before.fingerprint


def test_the_form_shows_it_and_proposes_nothing(client, pool, moderator):
    client.force_login(User.objects.get(pk=moderator.pk))
    game = game_of(pool, 1, "ANT")
    fields = {"game": game.pk, "verdict": "score", "home_score": "0", "away_score": "7", "status": "postponed"}
    page = " ".join(client.post(FORM, fields | {"reason": "", "what": "look"}).content.decode().split())
    for words in ("What would change, if this were proposed", "Fan of ANT, entry 1", "Round 1: 1 out, 1 back in."):
        assert words in page
    assert "Titles" in page
    assert not Ruling.objects.exists()
    page = client.post(FORM, fields | {"home_score": "", "what": "look"})
    assert page.context["form"].errors == {"home_score": ["Must be a whole number from 0 to 999."]}


def test_the_page_confirms_what_it_showed_and_no_other(client, pool, moderator, colleague):
    ruling = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    client.force_login(User.objects.get(pk=colleague.pk))
    address = reverse("admin:entries_ruling_changelist")
    asked = {"action": "confirm", "_selected_action": [ruling.pk], "index": "0", "select_across": "0"}
    hidden = client.post(address, asked).context["hidden"]
    assert list(hidden) == [f"seen-{ruling.pk}"]
    for forged in ({}, {f"seen-{ruling.pk}": "0" * 64}):
        client.post(address, asked | forged | {"confirmed": "1"})
        assert Ruling.objects.get().status == "proposed"
    client.post(address, asked | hidden | {"confirmed": "1"})
    assert Ruling.objects.get().status == "confirmed"
