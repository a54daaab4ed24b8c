"""A place paid at the double, and what became of its charge afterwards, learned as the product learns it."""

from django.db.models import Sum

from accounts.models import User
from payments.ledger.models import Posting
from payments.models import Receipt
from payments.services.charge_state import apply_charge_state
from payments.services.provider_state import Source, apply_provider_state
from tests.factories.entries import RequestFactory
from tests.support.payments import started


def paid_receipt(api, request, double, *, key="key-1"):
    """The receipt of a request that its player paid on the hosted page just now."""
    payment = started(api(request.user), request, key=key)
    assert double.pay(payment.checkout_url)[0] == 200
    apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK)
    return Receipt.objects.get(payment=payment)


def held_receipt(api, request, double):
    """The same of a player who is gone when the news comes: money without a place, which waits for a person."""
    payment = started(api(request.user), request)
    assert double.pay(payment.checkout_url)[0] == 200
    User.objects.filter(pk=request.user_id).update(is_active=False)
    apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK)
    return Receipt.objects.get(payment=payment)


def another_place(player, pool, *, number=2):
    """A second approved request of the player in the pool."""
    return RequestFactory(approved=True, user=player, pool=pool, number=number)


def learn(receipt, source=Source.WEBHOOK):
    """Ask the provider what became of the charge, and act on it."""
    return apply_charge_state(receipt_id=receipt.pk, source=source)


def balance(kind, **names):
    """What an account has come to, debits positive; `names` narrow it down: pool, player, currency, provider."""
    narrowed = {f"account__{name}": value for name, value in names.items()}
    return Posting.objects.filter(account__kind=kind, **narrowed).aggregate(total=Sum("amount"))["total"] or 0


def balances(**names):
    """Every account that has come to something."""
    narrowed = {f"account__{name}": value for name, value in names.items()}
    rows = Posting.objects.filter(**narrowed).values("account__kind").annotate(total=Sum("amount"))
    return {row["account__kind"]: row["total"] for row in rows if row["total"]}
