"""The mails about requests and entries say what is true when they are sent."""

from datetime import UTC, datetime

import pytest

from accounts.models import MessagePreferences
from config import outbox
from config.clock import database_now
from entries.emails import in_zone
from entries.models import Request
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.expiry import expire_unpaid
from entries.services.places import grant_place
from entries.services.requests import withdraw_request
from pools.models import Pool
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league

pytestmark = pytest.mark.django_db

PAY_BY = datetime(2026, 9, 11, 0, 15, tzinfo=UTC)


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.test", display_name="Ann <3")


@pytest.fixture
def pool():
    return PoolFactory(name="Fish & Chips", competition=league(time_zone="America/New_York"), entry_fee_cents=2550)


def approve(request, moderator, pay_by=PAY_BY):
    """Approve, and set the time to pay to a known one."""
    approve_request(request=request, by=moderator, now=database_now())
    Request.objects.filter(pk=request.pk).update(pay_by=pay_by)


def only_mail(mailoutbox):
    outbox.drain()
    assert len(mailoutbox) == 1
    return mailoutbox[0]


def html_of(mail):
    return mail.alternatives[0][0]


def test_an_approved_player_reads_what_to_pay_until_when_and_where(ann, pool, moderator, mailoutbox, settings):
    request = RequestFactory(pool=pool, user=ann, number=2)
    approve(request, moderator)
    mail = only_mail(mailoutbox)
    assert (mail.to, mail.subject) == (["ann@example.test"], "Approved: your place in Fish & Chips")
    assert "Hello Ann <3,\n\nyour request number 2 for Fish & Chips is approved" in mail.body
    assert "Pay 25.50 USD by Thursday 10 September 2026, 20:15 EDT;" in mail.body
    assert f"POST {settings.PUBLIC_URL}/api/v1/requests/{request.pk}/payment" in mail.body
    assert "Hello Ann &lt;3," in html_of(mail)
    assert f'href="{settings.PUBLIC_URL}/api/v1/requests/{request.pk}"' in html_of(mail)


def test_a_player_reads_it_in_the_language_of_their_letters(ann, pool, moderator, mailoutbox):
    MessagePreferences.objects.create(user=ann, language="de")
    approve(RequestFactory(pool=pool, user=ann, number=2), moderator)
    mail = only_mail(mailoutbox)
    assert mail.subject == "Genehmigt: Ihr Platz in Fish & Chips"
    assert "Guten Tag, Ann <3,\n\nIhre Anfrage Nummer 2 für Fish & Chips ist genehmigt" in mail.body
    assert "Zahlen Sie 25,50 USD bis Donnerstag, 10. September 2026, 20:15 EDT;" in mail.body
    assert '<html lang="de">' in html_of(mail)
    assert "für <strong>Fish &amp; Chips</strong> ist genehmigt" in html_of(mail)


def test_a_request_that_moved_up_reads_the_same(ann, moderator, mailoutbox):
    pool = PoolFactory(capacity=1, name="Cup")
    held = RequestFactory(pool=pool, approved=True)
    waitlist_request(request=RequestFactory(pool=pool, user=ann), by=moderator, now=database_now())
    withdraw_request(request=held, by=held.user, now=database_now())
    mail = only_mail(mailoutbox)
    assert mail.subject == "A place for you in Cup"
    assert "you were first on the waiting list" in mail.body
    assert "Pay 50.00 USD by " in mail.body


def test_a_rejected_player_reads_why(ann, pool, moderator, mailoutbox):
    request = RequestFactory(pool=pool, user=ann)
    reject_request(request=request, by=moderator, now=database_now(), reason="Names <b>differ</b>.")
    mail = only_mail(mailoutbox)
    assert "\n\nNames <b>differ</b>.\n\nNothing is owed." in mail.body
    assert "Names &lt;b&gt;differ&lt;/b&gt;." in html_of(mail)


def test_a_player_whose_place_was_taken_back_reads_why(ann, pool, moderator, mailoutbox):
    request = RequestFactory(pool=pool, user=ann, approved=True)
    withdraw_request(request=request, by=moderator, now=database_now(), reason="Approved by mistake.")
    mail = only_mail(mailoutbox)
    assert "was taken back by our staff:\n\nApproved by mistake." in mail.body


def test_an_expired_place_is_told(ann, pool, mailoutbox):
    RequestFactory(pool=pool, user=ann, approved=True, pay_by=datetime(2026, 1, 9, 13, 0, tzinfo=UTC))
    expire_unpaid(now=database_now())
    mail = only_mail(mailoutbox)
    assert mail.subject == "Your place in Fish & Chips has expired"
    assert "25.50 USD for your place in Fish & Chips did not arrive by Friday 9 January 2026, 08:00 EST" in mail.body


@pytest.mark.parametrize(("status", "says"), [("open", True), ("cancelled", False)])
def test_asking_again_is_offered_while_the_pool_is_open(ann, pool, mailoutbox, status, says):
    RequestFactory(pool=pool, user=ann, approved=True, pay_by=datetime(2026, 1, 9, 13, 0, tzinfo=UTC))
    Pool.objects.filter(pk=pool.pk).update(status=status)
    expire_unpaid(now=database_now())
    assert ("You can ask again" in only_mail(mailoutbox).body) is says


def test_a_paid_place_is_confirmed(ann, pool, mailoutbox, settings):
    entry = grant_place(request=RequestFactory(pool=pool, user=ann, approved=True), by=None, now=database_now())
    mail = only_mail(mailoutbox)
    assert mail.subject == "You are in: Fish & Chips"
    assert "is yours, and it is paid." in mail.body
    assert f"before round 1 locks: {settings.PUBLIC_URL}/api/v1/entries/{entry.pk}" in mail.body


def test_a_free_place_is_confirmed_without_a_word_about_money(ann, moderator, mailoutbox):
    request = RequestFactory(pool=PoolFactory(entry_fee_cents=0), user=ann)
    approve_request(request=request, by=moderator, now=database_now())
    assert "is yours.\n" in only_mail(mailoutbox).body


def test_nobody_is_asked_to_pay_what_is_no_longer_owed(ann, pool, moderator, mailoutbox):
    request = RequestFactory(pool=pool, user=ann)
    approve(request, moderator)
    withdraw_request(request=request, by=ann, now=database_now())
    outbox.drain()
    assert mailoutbox == []


def test_a_closed_account_gets_no_mail(ann, pool, moderator, mailoutbox):
    approve(RequestFactory(pool=pool, user=ann), moderator)
    grant_place(request=RequestFactory(pool=pool, user=ann, approved=True, number=2), by=None, now=database_now())
    ann.is_active = False
    ann.save()
    assert outbox.drain() == 2
    assert mailoutbox == []


def test_braces_in_a_pools_name_stay_as_they_are(ann, pool, moderator, mailoutbox):
    Pool.objects.filter(pk=pool.pk).update(name="{0} {pool}")
    approve(RequestFactory(pool=pool, user=ann), moderator)
    assert only_mail(mailoutbox).subject == "Approved: your place in {0} {pool}"


def test_times_are_told_in_the_competitions_zone():
    assert in_zone(PAY_BY, "Europe/London") == "Friday 11 September 2026, 01:15 BST"
