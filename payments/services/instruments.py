"""Cards and bank accounts that more than one player pays with: kept as fingerprints, and told to who decides."""

from collections.abc import Collection, Mapping

from django.db import connection

from accounts.models import User
from accounts.services.closing import forgets
from config.phrases import phrase_of
from entries.services.risks import Hint, tells_hints
from payments.models import Instrument, Receipt
from payments.providers.base import ChargeFacts

# A shop's terminal may pay for a whole town: of each instrument no more than this many players are looked at.
MOST_SHARING = 100
# Whoever is just closing their account is passed over: what is kept about them is being forgotten.
NOTE = """
    INSERT INTO payments_instrument (user_id, provider, fingerprint)
    SELECT id, %s, %s FROM accounts_user WHERE id = %s AND closed_at IS NULL FOR SHARE SKIP LOCKED
    ON CONFLICT DO NOTHING
"""
SHARED = """
    SELECT m.user_id, count(DISTINCT o.user_id)
    FROM payments_instrument m CROSS JOIN LATERAL (
        SELECT i.user_id FROM payments_instrument i
        WHERE (i.provider, i.fingerprint) = (m.provider, m.fingerprint) AND i.user_id <> m.user_id LIMIT %(most)s
    ) o
    WHERE m.user_id = ANY(%(users)s) GROUP BY m.user_id
"""


def note_instrument(receipt: Receipt, facts: ChargeFacts) -> None:
    """Keep what the receipt was paid with, if the provider says."""
    if not facts.instrument:
        return
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [receipt.provider, facts.instrument, receipt.payment.request.user_id])


@forgets
def forget_instruments(user: User) -> None:
    """With the account goes what it paid with."""
    Instrument.objects.filter(user=user).delete()


@tells_hints
def shared_instruments(user_ids: Collection[int]) -> Mapping[int, list[Hint]]:
    """Who has paid with what others paid with as well; in one query."""
    with connection.cursor() as cursor:
        cursor.execute(SHARED, {"users": list(user_ids), "most": MOST_SHARING})
        return {user_id: [Hint(_sentence(others))] for user_id, others in cursor.fetchall()}


def _sentence(others: int) -> str:
    return phrase_of(
        others,
        "{count} other account has paid with the same card or bank account.",
        "{count} other accounts have paid with the same card or bank account.",
    )
