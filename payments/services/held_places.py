"""Whether a request whose time to pay is over may still be paid: then its place is kept until the provider has said."""

from entries.models import Request
from payments.models import Payment, PaymentState


def is_paying(request: Request) -> bool:
    """Whether a session is open or at work for it. The payment sweep asks about it, and ends it, within minutes.

    Without a session there is nothing to wait for: nobody was told where to pay.
    """
    return Payment.objects.filter(request=request, status__in=(PaymentState.OPEN, PaymentState.PROCESSING)).exists()
