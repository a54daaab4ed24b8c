"""CAMT.053 as statements, through pycamt. What touches amounts is made unambiguous before the library reads it.

A file from outside is data: no document type, no entities, nothing fetched, nothing larger than `LARGEST_FILE`.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree
from pycamt.parser import Camt053ParseError, Camt053Parser

from payments.bank.read import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    LONGEST_TEXT,
    LONGEST_TRACE,
    MOST_LINES,
    ReadLine,
    ReadStatement,
    minor_units,
    plain,
    unreadable,
)

BOOKED = "BOOK"
# What stands there where the payer gave no name to the payment.
NOT_PROVIDED = "NOTPROVIDED"
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_SAID = ("RemittanceInformationFull", "RemittanceInformation", "AdditionalRemittanceInformation")


def read_camt(content: bytes) -> list[ReadStatement]:
    """Every statement of the file, its booked lines in order. Entries that are only announced are left out.

    Refuses what is no CAMT.053, entries without amount, day or direction, and another currency than the account's.
    """
    _check_safe(content)
    try:
        parser = Camt053Parser(content)
    except etree.XMLSyntaxError:
        raise unreadable("It is no whole XML file.") from None
    space = etree.QName(parser.tree).namespace or ""
    if "camt.053" not in space:
        raise unreadable("It is no statement of account: a CAMT.053 file is needed.")
    found = [_Statement(element, parser).read() for element in parser.tree.iter(f"{{{space}}}Stmt")]
    if not found:
        raise unreadable("There is no statement in it.")
    return found


def _check_safe(content: bytes) -> None:
    """Nothing of it is resolved, expanded or fetched; a document type is no part of CAMT, and refused."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        raise unreadable("It is no whole XML file.") from None
    if root.getroottree().docinfo.internalDTD is not None or any(
        isinstance(node, etree._Entity) for node in root.iter(etree.Entity)
    ):
        raise unreadable("It brings a document type or entities, which no bank sends.")


