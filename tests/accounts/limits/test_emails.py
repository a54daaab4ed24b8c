"""What players are told: as it begins, as it ends, once each, and nothing while it goes on."""

from datetime import timedelta

import pytest

from accounts.models import Exclusion, ExclusionKind, SpendingLimit
from accounts.services.closing import close_account
from accounts.services.exclusions import begin_exclusion, exclude_player, tell_ended
from accounts.services.spending import set_limit, tell_raised
from config.clock import database_now


def subjects(messages):
    return [(message.to, message.subject) for message in messages]


def limit(user, amount_cents):
    return set_limit(user=user, currency="usd", amount_cents=amount_cents, now=database_now())


def test_the_beginning_is_told_with_its_end(user, drained):
    exclusion = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=7)

    [message] = drained()
    assert (message.to, message.subject) == ([user.email], "You are excluded from new places and payments")
    assert f"until {exclusion.until:%Y-%m-%d %H:%M} UTC" in message.body
    assert "We decided" not in message.body


def test_of_staffs_decision_the_reason_is_told_harmlessly(user, moderator, drained):
    exclude_player(user=user, days=None, by=moderator, reason="a court & <b>its</b> order")

    [message] = drained()
    assert "a court & <b>its</b> order" in message.body
    html = message.alternatives[0][0]
    assert "<b>its</b>" not in html
    assert "for good" in html
    assert moderator.display_name not in message.body


def test_the_end_is_told_once(user, drained, clock):
    exclusion = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=1)
    drained()
    assert tell_ended(now=database_now()) == 0
    clock.at(exclusion.until)

    assert tell_ended(now=database_now()) == 1
    assert tell_ended(now=database_now()) == 0

    assert subjects(drained()) == [([user.email], "Your exclusion has ended")]


def test_no_end_is_told_while_another_goes_on(user, drained, clock):
    exclusion = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=1)
    begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=2)
    drained()
    clock.at(exclusion.until)

    tell_ended(now=database_now())

    assert drained() == []


def test_long_gone_ends_are_left_alone(user, drained, clock):
    exclusion = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=1)
    clock.at(exclusion.until + timedelta(days=15))

    assert tell_ended(now=database_now()) == 0


def test_the_sweep_is_bounded(user, clock):
    for _ in range(3):
        begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=1)
    clock.at(Exclusion.objects.first().until)

    assert [tell_ended(now=database_now(), limit=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(("amount_cents", "says"), [(12_345, "123.45 USD at most"), (0, "0.00 USD at most")])
def test_a_limit_that_holds_is_told(user, drained, amount_cents, says):
    limit(user, amount_cents)

    [message] = drained()
    assert message.subject == "Your spending limit was changed"
    assert says in message.body


def test_a_limit_that_waits_is_told_now_and_when_it_holds(user, drained, clock):
    limit(user, 10_000)
    drained()
    limit(user, None)
    waiting = SpendingLimit.objects.first()

    [message] = drained()
    assert "no limit" in message.body
    assert f"{waiting.effective_at:%Y-%m-%d %H:%M} UTC" in message.body
    clock.just_before(waiting.effective_at)
    assert tell_raised(now=database_now()) == 0
    clock.at(waiting.effective_at)
    assert (tell_raised(now=database_now()), tell_raised(now=database_now())) == (1, 0)
    assert subjects(drained()) == [([user.email], "Your new spending limit holds")]


def test_one_that_was_taken_back_is_not_told(user, drained, clock):
    limit(user, 10_000)
    limit(user, 20_000)
    limit(user, 5_000)
    waiting = SpendingLimit.objects.get(amount_cents=20_000)
    clock.at(waiting.effective_at)

    assert tell_raised(now=database_now()) == 0


def test_nobody_writes_to_a_closed_account(user, drained):
    begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=7)
    limit(user, 100)
    close_account(user=user, now=database_now())

    assert drained() == []
