"""Addresses of payments and webhooks, under /api/v1/."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from payments.api.accounting import AccountMappingsView, JournalBatchFileView, JournalBatchViewSet
from payments.api.bank import BankLineViewSet, BankStatementViewSet
from payments.api.cancellations import CancellationView, ConfirmCancellationView, WithdrawCancellationView
from payments.api.discrepancies import DiscrepancyViewSet
from payments.api.disputes import DisputeViewSet
from payments.api.entry_money import EntryMoneyView
from payments.api.export_schedules import ExportScheduleViewSet
from payments.api.exports import ExportFileView, ExportViewSet, ReportsView
from payments.api.ledger import StatementView, TrialBalanceView
from payments.api.manual import ManualRecordViewSet, RecordPaymentView
from payments.api.payouts import PayoutViewSet, RequestPayoutsView
from payments.api.periods import PeriodViewSet
from payments.api.prizes import PrizeView
from payments.api.provider_payouts import ProviderPayoutViewSet
from payments.api.refunds import RefundViewSet, RequestRefundView
from payments.api.views import PaymentViewSet, StartPaymentView
from payments.api.webhooks import WebhookView
from payments.api.write_offs import ForeignObjectViewSet, WriteOffViewSet

router = SimpleRouter(trailing_slash=False)
router.register("payments", PaymentViewSet, basename="payment")
router.register("bank-lines", BankLineViewSet, basename="bank-line")
router.register("bank-statements", BankStatementViewSet, basename="bank-statement")
router.register("provider-payouts", ProviderPayoutViewSet, basename="provider-payout")
router.register("discrepancies", DiscrepancyViewSet, basename="discrepancy")
router.register("disputes", DisputeViewSet, basename="dispute")
router.register("foreign-objects", ForeignObjectViewSet, basename="foreign-object")
router.register("exports", ExportViewSet, basename="export")
router.register("export-schedules", ExportScheduleViewSet, basename="export-schedule")
router.register("periods", PeriodViewSet, basename="period")
router.register("journal-batches", JournalBatchViewSet, basename="journal-batch")
router.register("manual-records", ManualRecordViewSet, basename="manual-record")
router.register("payouts", PayoutViewSet, basename="payout")
router.register("refunds", RefundViewSet, basename="refund")
router.register("write-offs", WriteOffViewSet, basename="write-off")

# As many digits as a bigint takes: more would reach PostgreSQL as an error.
CANCELLATION = r"^pools/(?P<pool_id>[0-9]{1,18})/cancellation"

urlpatterns = [
    # As many digits as a bigint takes: more would reach PostgreSQL as an error.
    re_path(r"^requests/(?P<pk>[0-9]{1,18})/payment$", StartPaymentView.as_view(), name="request-payment"),
    re_path(
        r"^requests/(?P<pk>[0-9]{1,18})/manual-payment$", RecordPaymentView.as_view(), name="request-manual-payment"
    ),
    re_path(r"^payments/(?P<pk>[0-9]{1,18})/refunds$", RequestRefundView.as_view(), name="payment-refunds"),
    re_path(r"^entries/(?P<pk>[0-9]{1,18})/money$", EntryMoneyView.as_view(), name="entry-money"),
    re_path(r"^entries/(?P<pk>[0-9]{1,18})/prize$", PrizeView.as_view(), name="entry-prize"),
    re_path(r"^pools/(?P<pk>[0-9]{1,18})/payouts$", RequestPayoutsView.as_view(), name="pool-payouts"),
    re_path(CANCELLATION + r"$", CancellationView.as_view(), name="cancellation"),
    re_path(CANCELLATION + r"/confirm$", ConfirmCancellationView.as_view(), name="cancellation-confirm"),
    re_path(CANCELLATION + r"/withdraw$", WithdrawCancellationView.as_view(), name="cancellation-withdraw"),
    path("reports", ReportsView.as_view(), name="reports"),
    re_path(r"^exports/(?P<pk>[0-9]{1,18})/file$", ExportFileView.as_view(), name="export-file"),
    path("account-mappings", AccountMappingsView.as_view(), name="account-mappings"),
    re_path(r"^journal-batches/(?P<pk>[0-9]{1,18})/file$", JournalBatchFileView.as_view(), name="journal-batch-file"),
    path("ledger/trial-balance", TrialBalanceView.as_view(), name="trial-balance"),
    re_path(r"^ledger/accounts/(?P<pk>[0-9]{1,18})/statement$", StatementView.as_view(), name="account-statement"),
    path("webhooks/stripe", WebhookView.as_view(), {"provider": "stripe"}, name="stripe-webhook"),
    path("webhooks/<slug:provider>", WebhookView.as_view(), name="provider-webhook"),
    path("", include(router.urls)),
]