class _Statement:
    """One `Stmt`: its account, its balances, its entries."""

    def __init__(self, element: Any, parser: Camt053Parser) -> None:
        self.element, self.parser, self.spaces = element, parser, parser.namespaces
        self.number = self._text("Acct/Id/IBAN") or self._text("Acct/Id/Othr/Id")
        self.currency = (
            self._text("Acct/Ccy") or self._currency_of("Bal/Amt") or self._currency_of("Ntry/Amt")
        ).lower()
        if len(self.currency) != 3:
            raise unreadable("A statement says no currency.")

    def read(self) -> ReadStatement:
        lines = tuple(self._lines())
        opening, opened_on = self._balance(OPENING)
        closing, closed_on = self._balance(CLOSING)
        if opening is not None and closing is not None and opening + sum(x.amount_cents for x in lines) != closing:
            raise unreadable(f"The lines of statement {self._name()} do not lead from its opening to its closing.")
        days = [line.booked_on for line in lines]
        first = self._day_at("FrToDt/FrDtTm") or (min(days) if days else opened_on)
        last = self._day_at("FrToDt/ToDtTm") or closed_on or (max(days) if days else first)
        if first is None or last is None:
            raise unreadable(f"Statement {self._name()} says no day.")
        return ReadStatement(
            lines=lines,
            first_on=min(first, last, *days),
            last_on=max(last, *days) if days else last,
            reference=plain(self._text("Id"), LONGEST_REFERENCE),
            number=self.number.replace(" ", ""),
            currency=self.currency,
            opening_cents=opening,
            closing_cents=closing,
        )

    def _lines(self) -> Iterator[ReadLine]:
        entries = self.element.findall("Ntry", self.spaces)
        if len(entries) > MOST_LINES:
            raise unreadable(f"There are more than {MOST_LINES} lines: ask the bank for a shorter time.")
        for number, entry in enumerate(entries, 1):
            line = self._line(entry, number)
            if line is not None:
                yield line

    def _line(self, entry: Any, number: int) -> ReadLine | None:
        """One entry, however many payments the bank has put into it: that is what the account shows."""
        where = f"Entry {number} of statement {self._name()}"
        details = self._read_by_library(entry, where)
        common = details[0]
        if common.get("Status") != BOOKED:
            return None
        direction = common.get("CreditDebitIndicator")
        if common.get("Currency", "").lower() != self.currency or direction not in ("CRDT", "DBIT"):
            raise unreadable(f"{where} has no direction, or another currency than its account.")
        # The indicator says which way this entry went, also where it takes back another.
        cents = minor_units(_decimal(common.get("Amount"), where), self.currency, where)
        booked_on = _day(common.get("BookingDate"), where)
        if cents == 0:
            return None
        return ReadLine(
            booked_on=booked_on,
            value_on=_day(common["ValueDate"], where) if common.get("ValueDate") else None,
            amount_cents=cents if direction == "CRDT" else -cents,
            reference=plain(common.get("TransactionID"), LONGEST_REFERENCE),
            text=plain(" ".join(_words(details)), LONGEST_TEXT),
            counterparty=plain(common.get("DebtorName" if direction == "CRDT" else "CreditorName"), LONGEST_NAME),
            trace_id=plain(_trace(details), LONGEST_TRACE),
        )

    def _read_by_library(self, entry: Any, where: str) -> list[dict[str, Any]]:
        """The entry alone, as a document of its own: the library puts all entries and their details into one list.

        Amounts and directions within details are left out: they may be of another currency, and of a part only.
        """
        alone = deepcopy(entry)
        for details in alone.iter(f"{{{etree.QName(entry).namespace}}}TxDtls"):
            for name in ("Amt", "AmtDtls", "CdtDbtInd", "Chrgs"):
                for found in details.findall(f".//{name}", self.spaces):
                    found.getparent().remove(found)
        tree = etree.Element(self.parser.tree.tag, nsmap=self.parser.tree.nsmap)
        etree.SubElement(tree, etree.QName(self.element).text).append(alone)
        try:
            return list(Camt053Parser(etree.tostring(tree)).get_transactions())
        except (Camt053ParseError, AttributeError):
            raise unreadable(f"{where} cannot be read.") from None

    def _balance(self, kinds: tuple[str, ...]) -> tuple[int | None, date | None]:
        """The first balance of one of these kinds, which are in order; what is owed to the bank is below nothing."""
        for kind in kinds:
            for found in self.element.findall("Bal", self.spaces):
                if found.findtext("Tp/CdOrPrtry/Cd", namespaces=self.spaces) != kind:
                    continue
                where = f"Balance {kind} of statement {self._name()}"
                amount = _decimal(found.findtext("Amt", namespaces=self.spaces), where)
                cents = minor_units(amount, self.currency, where)
                is_owed = found.findtext("CdtDbtInd", namespaces=self.spaces) == "DBIT"
                day = found.findtext("Dt/Dt", namespaces=self.spaces) or found.findtext(
                    "Dt/DtTm", namespaces=self.spaces
                )
                return (-cents if is_owed else cents), (_day(day, where) if day else None)
        return None, None

    def _name(self) -> str:
        return plain(self._text("Id"), LONGEST_REFERENCE) or "without a name"

    def _text(self, path: str) -> str:
        return str(self.element.findtext(path, namespaces=self.spaces) or "").strip()

    def _currency_of(self, path: str) -> str:
        found = self.element.find(path, self.spaces)
        return "" if found is None else str(found.get("Ccy") or "")

    def _day_at(self, path: str) -> date | None:
        written = self._text(path)
        return _day(written, f"Statement {self._name()}") if written else None


def _words(details: list[dict[str, Any]]) -> list[str]:
    """What the payers wrote, each thing once, and what the bank added."""
    said = [str(one[name]) for one in details for name in _SAID if one.get(name)]
    added = details[0].get("AdditionalEntryInformation")
    return list(dict.fromkeys([*said, *([str(added)] if added else [])]))


def _trace(details: list[dict[str, Any]]) -> str:
    """The payer's name of the payment, where the entry is of one payment."""
    names = {str(one["EndToEndId"]) for one in details if one.get("EndToEndId") not in (None, "", NOT_PROVIDED)}
    return names.pop() if len(names) == 1 else ""


def _decimal(written: object, where: str) -> Decimal:
    try:
        amount = Decimal(str(written).strip())
    except InvalidOperation:
        raise unreadable(f"{where} has no amount.") from None
    if not amount.is_finite() or amount < 0:
        raise unreadable(f"{where} has no amount that a bank writes.")
    return amount


def _day(written: object, where: str) -> date:
    try:
        return date.fromisoformat(str(written)[:10])
    except ValueError:
        raise unreadable(f"{where} has no day.") from None
