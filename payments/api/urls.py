"""Addresses of payments and webhooks, under /api/v1/."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from payments.api.views import PaymentViewSet, StartPaymentView
from payments.api.webhooks import StripeWebhookView

router = SimpleRouter(trailing_slash=False)
router.register("payments", PaymentViewSet, basename="payment")

urlpatterns = [
    # As many digits as a bigint takes: more would reach PostgreSQL as an error.
    re_path(r"^requests/(?P<pk>[0-9]{1,18})/payment$", StartPaymentView.as_view(), name="request-payment"),
    path("webhooks/stripe", StripeWebhookView.as_view(), name="stripe-webhook"),
    path("", include(router.urls)),
]
