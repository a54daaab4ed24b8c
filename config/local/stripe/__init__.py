"""A double of Stripe for one machine: stateful, with a hosted page, signed webhooks, and faults on command.

It answers the official client: checkout sessions, payment intents, charges, refunds, disputes, events, balance,
balance transactions, payouts and transfers, in Stripe's shapes, with its idempotency keys, expiry, fees and errors.
What Stripe offers and the double does not carry out is refused, never ignored. Cards: 4242424242424242 pays,
4000000000000002 is declined, any other number is wrong. The bank account 000123456789 pays by debit, which takes days,
where the session's allowed_payment_method_types name us_bank_account. Money is pretended; everything else is meant.

    python -m config.local.stripe --port 8420 --home ./var --webhook-url http://127.0.0.1:8000/api/v1/webhooks/stripe

The customer's side
    GET  /pay/{session}        the hosted page (a session's `url`)
    POST /pay/{session}/pay    {"card": "4242424242424242"} -> 200 {"id", "status": "complete", "payment_status"}
                               402 card_declined or incorrect_number, 404 unknown, 410 expired, 400 not JSON

The controls (JSON in and out, this machine only, no key)
    GET    /_double                     this text
    GET    /_double/health              {"status": "ok"}
    GET    /_double/state               every object, delivery, idempotency key, rule, and order
    GET    /_double/requests            what was asked of /v1 and /pay lately: key, API version, faults, status
    POST   /_double/reset               forget everything, but where webhooks go

    GET    /_double/clock               {"now", "ahead_of_real_time"}
    POST   /_double/clock               {"advance": 3600}: all that falls due on the way happens: sessions expire,
                                        money becomes available, keys are forgotten, webhooks are tried again

    GET    /_double/faults              the rules waiting to strike
    POST   /_double/faults              one rule, see below
    DELETE /_double/faults              {"id": 3} or {"action": "hold"} or {} for all

    GET    /_double/webhooks            every delivery with its attempts
    POST   /_double/webhooks/release    {"order": "created" | "reversed" | "shuffled", "type": "charge.*", "seed": 7}:
                                        lifts the hold and sends what was held, one after the other
    POST   /_double/webhooks/resend     {"event": "evt_...", "copies": 1}: an old event, freshly signed
    POST   /_double/events              {"type", "object"}: an event of any type, known or not, about an object as it is
    POST   /_double/events/missed       {"event_type", "object"}: sends Stripe's alert that this event about this object
                                        never came into being (v2.core.health.event_generation_failure.resolved)
    POST   /_double/webhooks/drain      {"timeout": 10}: waits until none is due or on its way; {"unsettled": 0}

    GET    /_double/endpoint            where webhooks go
    POST   /_double/endpoint            any of {"url", "secret", "style": "snapshot" | "thin" | "both", "thin_url",
                                        "thin_secret", "enabled", "signature_age", "timeout"}; disabled, what is under
                                        way is given up; signature_age: seconds, negative lies in the future

What banks and people at the Dashboard do (the answer is the object; 400 where Stripe would refuse, 404 unknown). A
TARGET is exactly one of "charge", "payment_intent", "session", by id.

    POST   /_double/disputes            {TARGET, "amount", "reason": "fraudulent", "inquiry": false}: without an amount,
                                        what is left of the charge. Books -amount and the fee of 1500 at once; an
                                        inquiry books nothing until it is moved to needs_response
    POST   /_double/disputes/move       {"id", "status", "fee_returned": false}: won books +amount, and the fee as -1500
                                        if it is returned
    POST   /_double/refunds             {TARGET, "amount", "reason", "metadata": {}}: made at the Dashboard
    POST   /_double/refunds/next        {"status": "pending" | "requires_action", "pending_reason":
                                        "insufficient_funds" | "processing" | "charge_pending", "times": 1}: how the
                                        next refunds begin, whoever makes them; {"orders"}
    POST   /_double/refunds/move        {"id", "status": "pending" | "succeeded" | "failed" | "canceled",
                                        "failure_reason": "expired_or_canceled_card" | ...}: what had been drawn comes
                                        back as failure_balance_transaction, and the charge can be refunded again
    POST   /_double/delayed             {"session"}: paid by bank debit, whatever it offers: complete, but unpaid
    POST   /_double/delayed/settle      {"session", "outcome": "succeeded" | "failed", "failure_code":
                                        "insufficient_funds" | "account_closed" | "debit_not_authorized"}
    POST   /_double/returns             {TARGET, "as": "dispute" | "payment_failure_refund", "failure_code"}: the bank
                                        takes back a debit that had succeeded; as Stripe usually tells it, a dispute
                                        lost from the start, or else a charge that fails late, without a fee
    POST   /_double/charges             {"session", "amount", "currency", "metadata", "presentment": {"amount",
                                        "currency"}}: the open session is paid on other terms than it asked for;
                                        without a session {"amount", "currency", "metadata", "checkout": false}: a
                                        payment of some other product, with a session of its own if "checkout";
                                        {"session", "payment_intent", "charge"}, ids
    POST   /_double/settlement          {"currency", "rate", "times": 1}: the next charges, their refunds and disputes
                                        settle in this currency, a minor unit of theirs being `rate` of it; {"orders"}
    POST   /_double/movements           {"amount", "fee", "currency": "usd", "category"}: the balance moves for a
                                        reason of Stripe's own, with no source
    POST   /_double/payouts/run         {"currency"}: pays out everything available, automatically; {"payouts"}. Arrives
                                        after two midnights; reconciled after an hour, or when told
    POST   /_double/payouts/move        {"id", "status": "in_transit" | "paid" | "failed" | "canceled", "failure_code":
                                        "account_closed" | ...}; a paid one may still fail, and its money comes back
    POST   /_double/payouts/reconcile   {"id"}: its movements can be listed by `payout` from now on
    POST   /_double/transfers/reverse   {"id", "amount", "metadata": {}}: taken back at the Dashboard, what is left
                                        of it or a part. To acct_missing… or acct_restricted… none is sent at all
    GET    /_double/books               {"currencies": {"usd": {"count", "gross", "fee", "net", "available", "pending",
                                        "categories": {reporting_category: {"count", "gross", "fee", "net"}}}},
                                        "charges": [{"id", "payment_intent", "session", "currency", "amount",
                                        "refunded" (drawn), "refund_pending", "disputed" (net of reversals), "returned",
                                        "settled": {"currency", "count", "gross", "fee", "net"}}]}

    warning_needs_response -> warning_under_review, warning_closed, needs_response, prevented
    warning_under_review   -> warning_closed, needs_response, prevented
    needs_response         -> under_review, won, lost       under_review        -> won, lost, appeal_needs_response
    lost                   -> appeal_needs_response         appeal_under_review -> won, lost
    appeal_needs_response  -> appeal_under_review, lost

By itself a dispute is lost when nobody answered by evidence_details.due_by (ten days), an inquiry closed after 120
days. Evidence with the uncategorized_text winning_evidence or losing_evidence decides at once. Files are not kept, so
none can be named. A charge is refundable unless a dispute of it waits, is under review, or was lost. A refund counts in
charge.amount_refunded, and charge.refunded is announced, from its creation until it fails or is called off; it has no
balance_transaction before it succeeded.

A rule is {"action", "times": 1 or null for ever, ...}. Those for requests also take "method" and "path", patterns
like "/v1/checkout/*" (default: every request); those for events take "type", a pattern like "charge.*".

    drop_before      the connection is cut, nothing was done        error_before     "status" 500..599, nothing was done
    drop_after       it was done, the answer is lost                error_after      it was done, the answer is a fault
    delay_before     "seconds" before anything is done, the         delay_after      "seconds" after it was done
                     idempotency key being held meanwhile           answer_livemode  the answer claims livemode: true
    rate_limit       429, before the idempotency layer              lock_timeout     429 with that code

    hold             kept back until released                       suppress         no event comes into being at all
    lose             never sent; still listed as undelivered        swallow          never sent, yet listed as delivered
    delay            sent "seconds" later                           duplicate        sent "copies" more times
    event_livemode   the event claims livemode: true

Thin events (`v1.charge.succeeded`, signed with thin_secret, sent to thin_url or else url) are the twins of snapshots:
what strikes the one strikes the other, and a "type" that begins with `v1.` strikes the thin one alone. An event counts
as undelivered until each form that was to be sent has arrived. GET /v2/core/events/{id} answers the official client.

An `error_...` answer is kept under its idempotency key and replayed, as Stripe does. Rules are forgotten at a restart,
everything else is kept in $OUTLAST_HOME/data/stripe-double.sqlite3. Delays are in real seconds, `delay` of webhooks in
the double's own time. Webhooks are tried after 2 s, 5 s, 15 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, then every 12 h,
and given up after three days. A charge costs 2.9 % (rounded half up) plus 30 minor units, 300 in three-decimal
currencies; a bank debit 0.8 %, at most 500; a dispute 1500, 15000 in three-decimal currencies.
"""
