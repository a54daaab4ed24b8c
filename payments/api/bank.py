"""Banks for finance: statements are taken in, their lines are looked at, and somebody says what the others are."""

import base64
from typing import Any

from django.db.models import Count, Q, QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.parsers import StrictJSONParser
from config.api.ratelimit import STAFF
from config.api.views import ReadOnlyViewSet
from config.errors import Code, invalid
from config.reasons import LONGEST_REASON
from payments.api.serializers import LARGEST_ID
from payments.bank.deciding import MOST_TARGETS, Choice, match_by_hand, undo_match
from payments.bank.importing import Given, import_file
from payments.bank.read import LARGEST_AMOUNT
from payments.models import BankLine, BankLineState, BankMatch, BankStatement, MatchKind
from payments.models.bank import LARGEST_FILE

# The file, also where it is written in base64, and the words around it.
LONGEST_FORM = LARGEST_FILE * 4 // 3 + 64 * 1024
LINE_REFUSALS = (Code.NOT_FOUND, Code.INVALID_TRANSITION, Code.VERSION_CONFLICT)


class BankStatementOut(serializers.ModelSerializer[BankStatement]):
    """One statement of one account; `waiting_count` of its lines nobody knows yet."""

    account = serializers.IntegerField(source="account_id", read_only=True)
    account_name = serializers.CharField(source="account.name", read_only=True)
    currency = serializers.CharField(source="account.currency", read_only=True)
    livemode = serializers.BooleanField(source="account.livemode", read_only=True)
    format = serializers.CharField(source="file.format", read_only=True)
    sha256 = serializers.CharField(source="file.sha256", read_only=True, help_text="Of the file that it came in.")
    waiting_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = BankStatement
        fields = [
            "id", "account", "account_name", "currency", "livemode", "reference", "first_on", "last_on",
            "opening_cents", "closing_cents", "is_stated", "line_count", "waiting_count", "format", "sha256",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class _Given(serializers.Serializer[Any]):
    """What a file does not say itself."""

    account = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="A CSV file does not say whose it is."
    )
    opening_cents = serializers.IntegerField(min_value=-LARGEST_AMOUNT, max_value=LARGEST_AMOUNT, required=False)
    closing_cents = serializers.IntegerField(min_value=-LARGEST_AMOUNT, max_value=LARGEST_AMOUNT, required=False)


class BankImportForm(_Given):
    """A file of the bank, CSV or CAMT.053."""

    file = serializers.FileField(max_length=255, allow_empty_file=True)


