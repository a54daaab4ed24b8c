"""Locks, and claims: who must not be at the same thing as another."""

from tests.mutation.code_guards.mutation import without

CHECKOUT = "payments.services.checkout"
STATE = "payments.services.provider_state"
REFUNDS = "payments.services.refunds"
INBOX = "payments.services.inbox"

LOCKS = [
    without(
        "checkout-locks-request",
        "Two clicks at once open one session: the request is locked before the look for a live payment.",
        CHECKOUT,
        "Request.objects.select_for_update(of=HELD, no_key=True)\n        .of(",
        "Request.objects.all()\n        .of(",
        tests="races/test_start_payment.py::test_many_clicks_at_once_open_one_session",
    ),
    without(
        "facts-lock-everything",
        "Two pieces of news of one payment take turns: pool, request and payment are locked before the look.",
        STATE,
        "Pool.objects.locked().get(pk=pool_id)",
        "Pool.objects.get(pk=pool_id)",
        "Request.objects.locked().select_related",
        "Request.objects.select_related",
        "payment = Payment.objects.locked().get",
        "payment = Payment.objects.get",
        tests="""
            races/test_cancellations.py::test_money_that_arrives_while_the_pool_is_cancelled_goes_back_whichever_came_first
            catalogue/test_c_twice.py::TestTwoPayments::test_37_news_of_both_at_once_gives_one_place_and_one_way_back
        """,
    ),
    without(
        "receipt-locks-everything",
        "Two who give back the same money take turns: pool, request, payment and receipt are locked before the look.",
        f"{REFUNDS}.decisions",
        "Pool.objects.locked().get",
        "Pool.objects.get",
        'Request.objects.select_related("user").locked()',
        'Request.objects.select_related("user")',
        "Payment.objects.locked().get",
        "Payment.objects.get",
        "Receipt.objects.locked().get",
        "Receipt.objects.get",
        tests="""
            races/test_refunds.py::test_of_two_who_take_a_place_back_at_once_one_does
            races/test_refunds.py::test_parts_that_are_asked_for_at_once_never_exceed_what_came
        """,
    ),
    without(
        "refund-is-locked",
        "A wish is approved or declined, once: it is read under the lock of its receipt.",
        f"{REFUNDS}.deciding",
        "    receipt = lock_receipt(receipt_id)\n    refund = Refund.objects.locked().get(pk=refund_id)",
        '    receipt = Receipt.objects.select_related("payment__request__pool").get(pk=receipt_id)\n'
        "    refund = Refund.objects.get(pk=refund_id)",
        tests="races/test_refunds.py::test_a_wish_is_approved_once_and_not_declined_as_well",
    ),
    without(
        "checkout-holds-spender",
        "Of payments that start at once, no more begin than the player's limit has room for.",
        CHECKOUT,
        'HELD = ("self", "user")',
        'HELD = ("self",)',
        tests="races/test_player_limits.py::test_thirty_payments_at_once_never_pass_the_limit",
    ),
    without(
        "place-locks-pool-and-request",
        "The same money twice makes one entry: pool and request are locked before the look.",
        "entries.services.places",
        "    pool = Pool.objects.locked().get(pk=request.pool_id)\n    request.refresh_from_db(from_queryset=Request"
        ".objects.locked())",
        "    pool = Pool.objects.get(pk=request.pool_id)\n    request.refresh_from_db()",
        tests="races/test_requests.py::test_the_same_money_twice_makes_one_entry",
    ),
    without(
        "approval-locks-pool",
        "A pool is never oversold, and approved and withdrawn have one order: pool first, request second.",
        "entries.services.places",
        "    pool = Pool.objects.locked().get(pk=request.pool_id)\n    return pool,",
        "    pool = Pool.objects.get(pk=request.pool_id)\n    return pool,",
        tests="races/test_requests.py::test_the_last_places_of_a_pool_are_given_once",
    ),
    without(
        "approval-locks-request",
        "A request is decided once.",
        "entries.services.places",
        '    return pool, Request.objects.select_related("user").locked().get',
        '    return Pool.objects.get(pk=pool.pk), Request.objects.select_related("user").get',
        "    pool = Pool.objects.locked().get(pk=request.pool_id)\n    return",
        "    pool = Pool.objects.get(pk=request.pool_id)\n    return",
        tests="""
            races/test_requests.py::test_a_double_approval_counts_once
            races/test_requests.py::test_approve_against_reject_has_one_winner
        """,
    ),
    without(
        "record-is-locked",
        "Money by hand is signed for once: the record is locked before the look.",
        "payments.services.manual.records",
        "ManualRecord.objects.locked().filter",
        "ManualRecord.objects.filter",
        tests="""
            races/test_manual.py::test_a_record_is_confirmed_once
            races/test_manual.py::test_a_record_is_confirmed_or_turned_down
        """,
    ),
    without(
        "payout-is-locked",
        "A prize is asked for and decided about once: pool, entry, player and payout are locked before the look.",
        "payments.services.winners.locking",
        "    pool = Pool.objects.locked().filter(pk=pool_id)",
        "    pool = Pool.objects.filter(pk=pool_id)",
        "Entry.objects.locked().filter",
        "Entry.objects.filter",
        "User.objects.select_for_update(no_key=True).filter",
        "User.objects.filter",
        "Payout.objects.locked().select_related",
        "Payout.objects.select_related",
        tests="races/test_payouts.py::test_it_is_approved_once_or_cancelled",
    ),
    without(
        "prizes-lock-pool",
        "Prizes are booked once: the pool is locked before the look at the last booking.",
        "payments.services.prizes",
        "    pool = Pool.objects.locked().get(pk=pool_id)",
        "    pool = Pool.objects.get(pk=pool_id)",
        tests="races/test_payouts.py::test_prizes_are_booked_once",
    ),
    without(
        "cancellation-is-locked",
        "A cancellation is confirmed or withdrawn, once: pool and cancellation are locked before the look.",
        "payments.services.cancellations.deciding",
        "    pool = Pool.objects.locked().get(pk=pool_id)",
        "    pool = Pool.objects.get(pk=pool_id)",
        "Cancellation.objects.locked().get",
        "Cancellation.objects.get",
        tests="races/test_cancellations.py::test_it_is_confirmed_once_or_withdrawn",
    ),
    without(
        "inbox-object-lock",
        "News of one object is never looked at by two workers: two claims of it meet at a named lock.",
        f"{INBOX}.working",
        "    if object_id and not try_advisory_lock",
        "    if False and not try_advisory_lock",
        tests="""
            races/test_inbox.py::test_two_sweeps_never_look_at_one_object_together
            races/test_inbox.py::test_hints_for_all_news_at_once_never_meet_at_an_object_and_leave_nothing
        """,
    ),
    without(
        "inbox-lease",
        "News of an object that somebody is at is left to him.",
        f"{INBOX}.working",
        "                AND s.leased_until > clock_timestamp()))",
        "                AND false))",
        "AND s.object_id <> ''\n            AND s.leased_until > clock_timestamp()",
        "AND false",
        tests="""
            races/test_inbox.py::test_an_object_at_work_keeps_no_other_waiting
            races/test_inbox.py::test_news_that_comes_meanwhile_waits_and_is_taken_by_the_same_worker
        """,
    ),
    without(
        "sweep-skips-what-is-held",
        "Two sweeps ask about different payments: what another holds is passed over, not waited for.",
        "payments.services.asking",
        ".locked(skip_busy=True)",
        ".locked()",
        tests="payments/test_sweep.py::TestTrouble::test_what_one_sweep_holds_another_passes_over",
    ),
    without(
        "refund-claim",
        "A refund that a worker is at is left to him.",
        f"{REFUNDS}.sending",
        "waiting = Refund.objects.filter(free, pk",
        "waiting = Refund.objects.filter(pk",
        tests="payments/test_refund_trouble.py::test_another_worker_s_refund_is_left_alone",
    ),
    without(
        "payout-claim",
        "A prize that a worker is sending is left to him.",
        "payments.services.winners.sending",
        "    elif payout.status not in PAYOUTS_UNDER_WAY or _is_taken(payout, now - lease):",
        "    elif payout.status not in PAYOUTS_UNDER_WAY:",
        tests="payments/test_sending_prizes.py::TestTrouble::test_another_worker_s_prize_is_left_alone",
    ),
    without(
        "outbox-claim",
        "Two drains do different messages: what one takes, the other passes over.",
        "config.outbox",
        "LIMIT 1 FOR UPDATE SKIP LOCKED",
        "LIMIT 1",
        tests="config/test_outbox.py::test_eight_drains_at_once_do_everything_once",
    ),
    without(
        "checkpoint-waits-for-writers",
        "A line that is committed late is in the sum: a checkpoint waits for all writers there are.",
        "payments.ledger.checkpoints",
        '            keep_writers_out("payments_posting", patience=PATIENCE)\n',
        "",
        tests="""
            payments/ledger/test_checkpoints.py::test_a_line_that_commits_late_is_not_passed_over
            payments/ledger/test_checkpoints.py::test_writers_and_checkpoints_at_once_never_lose_a_line
        """,
    ),
]
