"""A pool of thousands of paid places, made by sets, with their receipts in the books."""

from django.db import connection, transaction

from config.encryption import encrypt
from payments.services.catching_up import catch_up
from pools.models import Pool
from tests.factories.pools import PoolFactory

USERS = """
    INSERT INTO accounts_user (email, display_name, password, date_of_birth, country, region, role, token_version,
                               is_active, is_staff, is_superuser, email_verified_at)
    SELECT format('paid-%%s@example.test', n), format('Paid %%s', n), '!', %(born)s, 'US', '', 'player', 1,
           true, false, false, now()
    FROM generate_series(1, %(places)s) n
"""
REQUESTS = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, fee_cents, currency, reason,
                                 waiver_reason, decided_at, pay_by)
    SELECT %(pool)s, id, 1, 'approved', 'completed', 5000, 'usd', '', '', now(), now() + interval '1 day'
    FROM accounts_user WHERE email LIKE 'paid-%%' ORDER BY id
"""
ENTRIES = """
    INSERT INTO entries_entry (request_id, pool_id, user_id, number, status, strikes, eliminated_code, reference)
    SELECT id, pool_id, user_id, 1, 'active', 0, '', '' FROM entries_request WHERE pool_id = %(pool)s ORDER BY id
"""
PAYMENTS = """
    INSERT INTO payments_payment (ref, request_id, provider, livemode, status, amount_cents, currency,
                                  provider_reference, client_secret, checkout_url, failure, key_number)
    SELECT gen_random_uuid(), id, 'stripe', false, 'succeeded', 5000, 'usd', 'cs_' || id, '', '', '', 1
    FROM entries_request WHERE pool_id = %(pool)s ORDER BY id
"""
RECEIPTS = """
    INSERT INTO payments_receipt (payment_id, provider, charge_id, livemode, amount_cents, currency, status, entry_id,
                                  unapplied_because, source, received_at)
    SELECT p.id, 'stripe', 'ch_' || p.id, false, 5000, 'usd', 'allocated', e.id, '', 'webhook', now()
    FROM payments_payment p JOIN entries_entry e ON e.request_id = p.request_id
    WHERE e.pool_id = %(pool)s ORDER BY p.id
"""


def paid_pool(places: int) -> Pool:
    """Every guard has seen every row."""
    pool = PoolFactory(rules={"house_fee_bp": 1000})
    born = encrypt("1990-01-01", place="accounts_user.date_of_birth")
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (USERS, REQUESTS, ENTRIES, PAYMENTS, RECEIPTS):
            cursor.execute(statement, {"pool": pool.pk, "places": places, "born": born})
    while any(catch_up().values()):
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return pool
