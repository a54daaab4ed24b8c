"""The mails: to whom, with what, and to whom not."""

import email
import re
from email import policy

import pytest
from django.conf import settings as django_settings

from accounts.models import User
from accounts.services.closing import close_account
from accounts.services.passwords import request_password_reset
from accounts.services.registration import resend_verification
from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from tests.accounts.conftest import token_in
from tests.factories.accounts import UserFactory


@pytest.fixture
def newcomer(db):
    return UserFactory(email="new@example.test", email_verified_at=None, display_name="<b>Buy at http://evil.test</b>")


def test_a_verification_does_not_repeat_what_a_stranger_may_have_written(newcomer, drained):
    resend_verification(email=newcomer.email)

    [mail] = drained()
    assert mail.subject == "Confirm your e-mail address"
    assert "evil.test" not in mail.body + mail.alternatives[0].content


def test_names_are_text_in_html(db, drained):
    user = UserFactory(email="known@example.test", display_name="<b>Bob</b>")
    request_password_reset(email=user.email)

    [mail] = drained()
    assert "&lt;b&gt;Bob&lt;/b&gt;" in mail.alternatives[0].content
    assert "<b>Bob</b>" in mail.body


def test_the_file_on_disk_can_be_read_by_a_script(newcomer, settings, tmp_path):
    """No soft line breaks and no =3D: whoever greps the mail for the token finds it whole."""
    settings.EMAIL_BACKEND = "config.mail.FolderBackend"
    settings.MAIL_FOLDER = tmp_path
    resend_verification(email=newcomer.email)

    outbox.drain()

    [file] = tmp_path.glob("*.eml")
    raw = file.read_text()
    [token] = set(re.findall(r"verify-email\?token=([\w.\-]+)", raw))
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["To"] == newcomer.email
    assert f"\n{token}\n" in raw
    assert f"{django_settings.PUBLIC_URL}/verify-email?token={token}" in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("state", ["verified", "deactivated", "closed", "deleted"])
def test_what_changed_before_the_mail_went_counts(newcomer, drained, state):
    resend_verification(email=newcomer.email)
    if state == "verified":
        User.objects.update(email_verified_at=database_now())
    elif state == "deactivated":
        User.objects.update(is_active=False)
    elif state == "closed":
        close_account(user=newcomer, now=database_now())
    else:
        newcomer.delete()

    assert drained() == []
    assert OutboxMessage.objects.get().done_at is not None


def test_nobody_writes_to_addresses_that_are_nobodys(db, drained):
    UserFactory(email="player-1@imported.invalid", email_verified_at=None)

    resend_verification(email="player-1@imported.invalid")
    request_password_reset(email="player-1@imported.invalid")

    assert drained() == []


def test_the_token_is_made_when_the_mail_goes(newcomer, drained):
    """So that no table, backup or log ever holds one."""
    resend_verification(email=newcomer.email)

    assert OutboxMessage.objects.get().payload == {"user": newcomer.pk}
    [mail] = drained()
    assert token_in(mail)
