"""The chapters of the documentation: the first part of an address, and what is found there."""

from collections.abc import Mapping
from types import MappingProxyType

TAGS: Mapping[str, str] = MappingProxyType(
    {
        "account-mappings": "Which account of the bookkeeping programs each of ours is. For finance.",
        "amendments": "Changes of a pool's rules while it is in play, each proposed by one and confirmed by another.",
        "api-keys": "Scoped keys for programs; the secret is shown once.",
        "auth": "Registration, sign-in, passwords, addresses, and sign-in by others.",
        "bank-lines": "What the bank says came and went, and what of it is known. For finance.",
        "bank-statements": "Statements handed in, CSV or CAMT.053. For finance.",
        "competitions": "Leagues in a season, with teams, rounds and games. Public.",
        "discrepancies": "Where the books and the providers differ, and what is done about it. For finance.",
        "disputes": "Payments that a player's bank takes back. For finance.",
        "documents": "Papers by a link that works once.",
        "entries": "Paid places, their picks, fallback lists, money and prizes.",
        "export-schedules": "Reports that are written again and again. For finance.",
        "exports": "Reports as files, written in the background. For finance.",
        "foreign-objects": "What lies at a provider and is not ours. For finance.",
        "games": "Results of games. For moderators.",
        "journal-batches": "Journals for bookkeeping programs. For finance.",
        "ledger": "Accounts and balances of the double-entry ledger. For finance.",
        "manual-records": "Money that came by hand, confirmed by a second name. For finance.",
        "me": "The own account: profile, identity, papers, limits, sessions, second factor.",
        "payments": "Money that players pay, and giving it back.",
        "payouts": "Prizes on their way to winners, with two names. For finance.",
        "periods": "Months that are closed. For finance.",
        "picks": "Picks of several entries in one call.",
        "pools": "Contests: rules, rounds, standings, cancelling, asking for a place.",
        "provider-payouts": "What providers send to the bank. For finance.",
        "refunds": "Money on its way back. Asked for by one, approved by another.",
        "reports": "Which reports there are. For finance.",
        "requests": "Wishes for a place: approving, rejecting, waiting, paying.",
        "rulings": "Decisions of staff with a reason and two names. For moderators.",
        "webhook-endpoints": "Addresses of yours that we tell of what happens, and the log of what was sent.",
        "webhooks": "News that payment providers bring.",
        "write-offs": "Money given up. Asked for by one, approved by another. For finance.",
    }
)
