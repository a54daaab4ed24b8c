"""What each error looks like: one example for each code, shown at every operation that can answer with it.

The sentences are such as services say them; programs go by the code, and by `details` where something is named there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from config.api.handler import MESSAGES
from config.errors import Code

# Beside those that the handler itself says.
SENTENCES: Mapping[Code, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        Code.VALIDATION_ERROR: (MESSAGES[Code.VALIDATION_ERROR], {"team": ["This field is required."]}),
        Code.IDEMPOTENCY_KEY_REQUIRED: ("Send an Idempotency-Key header, a new one for each attempt.", {}),
        Code.SIGNATURE_INVALID: ("The signature is not the sender's.", {}),
        Code.INVALID_CREDENTIALS: ("The e-mail address or the password is wrong.", {}),
        Code.OTP_REQUIRED: (
            "This account has a second factor: send its one-time code, too.",
            {"is_set_up": True},
        ),
        Code.SIGN_IN_FAILED: ("The sign-in did not come to an end. Begin again.", {}),
        Code.REAUTHENTICATION_REQUIRED: ("Prove once more who you are.", {}),
        Code.SCOPE_MISSING: ("This API key lacks the scope picks:write.", {"scope": "picks:write"}),
        Code.EMAIL_NOT_VERIFIED: ("Confirm your e-mail address first.", {}),
        Code.NOT_ELIGIBLE: ("You have to be 18 years old.", {"minimum_age": 18}),
        Code.EXCLUDED: (
            "Excluded from new places and payments until 1 March 2027.",
            {"until": "2027-03-01T00:00:00Z"},
        ),
        Code.EMAIL_TAKEN: ("There is an account with this e-mail address already.", {}),
        Code.INVALID_TRANSITION: (
            "A request that is rejected cannot become approved.",
            {"from": "rejected", "to": "approved"},
        ),
        Code.REQUEST_LIMIT_REACHED: ("You have 3 places here already, which is the limit.", {"limit": 3}),
        Code.ENDPOINT_LIMIT_REACHED: (
            "You have 10 webhook endpoints. Remove one that is not used.",
            {"limit": 10},
        ),
        Code.KEY_LIMIT_REACHED: ("You have 10 keys already, which is the limit.", {"limit": 10}),
        Code.POOL_FULL: ("The pool is full.", {"capacity": 100}),
        Code.IDEMPOTENCY_IN_PROGRESS: ("A call with this Idempotency-Key is still running.", {"retry_after": 1}),
        Code.IDEMPOTENCY_KEY_REUSED: ("This Idempotency-Key was used with another body before.", {}),
        Code.ALREADY_PAID: ("This request is paid.", {}),
        Code.VERSION_CONFLICT: ("Somebody has changed it meanwhile. Look again.", {}),
        Code.REFERENCE_USED: ("A payment with this reference is recorded already.", {"reference": "BANK-2026-1234"}),
        Code.CHARGE_DISPUTED: ("The payment is disputed: nothing of it is given back meanwhile.", {}),
        Code.REFUND_TOO_LARGE: ("More than is left of the payment.", {"left_cents": 2500}),
        Code.REFUND_NOT_ALLOWED: ("This money cannot be given back.", {}),
        Code.WRITE_OFF_TOO_LARGE: ("More than may be written off.", {"limit_cents": 5000}),
        Code.CORRECTION_NEEDS_RULING: ("The round is settled: correct the result by a ruling.", {}),
        Code.RULING_STALE: ("What the ruling was about has changed. Propose it again.", {}),
        Code.POOL_CLOSED: ("The pool is finished.", {"status": "finished"}),
        Code.DEADLINE_PASSED: ("The pick for round 3 has locked.", {"round": 3}),
        Code.TEAM_ALREADY_USED: ("KC was picked in round 1 already.", {"team": "KC", "round": 1}),
        Code.TEAM_NOT_PLAYING: ("KC does not play in round 3.", {"team": "KC", "round": 3}),
        Code.GAME_STARTED: ("The game of KC has started.", {"team": "KC", "game": 1}),
        Code.ENTRY_NOT_ACTIVE: ("This entry is eliminated.", {"status": "eliminated"}),
        Code.ENTRY_SUSPENDED: ("This entry is suspended while its payment is disputed.", {}),
        Code.ROUND_NOT_OPEN: ("Round 12 is not open yet.", {"round": 12}),
        Code.FALLBACK_NOT_USED: ("No round to come in this pool fills in from a player's list.", {}),
        Code.BUY_BACK_NOT_ALLOWED: ("This pool has no way back in.", {"because": "off"}),
        Code.PAYMENT_NOT_DUE: ("Nothing is to be paid for this request.", {}),
        Code.SPENDING_LIMIT_REACHED: ("This would go over your own limit for the month.", {"left_cents": 1000}),
        Code.FILE_REFUSED: ("The file is no picture.", {}),
        Code.PROFILE_INCOMPLETE: ("Say the rest about you first.", {"fields": ["country", "date_of_birth"]}),
        Code.PRIZE_NOT_DUE: ("There is no prize to be paid.", {}),
        Code.TAX_FORM_MISSING: ("A tax form is needed before this prize is paid.", {}),
        Code.SECOND_NAME_NEEDED: ("Somebody else has to confirm it.", {}),
        Code.ALREADY_EXPORTED: ("Everything through 31 October 2026 was exported before.", {}),
        Code.ACCOUNT_NOT_MAPPED: ("Xero has no account for Bank (USD).", {"accounts": ["Bank (USD)"]}),
        Code.ALREADY_IMPORTED: ("This file was taken in before.", {}),
        Code.PERIOD_CLOSED: ("Months are closed one after another.", {}),
        Code.LINK_EXPIRED: ("This link is over. Make another.", {}),
        Code.ALREADY_RUNNING: ("One is at work already. Wait until it has ended.", {}),
        Code.LIMIT_PENDING: ("A higher limit waits already.", {"begins_at": "2026-09-17T00:00:00Z"}),
        Code.QUERY_TOO_COMPLEX: ("The query asks for too much at once.", {"limit": 1000}),
        Code.PERSISTED_QUERY_NOT_FOUND: ("No query is kept under this name. Send its text, too.", {}),
        Code.PROVIDER_ERROR: ("The payment provider does not answer. Try again.", {}),
        Code.RATE_LIMITED: (MESSAGES[Code.RATE_LIMITED], {"retry_after": 7}),
    }
)
META = MappingProxyType({"timestamp": "2026-09-10T00:20:00.000Z", "request_id": "0b8b8b5e-6b1c-4c43-9d3c-6a3f0e0d7b11"})


def example_of(code: Code) -> dict[str, Any]:
    """The whole answer, in the envelope."""
    message, details = SENTENCES.get(code) or (MESSAGES.get(code, str(code)), {})
    error = {"code": str(code), "message": message, "details": dict(details)}
    return {"success": False, "error": error, "meta": dict(META)}
