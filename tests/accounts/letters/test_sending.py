"""Letters on their way: to whom not, what they carry, and what a mail server that refuses makes of them."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts.models import Letter, LetterStatus, MessagePreferences, UnreachableAddress, User
from accounts.services.closing import close_account
from accounts.services.letters import kinds, outcomes, sending
from accounts.services.letters.keeping import forget_old_letters
from accounts.services.letters.kinds import Composed, Kind
from config.clock import database_now
from config.errors import NotFound
from tests.factories.accounts import UserFactory
from tests.support.letters import fates

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def greeting(monkeypatch):
    """A kind of letter of the tests' own."""
    made = Kind(
        name="greeting",
        what="greetings",
        compose=lambda letters: {one.pk: Composed("Hello", f"Dear <b>{one.user}</b>,\n\nhello.") for one in letters},
        wanted=lambda preferences: preferences.announcements,
        stop=lambda preferences: setattr(preferences, "announcements", False),
    )
    monkeypatch.setitem(kinds._kinds, made.name, made)


def letter(user=None, **fields) -> Letter:
    user = user or UserFactory()
    key = f"greeting-{user.pk}-{Letter.objects.count()}"
    return Letter.objects.create(user=user, kind="greeting", subject_id=1, key=key, **fields)


class Refusing(EmailBackend):
    """Refuses one reader, and takes all others."""

    def send_messages(self, messages):
        if messages[0].to == ["gone@example.test"]:
            raise SMTPRecipientsRefused({"gone@example.test": (550, b"no such user gone@example.test")})
        if messages[0].to == ["full@example.test"]:
            raise SMTPRecipientsRefused({"full@example.test": (452, b"mailbox full")})
        return super().send_messages(messages)


class Away(EmailBackend):
    tries = 0

    def send_messages(self, messages):
        type(self).tries += 1
        raise ConnectionRefusedError("nobody there")


def use(settings, backend) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{backend.__name__}"


def test_a_letter_carries_what_turns_it_off_and_its_own_name():
    one = letter()
    assert sending.send_due() == 1
    (sent,) = mail.outbox
    assert sent.to == [one.user.email]
    headers = sent.extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/unsubscribe?token=")
    assert headers["Message-ID"] == f"<letter-{one.pk}@127.0.0.1>"
    html = sent.alternatives[0][0]
    assert "Dear &lt;b&gt;" in html
    assert "<p>hello.</p>" in html
    assert fates(one.user) == ["sent"]
    assert sending.send_due() == 0


def test_what_is_worth_least_for_longest_goes_last():
    slow = letter()
    quick = letter(expires_at=database_now() + timedelta(hours=1))
    assert [one.pk for one in sending.claim(limit=1)] == [quick.pk]
    assert [one.pk for one in sending.claim()] == [slow.pk]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: MessagePreferences.objects.create(user=one.user, announcements=False), "not wanted"),
        (lambda one: User.objects.filter(pk=one.user_id).update(is_active=False), "no address"),
        (lambda one: outcomes.note_unreachable(one.user_id, LetterStatus.BOUNCED), "the address came back"),
        (lambda one: Letter.objects.update(kind="unheard"), "nobody knows this kind"),
        (lambda one: Letter.objects.update(expires_at=database_now()), "too late"),
    ],
    ids=["unwanted", "closed", "bounced", "unknown", "late"],
)
def test_who_gets_none(change, why):
    one = letter()
    change(one)
    sending.send_due()
    one.refresh_from_db()
    assert (mail.outbox, one.status, one.note) == ([], "skipped", why)


def test_an_address_that_is_refused_is_not_written_to_again_until_it_is_another(settings, admin_user):
    use(settings, Refusing)
    gone = UserFactory(email="gone@example.test")
    other = letter()
    for _ in range(2):
        letter(gone)
        sending.send_due()
    full = letter(UserFactory(email="full@example.test"))
    sending.send_due()
    assert (fates(gone), fates(other.user), fates(full.user)) == (["bounced", "skipped"], ["sent"], ["queued"])
    assert "gone@example.test" not in Letter.objects.get(status="bounced").note

    User.objects.filter(pk=gone.pk).update(email="here@example.test")
    letter(gone)
    sending.send_due()
    assert fates(gone)[-1] == "sent"

    outcomes.note_unreachable(gone.pk, LetterStatus.BOUNCED)
    outcomes.lift_unreachable(user=gone, by=admin_user, now=database_now())
    with pytest.raises(NotFound):
        outcomes.lift_unreachable(user=gone, by=admin_user, now=database_now())


def test_a_mail_server_that_is_away_is_asked_twice_and_all_is_sent_later(settings):
    letters = [letter() for _ in range(5)]
    use(settings, Away)
    sending.send_due()
    assert Away.tries == 2
    assert sorted(Letter.objects.values_list("tries", flat=True)) == [0, 0, 0, 1, 1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Letter.objects.update(due_at=database_now())
    sending.send_due()
    assert len(mail.outbox) == len(letters)


def test_after_many_tries_it_is_given_up(settings):
    use(settings, Away)
    one = letter(tries=sending.MAX_TRIES - 1)
    sending.send_due()
    one.refresh_from_db()
    assert (one.status, one.note) == ("failed", "ConnectionRefusedError: nobody there")


def test_news_come_in_any_order_and_as_often_as_they_like():
    one = letter()
    news = [LetterStatus.DELIVERED, LetterStatus.SENT, LetterStatus.DELIVERED, LetterStatus.COMPLAINED,
            LetterStatus.BOUNCED]  # fmt: skip
    told = [outcomes.note(letter_id=one.pk, status=status) for status in news]
    assert (told, fates(one.user)) == ([True, False, False, True, False], ["complained"])
    assert UnreachableAddress.objects.get().because == "complained"


def test_queries_do_not_grow_with_letters_that_nobody_wants(django_assert_num_queries):
    """Of those that are sent, each is noted by itself: a kill leaves one in doubt, not a hundred."""
    for count in (1, 3):
        for _ in range(count):
            letter()
        # Both ends of the transaction, taking them up, and their readers.
        with django_assert_num_queries(4):
            assert len(sending.claim()) == count


def test_letters_are_forgotten_and_a_closed_account_keeps_no_wishes():
    one, waiting = letter(status="sent"), letter()
    MessagePreferences.objects.create(user=one.user)
    outcomes.note_unreachable(one.user_id, LetterStatus.BOUNCED)
    close_account(user=one.user, now=database_now())
    assert not MessagePreferences.objects.exists()
    assert not UnreachableAddress.objects.exists()
    assert forget_old_letters(now=database_now() + timedelta(days=91)) == 1
    assert list(Letter.objects.all()) == [waiting]
