"""People in the back office. Importing it registers every page; groups and tokens have none."""

from django.contrib import admin
from django.contrib.auth.models import Group
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.admin import audit, documents, home, letters, limits, menu, message_templates, places, users, webhooks

__all__ = [
    "audit", "documents", "home", "letters", "limits", "menu", "message_templates", "places", "users", "webhooks",
]  # fmt: skip

# What a role may do is declared by the apps, not clicked together; and a token's row helps nobody.
for _model in (Group, OutstandingToken, BlacklistedToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
