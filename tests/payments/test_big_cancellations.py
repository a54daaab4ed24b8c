"""Cancelling a pool of ten thousand: a batch costs what a batch costs, wherever it is and however big the pool."""

import tracemalloc

import pytest
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext

from entries.models import Request
from payments.models import Refund
from payments.services.cancellations import progress_of, run
from payments.services.pots import pot_of
from tests.support.cancelling import cancelled
from tests.support.paid_pool import paid_pool

pytestmark = [pytest.mark.slow, pytest.mark.longest, pytest.mark.django_db]

PLACES, BATCH = 10_000, 100
# Measured: 62 for a place; some of its triggers fold a tally now and then.
STATEMENTS = 70 * BATCH
MEGABYTES = 16


def test_a_batch_of_a_big_pool_is_bounded_in_statements_and_memory(monkeypatch):
    monkeypatch.setattr("payments.services.cancellations.running.LONGEST_HOLD", 600.0)
    pool = paid_pool(PLACES)
    assert pot_of(pool) == PLACES * 4500
    cancellation = cancelled(pool)
    ids = list(Request.objects.filter(pool=pool).order_by("-pk").values_list("pk", flat=True))
    counts = []
    # The first, one in the middle, the last but one.
    for before in (None, ids[PLACES // 2], ids[PLACES - 2 * BATCH]):
        # Django keeps the last 9,000 alone.
        reset_queries()
        with CaptureQueriesContext(connection) as queries:
            assert run(cancellation.pk, before=before) == BATCH
        counts.append(len(queries))
    assert max(counts) <= STATEMENTS
    assert max(counts) - min(counts) <= 20

    tracemalloc.start()
    assert run(cancellation.pk, before=ids[PLACES // 4]) == BATCH
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEGABYTES * 2**20

    progress = progress_of(cancellation)
    assert (progress.places_total, progress.places_given_back, progress.percent) == (PLACES, 4 * BATCH, 4)
    assert Refund.objects.count() == 4 * BATCH
    assert pot_of(pool) == (PLACES - 4 * BATCH) * 4500
