"""The mails of this app, sent by the outbox. Tokens are made here, at the last moment, so that none is ever stored."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from accounts.models import NOBODYS_DOMAIN, ApiKey, EmailChange, Login, User, WebhookEndpoint
from accounts.models.webhook_types import OffBecause
from accounts.oidc.providers import providers
from accounts.services.addresses import MOVED_MAIL, NOTICE_MAIL, PROOF_MAIL
from accounts.services.api_keys import MADE_MAIL
from accounts.services.entrance import TRIED_MAIL
from accounts.services.letters.preferences import language_of
from accounts.services.links import LIFETIME, Purpose, make_change_token, make_token
from accounts.services.logins import LINKED_MAIL
from accounts.services.one_time_codes import RECOVERY_USED_MAIL, has_device
from accounts.services.passwords import CHANGED_MAIL, RESET_MAIL
from accounts.services.registration import VERIFICATION_MAIL
from accounts.services.second_factor import CHANGED_MAIL as SECOND_FACTOR_MAIL
from accounts.services.webhooks.outcomes import OFF_MAIL
from config import mail, outbox
from config.clock import database_now
from config.phrases import phrase

# Within a sentence.
WHY_OFF = {
    OffBecause.FAILING: gettext_lazy("nothing arrived for days"),
    OffBecause.GONE: gettext_lazy("it answered 410 Gone"),
}


@outbox.handler(VERIFICATION_MAIL)
def mail_verification(payload: dict[str, Any]) -> None:
    """The link that proves the address. Nothing for nobody, and nothing once it is proved.

    Without the name: whoever registers a stranger's address chooses it, and would have us mail what they like.
    """
    user = _reader(payload)
    if user is not None and not user.email_verified:
        _send_link(user, Purpose.VERIFY_EMAIL, phrase("Confirm your e-mail address"), "verify_email")


@outbox.handler(RESET_MAIL)
def mail_password_reset(payload: dict[str, Any]) -> None:
    """The link that sets a new password. Nothing for nobody."""
    user = _reader(payload)
    if user is not None:
        _send_link(user, Purpose.RESET_PASSWORD, phrase("Set a new password"), "password_reset")


@outbox.handler(CHANGED_MAIL)
def mail_password_changed(payload: dict[str, Any]) -> None:
    """A word to the owner, who may not be the one who did it."""
    user = _reader(payload)
    if user is not None:
        _tell(user, phrase("Your password was changed"), "password_changed")


@outbox.handler(SECOND_FACTOR_MAIL)
def mail_second_factor_changed(payload: dict[str, Any]) -> None:
    """The same about the second factor, as it stands now."""
    user = _reader(payload)
    if user is not None:
        _tell(user, phrase("Your second factor was changed"), "second_factor_changed", is_on=has_device(user))


@outbox.handler(RECOVERY_USED_MAIL)
def mail_recovery_code_used(payload: dict[str, Any]) -> None:
    """A code on paper was used; how many are left."""
    user = _reader(payload)
    if user is not None:
        _tell(user, phrase("A recovery code was used"), "recovery_code_used", left=payload["left"])


@outbox.handler(MADE_MAIL)
def mail_api_key_made(payload: dict[str, Any]) -> None:
    """A word to the owner of a new key, who may not be the one who made it. Nothing once it is revoked."""
    key = ApiKey.objects.select_related("user").filter(pk=payload["key"], revoked_at=None).first()
    if key is not None and key.user.can_get_mail:
        _tell(key.user, phrase("An API key was made"), "api_key_made", key=key)


@outbox.handler(OFF_MAIL)
def mail_webhook_endpoint_off(payload: dict[str, Any]) -> None:
    """Nothing is sent to an endpoint any more. Nothing once its owner has done something about it."""
    endpoint = WebhookEndpoint.objects.standing().select_related("user").filter(pk=payload["endpoint"]).first()
    if endpoint is not None and not endpoint.is_enabled and endpoint.user.can_get_mail:
        why = WHY_OFF.get(OffBecause(endpoint.off_because), endpoint.get_off_because_display())
        _tell(
            endpoint.user,
            phrase("A webhook endpoint was switched off"),
            "webhook_endpoint_off",
            endpoint=endpoint,
            why=why,
        )


@outbox.handler(LINKED_MAIL)
def mail_login_linked(payload: dict[str, Any]) -> None:
    """A word to the owner of an account that can now be entered through somebody else."""
    login = Login.objects.select_related("user").filter(pk=payload["login"]).first()
    if login is not None and login.user.can_get_mail:
        known = providers().get(login.provider)
        _tell(
            login.user, phrase("A new way to sign in"), "login_linked", provider=known.name if known else login.provider
        )


@outbox.handler(PROOF_MAIL)
def mail_address_proof(payload: dict[str, Any]) -> None:
    """The link that makes a new address somebody's own. Nothing where it is somebody's already.

    Without the name, as with a registration: whoever asks chooses whom we write to.
    """
    change = _wish(payload)
    if change is not None and not User.objects.filter(email=change.new_email).exists():
        _send_change_link(
            change,
            Purpose.CONFIRM_EMAIL,
            to=change.new_email,
            subject=phrase("Confirm your new e-mail address"),
            template="confirm_email",
        )


@outbox.handler(NOTICE_MAIL)
def mail_address_notice(payload: dict[str, Any]) -> None:
    """A word to the present address, whose owner may not be the one who asked."""
    change = _wish(payload)
    if change is not None:
        _send_change_link(
            change,
            Purpose.UNDO_EMAIL,
            to=change.old_email,
            subject=phrase("A new e-mail address was asked for"),
            template="email_change_asked",
        )


@outbox.handler(MOVED_MAIL)
def mail_address_changed(payload: dict[str, Any]) -> None:
    """A word to the address that was, with the way back."""
    change = _wish(payload)
    if change is not None:
        _send_change_link(
            change,
            Purpose.UNDO_EMAIL,
            to=change.old_email,
            subject=phrase("Your e-mail address was changed"),
            template="email_changed",
        )


def _wish(payload: dict[str, Any]) -> EmailChange | None:
    """The change of address, unless nothing can come of it any more."""
    return EmailChange.objects.select_related("user").filter(pk=payload["change"], ended_at=None).first()


def _send_change_link(change: EmailChange, purpose: Purpose, *, to: str, subject: str, template: str) -> None:
    if to.endswith(NOBODYS_DOMAIN) or not change.user.is_active:
        return
    token = make_change_token(purpose, change, now=database_now())
    mail.send(
        to=to,
        subject=subject,
        template=template,
        context=_link(purpose, token) | {"name": change.user.display_name},
        language=language_of(change.user),
    )


@outbox.handler(TRIED_MAIL)
def mail_sign_in_tried(payload: dict[str, Any]) -> None:
    """Strangers try passwords; nothing has happened yet."""
    user = _reader(payload)
    if user is not None:
        subject = phrase("Somebody tries to sign in to your account")
        _tell(user, subject, "sign_in_tried", has_device=has_device(user))


def _reader(payload: dict[str, Any]) -> User | None:
    """The person to write to. Requests for unknown addresses leave messages for nobody, to look like all others."""
    user = User.objects.filter(pk=payload["user"]).first()
    return user if user is not None and user.can_get_mail else None


def _tell(user: User, subject: str, template: str, **context: Any) -> None:
    context = {"name": user.display_name, **context}
    mail.send(to=user.email, subject=subject, template=template, context=context, language=language_of(user))


def _send_link(user: User, purpose: Purpose, subject: str, template: str) -> None:
    token = make_token(purpose, user, now=database_now())
    _tell(user, subject, template, **_link(purpose, token))


def _link(purpose: Purpose, token: str) -> dict[str, Any]:
    """What a mail says about a token."""
    return {
        "token": token,
        "link": f"{settings.PUBLIC_URL}/{purpose}?token={token}",
        "hours": int(LIFETIME[purpose].total_seconds()) // 3600,
    }
