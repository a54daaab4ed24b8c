"""Mails to people: rendered from `templates/mail/`, sent by whatever EMAIL_URL says.

A service never sends: it posts an outbox message, whose handler calls `send()`. In local mode a mail is a file in
`$OUTLAST_HOME/mail`, exactly as it would have travelled, for any mail program to open.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from anymail.exceptions import AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from config.phrases import Phrase, in_language

# Replies of SMTP from here on are for good; those below are not: a full mailbox, a server that wants to see us twice.
PERMANENT = 500


class RecipientRefused(Exception):
    """Nobody is there, or nobody who wants our mails: trying again is of no use."""


def send(
    *,
    to: str | Sequence[str],
    subject: str,
    template: str,
    context: Mapping[str, Any] | None = None,
    language: str = "en",
) -> None:
    """Send one mail, as `made` makes it. Raises what the backend raises."""
    made(to=to, subject=subject, template=template, context=context, language=language).send()


def made(
    *,
    to: str | Sequence[str],
    subject: str,
    template: str,
    context: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    language: str = "en",
) -> EmailMultiAlternatives:
    """One mail made of `templates/mail/<template>.txt` and `.html`, not sent.

    The subject is text, never markup, and said in the language where it is a `phrase`; line breaks in it, which would
    be headers, become spaces. A `Money` of the context is written as the language writes it.
    """
    recipients = [to] if isinstance(to, str) else list(to)
    with translation.override(language):
        subject = " ".join((in_language(subject) if isinstance(subject, Phrase) else subject).split())
        known = {"subject": subject, "public_url": settings.PUBLIC_URL, "language": language, **(context or {})}
        text = render_to_string(f"mail/{template}.txt", known).strip() + "\n"
        html = render_to_string(f"mail/{template}.html", known)
    message = EmailMultiAlternatives(subject, text, to=recipients, headers=dict(headers or {}))
    message.attach_alternative(html, "text/html")
    return message


def hand_over(message: EmailMultiAlternatives, *, connection: Any, known_as: Mapping[str, str]) -> str:
    """Send it over a connection that stays open for the next; by which name whoever delivers it knows it, if at all.

    `known_as` goes along where the provider sends it back with its news. Raises `RecipientRefused` where there is
    nobody at the address, and what the backend raises.
    """
    message.metadata = dict(known_as)  # type: ignore[attr-defined]  # what providers' backends read
    message.connection = connection
    try:
        message.send()
    except AnymailRecipientsRefused as refusal:
        raise RecipientRefused from refusal
    except SMTPRecipientsRefused as refusal:
        if all(code < PERMANENT for code, _ in refusal.recipients.values()):
            raise
        raise RecipientRefused from refusal
    status = getattr(message, "anymail_status", None)
    return str(getattr(status, "message_id", None) or "")


def message_id(name: str) -> str:
    """The Message-ID of a mail with a name of its own: a second copy of it is known as one."""
    return f"<{name}@{urlsplit(settings.PUBLIC_URL).hostname}>"


class FolderBackend(BaseEmailBackend):
    """Writes each mail to `settings.MAIL_FOLDER` as one `.eml` file, named by its time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{uuid4().hex[:8]}.eml"
            # Whole or not at all: somebody may be watching the folder.
            unfinished = folder / f".{name}"
            with unfinished.open("wb") as file:
                file.write(message.message().as_bytes())
            os.replace(unfinished, folder / name)
        return len(email_messages)
