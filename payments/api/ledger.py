"""The books, for finance: the trial balance as of any instant, and the statement of any account."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, read_cursor, write_cursor
from config.api.views import ApiView
from config.errors import Code, invalid
from payments.ledger.accounts import Kind
from payments.ledger.balances import Detail, TrialBalance, TrialRow, trial_balance
from payments.ledger.models import Account
from payments.ledger.statements import Position, StatementLine, account_statement

DETAILS = {detail.name.lower(): detail for detail in Detail}


class TrialQuery(serializers.Serializer[None]):
    """Which books, as of when, and how finely."""

    as_of = serializers.DateTimeField(required=False, help_text="An instant; without it, as the books are.")
    livemode = serializers.BooleanField(required=False, default=False, help_text="Real money, or that of tests.")
    detail = serializers.ChoiceField(list(DETAILS), required=False, default="kind")


class TrialRowOut(serializers.Serializer[TrialRow]):
    """One kind of account, or one of it; null where several are counted together."""

    currency = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    account = serializers.IntegerField(source="account_id", allow_null=True)
    pool = serializers.IntegerField(source="pool_id", allow_null=True)
    player = serializers.IntegerField(source="player_id", allow_null=True)
    provider = serializers.CharField(help_text="Empty where it is of none, or of several.")
    debit_cents = serializers.IntegerField(source="debit")
    credit_cents = serializers.IntegerField(source="credit")
    balance_cents = serializers.IntegerField(source="balance", help_text="Debits are positive.")


class ProofOut(serializers.Serializer[Any]):
    """Debits less credits of a currency: nothing, in right books."""

    currency = serializers.CharField()
    difference_cents = serializers.IntegerField()


class TrialOut(serializers.Serializer[TrialBalance]):
    """The books up to one entry of the journal."""

    as_of = serializers.DateTimeField(allow_null=True)
    through_entry = serializers.IntegerField(allow_null=True, help_text="The last entry counted; null for all.")
    livemode = serializers.BooleanField()
    rows = TrialRowOut(many=True)
    proof = serializers.SerializerMethodField()

    def get_proof(self, found: TrialBalance) -> list[dict[str, Any]]:
        """Per currency."""
        lines = [{"currency": code, "difference_cents": rest} for code, rest in found.proof.items()]
        return [dict(line) for line in ProofOut(lines, many=True).data]


class StatementQuery(serializers.Serializer[None]):
    """Which part of the account's life."""

    since = serializers.DateTimeField(required=False, help_text="Included.")
    until = serializers.DateTimeField(required=False, help_text="Not included.")
    limit = serializers.IntegerField(required=False, default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    cursor = serializers.CharField(required=False, help_text="Continue: `next_cursor` of the answer before.")


class StatementLineOut(serializers.Serializer[StatementLine]):
    """One line; debits are positive."""

    entry = serializers.IntegerField(source="entry_id")
    posted_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField()
    finance_date = serializers.DateField()
    booked_for = serializers.SerializerMethodField()
    event = serializers.CharField()
    amount_cents = serializers.IntegerField(source="amount")
    balance_cents = serializers.IntegerField(source="balance")

    def get_booked_for(self, line: StatementLine) -> str:
        """What it was booked for."""
        return f"{line.source_type}:{line.source_id}"


class AccountOut(serializers.ModelSerializer[Account]):
    """One account of the chart."""

    pool = serializers.IntegerField(source="pool_id", allow_null=True)
    player = serializers.IntegerField(source="player_id", allow_null=True)
    currency = serializers.CharField(source="currency_id")

    class Meta:
        model = Account
        fields = ["id", "kind", "currency", "livemode", "pool", "player", "provider"]
        read_only_fields = fields


class StatementOut(serializers.Serializer[Any]):
    """`opening_cents` and all lines of the period come to `closing_cents`; `carried_cents` is before this page."""

    account = AccountOut()
    opening_cents = serializers.IntegerField(source="statement.opening")
    carried_cents = serializers.IntegerField(source="statement.carried")
    closing_cents = serializers.IntegerField(source="statement.closing")
    lines = StatementLineOut(many=True, source="statement.lines")
    next_cursor = serializers.CharField(allow_null=True)


class TrialBalanceView(ApiView):
    """The proof that the books are right."""

    family = "finance"
    permission_classes = [IsFinance]

    @operation(query=TrialQuery, answer=TrialOut, summary="Trial balance")
    def get(self, request: Call) -> Response:
        """Debits and credits of every kind of account, per currency, up to the last entry posted by `as_of`.

        Asking again for the same past instant answers the same.
        """
        wanted = self.valid_query()
        found = trial_balance(as_of=wanted.get("as_of"), livemode=wanted["livemode"], detail=DETAILS[wanted["detail"]])
        return Response(TrialOut(found).data)


class StatementView(ApiView):
    """One account, line by line."""

    family = "finance"
    permission_classes = [IsFinance]
    has_path_parameters = True

    @operation(query=StatementQuery, answer=StatementOut, errors=(Code.NOT_FOUND,), summary="Statement of an account")
    def get(self, request: Call, pk: str) -> Response:
        """Opening balance, lines in the order in which they were posted, closing balance."""
        wanted = self.valid_query()
        since, until = wanted.get("since"), wanted.get("until")
        if since and until and since > until:
            raise invalid("until", "This is before `since`.")
        account = get_object_or_404(Account, pk=int(pk))
        cursor = wanted.get("cursor")
        after = Position(*read_cursor(request, cursor, length=2)) if cursor else None
        found = account_statement(account_id=account.pk, since=since, until=until, after=after, limit=wanted["limit"])
        next_cursor = write_cursor(request, found.next) if found.next else None
        shown = {"account": account, "statement": found, "next_cursor": next_cursor}
        return Response(StatementOut(shown).data)
