"""Addresses of the account calls, under /api/v1/."""

from django.urls import path, re_path

from accounts.api import (
    addresses,
    api_keys,
    documents,
    identity,
    limits,
    logins,
    me,
    messages,
    own_sessions,
    passwords,
    registration,
    sessions,
    totp,
    webhooks,
)

# As many digits as a bigint takes: more would reach PostgreSQL as an error.
API_KEY = r"^api-keys/(?P<pk>[0-9]{1,18})"
WEBHOOK_ENDPOINT = r"^webhook-endpoints/(?P<pk>[0-9]{1,18})"
DELIVERIES = r"^webhook-endpoints/(?P<endpoint>[0-9]{1,18})/deliveries"

urlpatterns = [
    path("auth/register", registration.RegisterView.as_view(), name="register"),
    path("auth/verify-email", registration.VerifyEmailView.as_view(), name="verify-email"),
    path("auth/verify-email/resend", registration.ResendVerificationView.as_view(), name="resend-verification"),
    path("auth/token", sessions.SignInView.as_view(), name="sign-in"),
    path("auth/token/refresh", sessions.RefreshView.as_view(), name="refresh"),
    path("auth/reauthenticate", sessions.ReauthenticateView.as_view(), name="reauthenticate"),
    path("auth/logout", sessions.SignOutView.as_view(), name="sign-out"),
    path("auth/password/change", passwords.ChangePasswordView.as_view(), name="change-password"),
    path("auth/password/reset", passwords.ResetPasswordView.as_view(), name="reset-password"),
    path("auth/password/reset/confirm", passwords.ConfirmResetView.as_view(), name="confirm-reset"),
    path("auth/providers", logins.ProvidersView.as_view(), name="providers"),
    path("auth/<slug:provider>/begin", logins.BeginView.as_view(), name="begin-social"),
    path("auth/<slug:provider>/callback", logins.CallbackView.as_view(), name="social-callback"),
    path("auth/token/social", logins.SocialSignInView.as_view(), name="sign-in-social"),
    path("auth/email/confirm", addresses.ConfirmEmailView.as_view(), name="confirm-email-change"),
    path("auth/email/undo", addresses.UndoEmailView.as_view(), name="undo-email-change"),
    path("me/email", addresses.ChangeEmailView.as_view(), name="change-email"),
    path(
        "me/sessions",
        own_sessions.OwnSessionsViewSet.as_view({"get": "list", "delete": "destroy_others"}),
        name="own-sessions",
    ),
    path("me/sessions/<uuid:pk>", own_sessions.OwnSessionsViewSet.as_view({"delete": "destroy"}), name="own-session"),
    path("me/identity", identity.IdentityView.as_view(), name="own-identity"),
    path(
        "me/documents",
        documents.OwnDocumentsViewSet.as_view({"get": "list", "post": "create"}),
        name="own-documents",
    ),
    path(
        "me/documents/<int:pk>",
        documents.OwnDocumentsViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="own-document",
    ),
    path(
        "me/documents/<int:pk>/link",
        documents.OwnDocumentsViewSet.as_view({"post": "link"}),
        name="own-document-link",
    ),
    path("documents/<int:pk>/file", documents.DocumentFileView.as_view(), name="document-file"),
    path(
        "me/exclusions", limits.OwnExclusionsViewSet.as_view({"get": "list", "post": "create"}), name="own-exclusions"
    ),
    path("me/spending-limits", limits.OwnSpendingLimitsView.as_view(), name="own-spending-limits"),
    path("me/messages", messages.MessagePreferencesView.as_view(), name="message-preferences"),
    path("me/export", identity.OwnDataView.as_view(), name="own-data"),
    path("me", me.MeView.as_view(), name="me"),
    path("me/totp", totp.TotpView.as_view(), name="totp"),
    path("me/totp/confirm", totp.ConfirmTotpView.as_view(), name="confirm-totp"),
    path("me/totp/recovery-codes", totp.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("me/logins", logins.OwnLoginsViewSet.as_view({"get": "list"}), name="own-logins"),
    re_path(
        r"^me/logins/(?P<pk>[0-9]{1,18})$", logins.OwnLoginsViewSet.as_view({"delete": "destroy"}), name="own-login"
    ),
    path("api-keys", api_keys.ApiKeysViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    re_path(API_KEY + r"$", api_keys.ApiKeysViewSet.as_view({"delete": "destroy"}), name="api-key"),
    re_path(API_KEY + r"/rotate$", api_keys.ApiKeysViewSet.as_view({"post": "rotate"}), name="api-key-rotate"),
    path(
        "webhook-endpoints",
        webhooks.WebhookEndpointsViewSet.as_view({"get": "list", "post": "create"}),
        name="webhook-endpoints",
    ),
    re_path(
        WEBHOOK_ENDPOINT + r"$",
        webhooks.WebhookEndpointsViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="webhook-endpoint",
    ),
    re_path(
        WEBHOOK_ENDPOINT + r"/rotate-secret$",
        webhooks.WebhookEndpointsViewSet.as_view({"post": "rotate_secret"}),
        name="webhook-endpoint-rotate-secret",
    ),
    re_path(
        WEBHOOK_ENDPOINT + r"/test$",
        webhooks.WebhookEndpointsViewSet.as_view({"post": "test"}),
        name="webhook-endpoint-test",
    ),
    re_path(
        WEBHOOK_ENDPOINT + r"/replay$",
        webhooks.WebhookEndpointsViewSet.as_view({"post": "replay"}),
        name="webhook-endpoint-replay",
    ),
    re_path(
        DELIVERIES + r"$",
        webhooks.WebhookDeliveriesViewSet.as_view({"get": "list"}),
        name="webhook-deliveries",
    ),
    re_path(
        DELIVERIES + r"/(?P<pk>[0-9]{1,18})/replay$",
        webhooks.WebhookDeliveriesViewSet.as_view({"post": "replay"}),
        name="webhook-delivery-replay",
    ),
]