class BankImportBody(_Given):
    """The same for programs that send no forms."""

    name = serializers.CharField(max_length=255)
    content_base64 = serializers.CharField(max_length=LARGEST_FILE * 4 // 3 + 4, trim_whitespace=False)


class BankImportedOut(serializers.Serializer[Any]):
    """What was taken in."""

    statements = BankStatementOut(many=True)
    new_lines = serializers.IntegerField(source="new")
    known_lines = serializers.IntegerField(source="known", help_text="Were here already.")
    matched_lines = serializers.IntegerField(source="matched", help_text="Of the new ones: it is known what they are.")


class BankMatchOut(serializers.ModelSerializer[BankMatch]):
    """What a line, or a part of it, is."""

    provider_payout = serializers.IntegerField(source="payout_id", read_only=True, allow_null=True)
    manual_record = serializers.IntegerField(source="record_id", read_only=True, allow_null=True)
    made_by = serializers.IntegerField(source="made_by_id", read_only=True, allow_null=True)

    class Meta:
        model = BankMatch
        fields = [
            "id", "kind", "amount_cents", "provider_payout", "manual_record", "found_by", "reason", "made_by",
            "made_at",
        ]  # fmt: skip
        read_only_fields = fields


class BankLineOut(serializers.ModelSerializer[BankLine]):
    """Money that came into an account or (negative) left it, and what it is."""

    account = serializers.IntegerField(source="account_id", read_only=True)
    statement = serializers.IntegerField(source="statement_id", read_only=True)
    matches = serializers.SerializerMethodField()

    class Meta:
        model = BankLine
        fields = [
            "id", "account", "statement", "reference", "booked_on", "value_on", "amount_cents", "currency", "text",
            "counterparty", "trace_id", "status", "matches",
        ]  # fmt: skip
        read_only_fields = fields

    def get_matches(self, line: BankLine) -> list[dict[str, Any]]:
        """Those that stand; what was taken back is not among them."""
        standing = [match for match in line.matches.all() if match.undone_at is None]
        return [dict(one) for one in BankMatchOut(standing, many=True).data]


class BankStatementFilter(serializers.Serializer[Any]):
    """Which statements to list."""

    account = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class BankLineFilter(serializers.Serializer[Any]):
    """Which lines to list."""

    status = serializers.ChoiceField(BankLineState.choices, required=False)
    account = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    statement = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


def _ids() -> serializers.ListField:
    one = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    return serializers.ListField(child=one, max_length=MOST_TARGETS, required=False, default=list)


class BankMatchBody(serializers.Serializer[Any]):
    """What the line is: it comes to all that is named, and the rest to one thing."""

    provider_payouts = _ids()
    manual_records = _ids()
    rest = serializers.ChoiceField([MatchKind.BANK_FEE, MatchKind.NOT_OURS], required=False, allow_null=True)
    reason = serializers.CharField(max_length=LONGEST_REASON)


class UndoMatchBody(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class BankStatementViewSet(ReadOnlyViewSet):
    """Statements."""

    family = "finance"
    queryset = BankStatement.objects.all()
    serializer_class = BankStatementOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]
    parser_classes = (StrictJSONParser, MultiPartParser)
    form_limit = LONGEST_FORM

    def get_queryset(self) -> QuerySet[BankStatement]:
        """With their accounts, never with their files."""
        waiting = Count("lines", filter=Q(lines__status=BankLineState.WAITING))
        rows = BankStatement.objects.select_related("account", "file").defer("file__content")
        return rows.annotate(waiting_count=waiting)

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = self.valid_query()
        return queryset.filter(account_id=wanted["account"]) if "account" in wanted else queryset

    @operation(query=BankStatementFilter, summary="List bank statements")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a bank statement")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One statement; its lines are `GET /bank-lines?statement=`."""
        return super().retrieve(request, pk)

    @operation(
        body=BankImportBody, form=BankImportForm, answer=BankImportedOut, status=201, is_located=True,
        errors=(Code.NOT_FOUND, Code.ALREADY_IMPORTED, Code.PAYLOAD_TOO_LARGE), limits=(STAFF,),
        summary="Take in a bank statement",
    )  # fmt: skip
    def create(self, request: Call) -> Response:
        """Take in a file of 10 MB at most, as a whole or not at all, and find out what its lines are."""
        body = self.valid_body()
        content, name = _content(body)
        given = Given(body.get("account"), body.get("opening_cents"), body.get("closing_cents"))
        imported = import_file(content=content, name=name, given=given, by=caller(request))
        rows = self.get_queryset().filter(pk__in=[one.pk for one in imported.statements]).order_by("pk")
        shown = {"statements": rows, "new": imported.new, "known": imported.known, "matched": imported.matched}
        return Response(
            BankImportedOut(shown).data,
            status=201,
            headers={"Location": f"/api/v1/bank-statements/{imported.statements[0].pk}"},
        )


def _content(body: dict[str, Any]) -> tuple[bytes, str]:
    """The bytes of the file and its name, however they were sent."""
    if "file" in body:
        return body["file"].read(LARGEST_FILE + 1), body["file"].name or ""
    try:
        return base64.b64decode(body["content_base64"], validate=True), body["name"]
    except ValueError:
        raise invalid("content_base64", "This is not base64.") from None


class BankLineViewSet(ReadOnlyViewSet):
    """Lines of statements."""

    family = "finance"
    queryset = BankLine.objects.prefetch_related("matches")
    serializer_class = BankLineOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        names = {"status": "status", "account": "account_id", "statement": "statement_id"}
        return queryset.filter(**{names[key]: value for key, value in self.valid_query().items()})

    @operation(query=BankLineFilter, summary="List lines of bank statements")
    def list(self, request: Call) -> Response:
        """Those taken in last come first."""
        return super().list(request)

    @operation(summary="Show a line of a bank statement")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One line."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=BankMatchBody, answer=BankLineOut, status=200, errors=LINE_REFUSALS, limits=(STAFF,), moves_money=True,
        summary="Say what a line is", fresh=True,
    )  # fmt: skip
    def match(self, request: Call, pk: str) -> Response:
        """Book a line that waits as what it is. What is named has to come to exactly its amount."""
        line, body = self.get_object(), self.valid_body()
        choice = Choice(
            payout_ids=tuple(body["provider_payouts"]),
            record_ids=tuple(body["manual_records"]),
            rest=MatchKind(body["rest"]) if body.get("rest") else None,
        )
        match_by_hand(line_id=line.pk, choice=choice, by=caller(request), reason=body["reason"])
        return self._shown(line.pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=UndoMatchBody, answer=BankLineOut, status=200, errors=LINE_REFUSALS, limits=(STAFF,), moves_money=True,
        summary="Take back what a line was said to be", fresh=True,
    )  # fmt: skip
    def undo(self, request: Call, pk: str) -> Response:
        """Reverse what was booked for the line; it waits again."""
        line = self.get_object()
        undo_match(line_id=line.pk, by=caller(request), reason=self.valid_body()["reason"])
        return self._shown(line.pk)

    def _shown(self, pk: int) -> Response:
        return Response(BankLineOut(self.get_queryset().get(pk=pk)).data)
