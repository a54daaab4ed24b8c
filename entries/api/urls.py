"""Addresses of requests, entries, picks and standings, under /api/v1/."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from entries.api.entries import EntryViewSet
from entries.api.fallbacks import FallbackView
from entries.api.picks import BulkPicksView, EntryPicksViewSet, PickHistoryViewSet
from entries.api.reminders import RemindersView
from entries.api.requests import BuyBackView, PoolRequestsView, RequestViewSet
from entries.api.rounds import DistributionViewSet, ReportCsvView, ReportJsonViewSet
from entries.api.rulings import PoolRulingsViewSet, PreviewCsvView, RulingViewSet
from entries.api.standings import StandingsViewSet

router = SimpleRouter(trailing_slash=False)
router.register("requests", RequestViewSet, basename="request")
router.register("entries", EntryViewSet, basename="entry")
router.register("rulings", RulingViewSet, basename="ruling")

# As many digits as a bigint takes: more would reach PostgreSQL as an error.
POOL = r"^pools/(?P<pool_id>[0-9]{1,18})"
POOL_ROUND = POOL + r"/rounds/(?P<number>[0-9]{1,4})"
ENTRY = r"^entries/(?P<entry_id>[0-9]{1,18})"
PICKS = ENTRY + r"/picks"
PICK = PICKS + r"/(?P<number>[0-9]{1,4})"
FALLBACK = ENTRY + r"/fallback$"

urlpatterns = [
    re_path(POOL + r"/requests$", PoolRequestsView.as_view(), name="pool-requests"),
    re_path(POOL + r"/standings$", StandingsViewSet.as_view({"get": "list"}), name="standings"),
    re_path(POOL_ROUND + r"/distribution$", DistributionViewSet.as_view({"get": "list"}), name="distribution"),
    re_path(POOL_ROUND + r"/report\.json$", ReportJsonViewSet.as_view({"get": "retrieve"}), name="report-json"),
    re_path(POOL_ROUND + r"/report\.csv$", ReportCsvView.as_view(), name="report-csv"),
    re_path(ENTRY + r"/buy-back$", BuyBackView.as_view(), name="buy-back"),
    re_path(FALLBACK, FallbackView.as_view(), name="fallback"),
    re_path(ENTRY + r"/reminders$", RemindersView.as_view(), name="entry-reminders"),
    re_path(POOL + r"/rulings$", PoolRulingsViewSet.as_view({"get": "list"}), name="pool-rulings"),
    re_path(r"^rulings/(?P<pk>[0-9]{1,18})/preview\.csv$", PreviewCsvView.as_view(), name="ruling-preview-csv"),
    re_path(PICKS + r"$", EntryPicksViewSet.as_view({"get": "list"}), name="picks"),
    re_path(PICK + r"$", EntryPicksViewSet.as_view({"put": "update", "delete": "destroy"}), name="pick"),
    re_path(PICK + r"/history$", PickHistoryViewSet.as_view({"get": "list"}), name="pick-history"),
    path("picks", BulkPicksView.as_view(), name="picks-bulk"),
    path("", include(router.urls)),
]
