"""Every player of a pool is told of an amendment, once."""

import pytest

from config import outbox
from config.models import OutboxMessage
from entries.models import EntryStatus, RequestStatus
from pools.services.rules import confirm_amendment, propose_amendment, withdraw_amendment
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory(name="Fish & Chips", competition=league(rounds=4))


def amend(pool, changes, reason="Agreed with all of you <3."):
    proposed = propose_amendment(pool=pool, changes=changes, reason=reason, by=ModeratorFactory())
    return confirm_amendment(amendment=proposed, by=ModeratorFactory())


def test_a_player_reads_what_changes_from_when_and_why(pool, mailoutbox, settings):
    EntryFactory(in_pool=pool, owner=UserFactory(email="ann@example.test", display_name="Ann <3"))
    lock_round(pool.competition.rounds.get(number=1))
    amend(pool, {"tie": "win", "two_pick_rounds": [3]})
    outbox.drain()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.test"], "The rules of Fish & Chips change from round 2 on")
    assert mail.body.startswith(
        "Hello Ann <3,\n\nthe rules of Fish & Chips change from round 2 on (version 2). Rounds that have locked stay as"
        " they were.\n\nWhy: Agreed with all of you <3.\n\nWhat holds now:\n"
        "- In round 3 it picks two different teams, and both must win.\n"
    )
    assert "\n- A tie counts as won.\n" in mail.body
    assert "\n\nWhat holds no longer:\n- A tie is a loss.\n" in mail.body
    assert f"{settings.PUBLIC_URL}/api/v1/pools/{pool.pk}/rules" in mail.body
    html = mail.alternatives[0][0]
    assert "Why: Agreed with all of you &lt;3." in html
    assert "<li>A tie counts as won.</li>" in html
    assert "This is version" not in mail.body


def test_each_player_gets_one_mail_and_nobody_else(pool, mailoutbox):
    twice = UserFactory(email="twice@example.test")
    for number in (1, 2):
        EntryFactory(in_pool=pool, owner=twice, number=number)
    fallen = EntryFactory(in_pool=pool, owner=UserFactory(email="fallen@example.test"))
    type(fallen).objects.filter(pk=fallen.pk).update(
        status=EntryStatus.ELIMINATED, eliminated_round_number=1, eliminated_code="no_pick", rules_version=1
    )
    RequestFactory(pool=pool, user=UserFactory(email="waiting@example.test"))
    RequestFactory(pool=pool, user=UserFactory(email="owing@example.test"), approved=True)
    for status in (RequestStatus.REJECTED, RequestStatus.WITHDRAWN):
        RequestFactory(pool=pool, status=status)
    EntryFactory(in_pool=pool, owner=UserFactory(email="imported@nobody.invalid"))
    EntryFactory(in_pool=pool, owner=UserFactory(is_active=False))
    EntryFactory(in_pool=PoolFactory(competition=pool.competition))
    amend(pool, {"tie": "win"})
    assert OutboxMessage.objects.count() == 4
    outbox.drain()
    outbox.drain()
    assert sorted(mail.to[0] for mail in mailoutbox) == [
        "fallen@example.test", "owing@example.test", "twice@example.test", "waiting@example.test",
    ]  # fmt: skip


def test_the_next_amendment_is_told_too(pool, mailoutbox):
    EntryFactory(in_pool=pool)
    amend(pool, {"tie": "win"})
    amend(pool, {"tie": "void"})
    outbox.drain()
    assert len(mailoutbox) == 2
    assert "What holds no longer:\n- A tie counts as won.\n" in mailoutbox[1].body


def test_an_account_closed_meanwhile_gets_none(pool, mailoutbox):
    user = EntryFactory(in_pool=pool).user
    amend(pool, {"tie": "win"})
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    outbox.drain()
    assert mailoutbox == []


def test_a_proposal_and_its_withdrawal_are_told_to_nobody(pool, moderator):
    EntryFactory(in_pool=pool)
    proposed = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    withdraw_amendment(amendment=proposed, by=moderator)
    assert not OutboxMessage.objects.exists()


def test_telling_costs_the_same_for_one_player_and_for_many(pool, moderator, django_assert_max_num_queries):
    EntryFactory.create_batch(30, in_pool=pool)
    proposed = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    second = ModeratorFactory()
    with django_assert_max_num_queries(20):
        confirm_amendment(amendment=proposed, by=second)
    assert OutboxMessage.objects.count() == 30
