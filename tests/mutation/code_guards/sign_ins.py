"""Guards of the ways in that no constraint holds: sign-ins through a provider, and keys of services."""

from tests.mutation.code_guards.mutation import without

WAY = "accounts.services.sign_in_attempts"
LOGINS = "accounts.services.logins"
SOCIAL, KEYS = "accounts/social", "accounts/keys"

SIGN_INS = [
    without(
        "way-back-of-this-browser",
        "Only the browser that left for a provider comes back from it.",
        WAY,
        "if attempt is None or not constant_time_compare(attempt.browser_digest, _digest(browser)):",
        "if attempt is None:",
        tests=f"{SOCIAL}/test_the_way.py::test_another_browser_does_not_come_back_with_it",
    ),
    without(
        "way-back-to-ours",
        "Nobody is sent back to an address that is not in the settings.",
        WAY,
        "if return_to not in settings.SIGN_IN_RETURNS:",
        "if False:",
        tests=f"{SOCIAL}/test_the_way.py::test_nobody_is_sent_to_an_address_that_is_not_ours",
    ),
    without(
        "token-of-this-sign-in",
        "An ID token of another sign-in opens nothing.",
        "accounts.oidc.protocol",
        'if not constant_time_compare(str(claims["nonce"]), nonce):',
        "if False:",
        tests=f"{SOCIAL}/test_the_way.py::test_a_token_that_does_not_hold_opens_nothing",
    ),
    without(
        "code-with-its-verifier",
        "A code of ours is good with the verifier of the client that began.",
        WAY,
        "if attempt is None or not constant_time_compare(attempt.challenge, _challenge(verifier)):",
        "if attempt is None:",
        tests=f"{SOCIAL}/test_signing_in.py::test_our_code_is_worth_nothing_without_the_clients_verifier",
    ),
    without(
        "address-proved-there",
        "An address that the provider does not vouch for makes no account.",
        LOGINS,
        "if not identity.email or not identity.email_verified:",
        "if not identity.email:",
        tests=f"{SOCIAL}/test_signing_in.py::test_it_makes_no_account_either",
    ),
    without(
        "only-way-in-stays",
        "Nobody takes their only way in away.",
        LOGINS,
        "if not user.has_usable_password() and not others.exists():",
        "if False:",
        tests=f"{SOCIAL}/test_signing_in.py::TestOwnLogins::test_the_only_way_in_stays",
    ),
    without(
        "secret-of-a-key",
        "The prefix of a key, which is no secret, opens nothing.",
        "accounts.services.api_keys",
        "if key is None or not constant_time_compare(key.digest, _digest(text)):",
        "if key is None:",
        tests=f"{KEYS}/test_calling.py::test_what_is_no_key_of_ours_opens_nothing",
    ),
    without(
        "scope-of-a-key",
        "A key does what is written on it.",
        "config.api.scopes",
        "if needed not in granted:",
        "if False:",
        tests=f"{KEYS}/test_calling.py::test_what_it_may_not_do_is_named",
    ),
    without(
        "no-key-for-fresh-things",
        "What needs a fresh sign-in, or moves money, is closed to keys.",
        "config.api.scopes",
        "if declared.fresh or declared.moves_money:",
        "if False:",
        tests=f"{KEYS}/test_scopes.py::test_money_and_fresh_sign_ins_are_closed_to_keys",
    ),
    without(
        "forty-keys",
        "Rotating leaves no heap of good keys.",
        "accounts.services.api_keys",
        "if ApiKey.objects.good().filter(user=user).count() >= MOST_GOOD:",
        "if False:",
        tests=f"{KEYS}/test_rotating.py::test_rotating_leaves_no_heap_of_good_keys",
    ),
]
