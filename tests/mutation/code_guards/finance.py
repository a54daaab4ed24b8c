"""Finance: runs, what heals by itself, the queue, banks, files that leave the house, months, and the books' export."""

from tests.mutation.code_guards.mutation import without

RUNS = "payments.reconciliation.runs"
FEED = "payments.reconciliation.feed"
STAGING = "payments.reconciliation.staging"
WRITE_OFFS = "payments.services.queue.write_offs"
DECIDING = "payments.bank.deciding"
MATCHING = "payments.bank.matching"
ASKING = "payments.exports.asking"
FETCHING = "payments.exports.fetching"
PERIODS = "payments.services.periods"
BATCHES = "payments.accounting.batches"
SENDING = "payments.services.sending_once"

TEST_RUNS = "payments/reconciliation/test_runs.py"
TEST_FEED = "payments/reconciliation/test_feed.py"
TEST_QUEUE = "payments/reconciliation/test_queue_of_runs.py"
TEST_MATCHING = "payments/bank/test_matching.py"

FINANCE = [
    without(
        "run-lock",
        "One process at a time carries out the runs of a provider.",
        RUNS,
        "        if not is_ours:\n            RUNS.labels",
        "        if False:\n            RUNS.labels",
        tests=f"{TEST_RUNS}::TestTogether::test_of_two_at_once_one_works_and_the_other_goes_away",
    ),
    without(
        "run-lock-of-all-readers",
        "A run over the feed and one over everything are never at work together.",
        RUNS,
        'what = "feed" if kind in _READERS else str(kind)',
        "what = str(kind)",
        tests=f"{TEST_RUNS}::TestTogether::test_of_two_at_once_one_works_and_the_other_goes_away",
    ),
    without(
        "run-overtaken",
        "Who has lost its lock, and the run to another, writes nothing more into it.",
        RUNS,
        "    if ours.update(touched_at=ClockTimestamp(), **values) != 1:\n        raise Overtaken",
        "    ReconciliationRun.objects.filter(pk=run.pk).update(touched_at=ClockTimestamp(), **values)",
        tests=f"{TEST_RUNS}::TestTrouble::test_who_has_been_overtaken_writes_nothing_more",
    ),
    without(
        "run-ends-whole",
        "The end of a run and what belongs to it, its cursor, are one transaction.",
        RUNS,
        "    with transaction.atomic():\n        if RunPhase.DONE in steps:",
        "    if True:\n        if RunPhase.DONE in steps:",
        tests=f"{TEST_RUNS}::TestTrouble::test_the_end_and_what_belongs_to_it_are_one",
    ),
    without(
        "page-and-cursor",
        "A page and the note that it was read are one transaction: one that came too late leaves neither.",
        STAGING,
        "@transaction.atomic\ndef _put(",
        "def _put(",
        tests=f"{TEST_FEED}::TestReading::test_a_page_that_another_process_has_noted_is_not_noted_again",
    ),
    without(
        "page-noted-once",
        "A page is noted only where the run stands as it did before it was asked for.",
        STAGING,
        "    if noted != 1:\n        raise Overtaken",
        "    assert noted < 2",
        tests=f"{TEST_FEED}::TestReading::test_a_page_that_another_process_has_noted_is_not_noted_again",
    ),
    without(
        "staging-is-whole",
        "Nothing is compared with what the database has lost of the lists: it is read again.",
        FEED,
        "        if staging.is_whole(run):\n            step(run)",
        "        if True:\n            step(run)",
        "    if not staging.is_whole(run):\n        staging.start_again(run)\n    elif not run.pages:",
        "    if not run.pages:",
        tests=f"{TEST_FEED}::TestLost::test_what_the_database_lost_in_a_crash_is_read_again",
    ),
    without(
        "cursor-at-the-end",
        "The next run begins after this one only once everything was read, compared and dealt with.",
        FEED,
        "    staging.gather_statistics()\n",
        "    staging.gather_statistics()\n"
        '    FeedCursor.objects.update_or_create(provider=run.provider, defaults={"through": run.until})\n',
        tests=f"{TEST_FEED}::TestLost::test_what_failed_runs_have_left_goes_with_the_next",
    ),
    without(
        "cursor-never-back",
        "A run over an earlier time does not send the next one back.",
        FEED,
        'through=Greatest(F("through"), run.until)',
        "through=run.until",
        tests=f"{TEST_FEED}::TestReading::test_the_cursor_never_goes_back",
    ),
    without(
        "breaker",
        "Of what is too much of a kind nothing heals by itself.",
        "payments.reconciliation.healing",
        "kinds = [kind for kind in HEALING_KINDS if kind not in run.stopped_healing]",
        "kinds = HEALING_KINDS",
        tests=f"{TEST_QUEUE}::TestBreaker::test_more_than_the_limit_is_left_to_a_person_who_can_let_it_go_on",
    ),
    without(
        "breaker-majority",
        "What is unknown here and most of what was read is too much, however few.",
        "payments.reconciliation.breaker",
        "    return is_foreign or (read >= MAJORITY_FROM and one.unknown * 2 > read)",
        "    return is_foreign",
        tests=f"{TEST_QUEUE}::TestBreaker::test_most_of_what_was_read_is_too_much_of_anything",
    ),
    without(
        "breaker-leave-ends",
        "Leave to heal what is too much ends after a day.",
        "payments.reconciliation.breaker",
        "        and row.closed_at > database_now() - GOES_ON_FOR\n",
        "",
        tests=f"{TEST_QUEUE}::TestBreaker::test_leave_ends_with_the_day",
    ),
    without(
        "write-off-second-name",
        "A write-off is approved by somebody else.",
        WRITE_OFFS,
        "    if wish.requested_by_id == by.pk:",
        "    if False:",
        tests="payments/test_write_offs.py::test_whoever_asked_cannot_approve",
    ),
    without(
        "write-off-limit",
        "More than the limit is never written off.",
        WRITE_OFFS,
        "    if abs(stake.amount) > limit:",
        "    if False:",
        tests="payments/test_write_offs.py::test_more_than_the_limit_is_refused_and_a_currency_has_its_own_units",
    ),
    without(
        "write-off-as-asked-for",
        "What is approved is what was asked for: not what the books have come to since.",
        WRITE_OFFS,
        "    if stake_of(row) != stake:",
        "    if False:",
        tests="payments/test_write_offs.py::test_what_the_books_say_by_now_counts",
    ),
    without(
        "stakes-cleared-alone",
        "What lies in the books because of two rows is cleared once, whoever is at which of them.",
        "payments.services.queue.foreign",
        "    clear_alone()\n",
        "",
        tests="races/test_queue.py::test_money_that_two_rows_are_about_is_moved_once",
    ),
    without(
        "allocation-of-the-whole",
        "Money of which a part is gone does not become a place.",
        "payments.services.allocating",
        "    if left_of(receipt) != receipt.amount_cents:",
        "    if False:",
        tests="payments/test_allocating.py::test_anything_else_is_left_as_it_is",
    ),
    without(
        "bank-line-is-locked",
        "A line of a statement is one thing: of several who say what it is, one does.",
        DECIDING,
        'BankLine.objects.locked().select_related("account")',
        'BankLine.objects.select_related("account")',
        tests="races/test_bank.py::test_a_line_is_one_thing",
    ),
    without(
        "bank-one-to-one",
        "A line is matched by itself only where it and its match fit nothing else.",
        MATCHING,
        "if pair.fits and lines[pair.line_id] == 1 and things[pair.thing] == 1",
        "if pair.fits",
        tests=f"""
            {TEST_MATCHING}::TestByAmountAndDay::test_two_payouts_alike_wait_for_a_person
            {TEST_MATCHING}::TestByAmountAndDay::test_two_lines_alike_do_as_well
        """,
    ),
    without(
        "bank-adds-up",
        "What a line is said to be comes to its amount.",
        DECIDING,
        "    elif rest or not matches:",
        "    elif False:",
        tests=f"{TEST_MATCHING}::TestByHand::test_what_does_not_come_to_it_is_refused",
    ),
    without(
        "bank-file-once",
        "The same line in two files is one line.",
        "payments.bank.importing",
        "        new = [line for line in lines if line.reference not in known]",
        "        new = lines",
        tests="payments/bank/test_importing.py::test_of_files_that_overlap_only_what_is_new_is_taken",
    ),
    without(
        "export-second-name",
        "An export that needs a second name is agreed to by somebody else.",
        ASKING,
        "    if export.requested_by_id == by.pk:",
        "    if False:",
        tests="exports/test_writing.py::test_a_second_name_where_the_report_needs_one",
    ),
    without(
        "export-of-people",
        "People's names leave the house only with who may take them out.",
        "payments.exports.rights",
        "*([PERSONAL] if is_personal else []), ",
        "",
        tests="exports/test_writing.py::test_who_may_not_export_people_does_not",
    ),
    without(
        "export-of-this-attempt",
        "A worker that was taken for gone does not end the export of the one after it.",
        "payments.exports.work",
        "        pk=export.pk, status=ExportState.RUNNING, attempts=export.attempts\n",
        "        pk=export.pk\n",
        tests="exports/test_slot.py::test_a_silent_worker_loses_its_export_and_its_file",
    ),
    without(
        "link-once",
        "A signed link opens once.",
        FETCHING,
        "way=way, address=address, nonce=nonce)",
        "way=way, address=address, nonce=nonce and uuid4())",
        tests="exports/test_fetching.py::test_a_link_opens_once",
    ),
    without(
        "link-for-a-while",
        "A signed link is over after a quarter of an hour.",
        FETCHING,
        "salt=SALT, max_age=LIFETIME)",
        "salt=SALT)",
        tests="exports/test_fetching.py::test_a_link_is_over_soon_and_is_nobody_elses",
    ),
    without(
        "link-of-its-export",
        "A signed link opens the export that it was made for.",
        FETCHING,
        "    if of != export_id or by is None:",
        "    if by is None:",
        tests="exports/test_fetching.py::test_a_link_is_over_soon_and_is_nobody_elses",
    ),
    without(
        "period-second-name",
        "A month is closed by somebody else than proposed it.",
        PERIODS,
        "    if period.proposed_by_id == by.pk:",
        "    if False:",
        tests="exports/test_periods.py::test_two_names_and_one_after_another",
    ),
    without(
        "period-waits-for-writers",
        "Nobody writes into a month while it is sealed.",
        PERIODS,
        '    keep_writers_out("payments_journalentry", "payments_posting", patience=PATIENCE)\n',
        "",
        tests="exports/test_periods.py::test_who_posts_while_a_month_is_closed_is_in_it_or_after_it",
    ),
    without(
        "period-balances",
        "A month whose books do not balance is not closed.",
        PERIODS,
        "    _check_balanced(lines)\n",
        "",
        tests="exports/test_periods.py::test_books_that_do_not_balance_are_not_closed",
    ),
    without(
        "batch-day-once",
        "A line of a day that was exported is in no later batch.",
        "payments.accounting.days",
        "AND l.id > d.after AND l.id <= d.through",
        "AND l.id <= d.through",
        tests="accounting/test_batches.py::test_a_day_is_exported_once_and_its_corrections_come_with_the_next_batch",
    ),
    without(
        "batch-lock",
        "Two who export the same days take turns: the second finds nothing left.",
        BATCHES,
        '    advisory_lock(f"journals {system}", int(livemode))\n',
        "",
        tests="races/test_accounting.py::test_a_day_is_exported_once_however_many_ask",
    ),
    without(
        "batch-second-name",
        "A batch is withdrawn by somebody else than made it.",
        BATCHES,
        "    if batch.made_by_id == by.pk:",
        "    if False:",
        tests="accounting/test_batches.py::test_a_withdrawn_batch_is_made_anew_with_the_same_bytes",
    ),
    without(
        "transfer-key",
        "A prize sent twice is sent once: both tries have one idempotency key.",
        "payments.models.payout",
        'return f"payout:{self.ref}:{self.key_number}"',
        'import uuid\n\n        return f"payout:{uuid.uuid4()}"',
        tests="payments/test_sending_prizes.py::TestTrouble::"
        "test_a_worker_killed_on_either_side_of_the_call_leaves_one_transfer",
    ),
    without(
        "transfer-look-after-the-key",
        "Once its key is worth nothing a prize is looked for before it is sent.",
        SENDING,
        "    if is_old or row.key_number > 1:",
        "    if row.key_number > 1:",
        tests="payments/test_sending_prizes.py::TestTrouble::test_after_the_key_has_died_it_looks_before_it_sends",
    ),
]
