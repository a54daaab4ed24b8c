"""Who people are, as a Django app."""

from typing import ClassVar

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate

from config import fresh_pages


class AccountsConfig(AppConfig):
    """Registers the mails, and gives the role groups their permissions after each migration."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    # Where the handbook helps with what names no page of its own.
    handbook = "staff/people"
    role_permissions: ClassVar = {
        "moderator": (
            "accounts.view_user",
            "accounts.resend_verification",
            "accounts.view_agelimit",
            "accounts.view_exclusion",
            "accounts.add_exclusion",
            "accounts.view_letter",
            "accounts.view_messagepreferences",
            "accounts.view_unreachableaddress",
            "accounts.lift_unreachable",
            "accounts.view_messagetemplate",
            "accounts.add_messagetemplate",
            "accounts.change_messagetemplate",
        ),
        "finance": (
            "accounts.view_user",
            "accounts.view_personal_details",
            "accounts.view_agelimit",
            "accounts.review_document",
            "accounts.view_exclusion",
            "accounts.view_spendinglimit",
        ),
    }

    def ready(self) -> None:
        # emails: register their handlers with the outbox.
        from accounts import audit_emails, document_emails, emails, limit_emails  # noqa: F401  # reason above
        from accounts.groups import grant_permissions
        from accounts.services import browsers
        from accounts.services.letters import keeping as letters  # noqa: F401  # makes known what is kept, and figures
        from accounts.services.letters import news
        from accounts.services.webhooks import keeping  # noqa: F401  # the same

        # After Django's own receiver, which makes the permissions: `django.contrib.auth` stands before us.
        post_migrate.connect(grant_permissions, dispatch_uid="accounts.groups")
        user_logged_in.connect(browsers.on_sign_in, dispatch_uid="accounts.browsers")
        user_logged_out.connect(browsers.on_sign_out, dispatch_uid="accounts.browsers")
        fresh_pages.register(browsers.PROVER)
        news.listen()
