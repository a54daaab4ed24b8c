"""Composition root: every address of the system."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from accounts import pages
from accounts.admin.entering import enter
from accounts.admin.login import change_own_password
from accounts.admin.second_factor import own_second_factor
from accounts.graphql.me import AccountQuery
from accounts.mail_events import mail_events
from config import health, scraping
from config.api import docs
from config.finding import find_page
from config.graphql.schema import build_schema
from config.graphql.view import GraphQLView
from config.handbook.views import handbook_urls
from entries.graphql.queries import EntryQuery
from payments.graphql.queries import PaymentQuery
from payments.pages import payment_return
from pools.api.events import SOCKET, socket_elsewhere
from pools.graphql.pools import PoolQuery
from pools.graphql.schedules import ScheduleQuery

handler400 = "config.api.middleware.bad_request"
handler500 = "config.api.middleware.server_error"
# What may be asked at /graphql: each app's part, put together here, where all of them are known.
graphql_schema = build_schema(AccountQuery, ScheduleQuery, PoolQuery, EntryQuery, PaymentQuery)
urlpatterns = [
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("pools.api.urls")),
    path("api/v1/", include("entries.api.urls")),
    path("api/v1/", include("payments.api.urls")),
    path("api/v1/schema/", docs.schema, name="schema"),
    path("api/docs/", docs.swagger, name="docs"),
    path("api/redoc/", docs.redoc, name="redoc"),
    path("graphql", GraphQLView.as_view(graphql=graphql_schema), name="graphql"),
    re_path(SOCKET, socket_elsewhere),
    path("verify-email", pages.verify_email),
    path("reset-password", pages.reset_password),
    path("confirm-email", pages.confirm_email),
    path("undo-email", pages.undo_email),
    path("unsubscribe", pages.unsubscribe),
    path("mail/events", mail_events),
    path("admin/login/", enter),
    path("admin/password_change/", change_own_password),
    path("admin/second-factor/", own_second_factor, name="second-factor"),
    path("admin/language/", set_language, name="set_language"),
    path("admin/search/", find_page),
    path("admin/handbook/", include(handbook_urls())),
    path("payments/return", payment_return, name="payment-return"),
    path("admin/", admin.site.urls),
    path("health", health.live),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("ready", health.ready),
    path("health/detailed", health.detailed),
    path("metrics", scraping.expose),
    path("", RedirectView.as_view(pattern_name="docs", query_string=True), name="home"),
]
