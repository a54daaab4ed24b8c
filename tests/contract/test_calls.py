"""Every documented call, sent to the real API, is answered as it is documented."""

import pytest

from tests.contract.calls import CALLS, PREPARED, address, send
from tests.security.matrix.knocking import taken_back
from tests.support import contract
from tests.support.truth import URLS

WHO = ("owner", "moderator", "finance", "admin", "unverified", "anonymous")
# What this one world cannot be asked, and why.
ELSEWHERE: dict[str, str] = {
    # A provider of sign-ins has to be there: tests/accounts/social.
    "beginSocialSignIn": "begins at a provider",
    "returnFromProvider": "comes back from one",
    "returnFromProviderByForm": "comes back from one",
    "createSocialToken": "wants the code that a provider's way back has brought",
    # Money moves at a provider, or has come from a bank: tests/payments.
    "allocateDiscrepancy": "wants held money with a place that waits for it",
    "approveRefund": "sends money at the provider that the payment came through",
    "createPayout": "wants a prize that is due",
    "createBankStatement": "wants a file of the bank",
    "matchBankLine": "wants payouts that come to the line's amount",
    "recordManualPayment": "wants money that was handed over after the approval",
    "refundDiscrepancy": "wants held money",
    "resyncDiscrepancy": "asks a provider about an object that it knows",
    "returnPayout": "wants a prize that was sent",
    # What only its sender can make, or only a device.
    "createRecoveryCodes": "wants a sign-in with the second factor that they are for",
    "createWebhook": "wants a signature over the body",
    "stripeWebhooks": "wants a signature over the body",
    "getDocumentFile": "wants a link of this very moment, in the address",
    "streamPoolEvents": "is answered by the process of live updates (tests/config/live)",
}


def answers(world, call):
    """What each is told, until one is told what is documented; and what of that the schema does not know."""
    told = {}
    for who in WHO:
        with taken_back():
            instead = PREPARED[call.name](world) if call.name in PREPARED else {}
            answer = send(world, call, who, instead)
            told[who] = f"{answer.status_code} {getattr(answer, 'content', b'')[:300].decode(errors='replace')}"
            if answer.status_code == call.status:
                return told, contract.faults(URLS, call.method, address(world, call), answer)
    return told, None


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ELSEWHERE])
def test_a_documented_call_is_answered_as_documented(world, double, name):
    told, faults = answers(world, CALLS[name])
    assert faults == [], told


@pytest.mark.parametrize("name", list(ELSEWHERE))
def test_what_is_left_out_really_cannot_be_asked_here(world, double, name):
    told, faults = answers(world, CALLS[name])
    assert faults is None, told
