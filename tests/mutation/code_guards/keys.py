"""Keys, and what is done once however often it is asked for."""

from tests.mutation.code_guards.mutation import without

SESSIONS = "payments.services.sessions"
STATE = "payments.services.provider_state"
SENDING = "payments.services.sending_once"
INBOX = "payments.services.inbox"

KEYS = [
    without(
        "session-key",
        "A session asked for twice is opened once: both tries have one idempotency key.",
        "payments.models.payment",
        'return f"checkout:{self.ref}:{self.key_number}"',
        'return f"checkout:{uuid.uuid4()}"',
        tests="""
            payments/test_checkout_trouble.py::test_a_time_out_leaves_the_outcome_unknown_and_the_retry_finds_the_session
            catalogue/test_b_checkout.py::test_22_stripe_times_out_on_create_and_the_same_session_is_found
        """,
    ),
    without(
        "refund-key",
        "A refund asked for twice is made once: both tries have one idempotency key.",
        "payments.models.refund",
        'return f"refund:{self.ref}:{self.key_number}"',
        'return f"refund:{uuid.uuid4()}"',
        tests="payments/test_refund_trouble.py::test_a_part_whose_answer_was_lost_goes_once",
    ),
    without(
        "session-look-before-new-key",
        "After a fault a new key is taken only where a look has found nothing.",
        SESSIONS,
        "    found = _look(provider, payment)\n    if found is not None:\n        return found\n    # It",
        "    # It",
        tests="payments/test_checkout_trouble.py::test_a_fault_after_the_work_is_looked_up_at_once",
    ),
    without(
        "session-look-after-its-time",
        "A session that can be opened no more is looked for, and nothing new is opened.",
        SESSIONS,
        "_create(provider, payment) if now < _openable_until(payment) else _look(provider, payment)",
        "_create(provider, payment)",
        tests="""
            payments/test_checkout_trouble.py::test_an_old_intent_whose_session_exists_gets_it
            catalogue/test_b_checkout.py::test_25_after_a_day_the_key_is_worth_nothing_and_what_it_opened_is_looked_up_before_anything_new
        """,
    ),
    without(
        "session-unclear-is-unknown",
        "A session whose answer was lost is neither failed nor forgotten.",
        SESSIONS,
        "        _doubt(payment, error)\n        raise\n    except Rejected",
        "        raise\n    except Rejected",
        tests="payments/test_checkout_trouble.py::test_a_time_out_leaves_the_outcome_unknown_and_the_retry_finds_the_session",
    ),
    without(
        "refund-look-before-new-key",
        "After a day the key of a refund is worth nothing: what it made is looked up before anything new.",
        SENDING,
        "    if is_old or row.key_number > 1:\n        found = look()",
        "    if is_old:\n        found = None",
        tests="payments/test_refund_trouble.py::test_an_old_key_is_not_used_before_looking",
    ),
    without(
        "refund-look-after-a-fault",
        "After a fault a new key is taken only where a look has found no refund.",
        SENDING,
        "    except Faulted:\n        found = look()",
        "    except Faulted:\n        found = None",
        # Else the next try would look.
        "    if is_old or row.key_number > 1:",
        "    if is_old:",
        tests="payments/test_refund_trouble.py::test_a_part_whose_answer_was_lost_goes_once",
    ),
    without(
        "refund-unclear-is-unknown",
        "A refund whose answer was lost is neither failed nor forgotten.",
        SENDING,
        "        _doubt(row, error)\n        raise\n    except Rejected",
        "        raise\n    except Rejected",
        tests="payments/test_refund_trouble.py::test_a_time_out_leaves_it_unknown_and_the_sweep_finds_it",
    ),
    without(
        "refund-repeated-answer",
        "What is repeated under a key is the first answer: what became of it since is asked.",
        SENDING,
        "return (look() or facts) if is_again else facts",
        "return facts",
        tests="payments/test_refund_trouble.py::TestThatFailsLater::test_a_repeated_answer_is_not_taken_for_the_truth",
    ),
    without(
        "refund-refused-after-all",
        "A call that is refused may be the second one: what the first has made is looked up.",
        SENDING,
        "        found = _look_after(row, look, refusal)",
        "        found = None",
        tests="payments/test_refund_trouble.py::test_a_call_that_is_refused_because_the_first_one_worked_is_no_failure",
    ),
    without(
        "webhook-once",
        "The same news twice is one row, counted.",
        f"{INBOX}.receiving",
        "    ON CONFLICT (provider, event_id) DO UPDATE SET deliveries = e.deliveries + 1\n",
        "",
        tests="payments/test_webhooks.py::TestTakingIn::test_again_it_is_counted_and_nothing_else",
    ),
    without(
        "message-once",
        "A message that is posted twice, a mail or a refund to be sent, is done once.",
        "config.outbox",
        "clock_timestamp() + make_interval(secs => %s), 0, '')\n            ON CONFLICT (key) DO NOTHING\n",
        "clock_timestamp() + make_interval(secs => %s), 0, '')\n",
        tests="config/test_outbox.py::TestPosting::test_the_same_key_is_posted_once",
    ),
    without(
        "receipt-once",
        "A charge that is booked is not booked again.",
        STATE,
        "    if Receipt.objects.filter(provider=payment.provider, charge_id=charge.id).exists():\n        return\n",
        "",
        tests="payments/test_provider_state.py::TestMoneyInTime::test_acting_on_the_same_facts_again_changes_nothing",
    ),
    without(
        "entry-once",
        "An event of a source is in the journal once, and posting it again changes nothing.",
        "payments.ledger.posting",
        "        ON CONFLICT (source_type, source_id, event) DO NOTHING\n",
        "",
        tests="payments/ledger/test_attacks.py::test_many_that_book_the_same_at_once_book_it_once",
    ),
    without(
        "account-once",
        "An account that two need at once is made once.",
        "payments.ledger.posting",
        "    ON CONFLICT DO NOTHING\n",
        "",
        tests="payments/ledger/test_attacks.py::test_many_that_book_the_same_at_once_book_it_once",
    ),
    without(
        "catch-up-once",
        "What is in the journal is not caught up again.",
        "payments.ledger.bulk",
        "        ON CONFLICT (source_type, source_id, event) DO NOTHING\n",
        "",
        tests="payments/ledger/test_catching_up.py::test_what_a_service_books_at_the_same_moment_is_booked_once",
    ),
    without(
        "loss-once",
        "A lost dispute is borne once.",
        "payments.services.chargebacks",
        "    if dispute.borne_by:\n        return\n    lost",
        "    lost",
        tests="payments/test_disputes.py::TestLost::test_it_is_borne_once",
    ),
    without(
        "movement-once",
        "A movement that is known is not booked again.",
        "payments.services.movements",
        "    if is_new:\n",
        "    if True:\n",
        tests="payments/test_movements.py::TestUnexplained::test_known_it_changes_nothing",
    ),
]
