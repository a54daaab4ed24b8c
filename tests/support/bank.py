"""Files as banks make them."""

from xml.sax.saxutils import escape

from payments.reconciliation.sums import sums_of_ours

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
IBAN = "DE02120300000000202051"


def entry(
    amount, *, day="2026-11-03", currency="USD", reference="", status="BOOK", details=(), value_day="", extra="",
    new_status=False, text="",
):  # fmt: skip
    """One `Ntry`; amounts are decimals as text, a minus is a debit."""
    indicator = "DBIT" if amount.startswith("-") else "CRDT"
    said = f"<Sts><Cd>{status}</Cd></Sts>" if new_status else f"<Sts>{status}</Sts>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{indicator}</CdtDbtInd>{extra}{said}'
        f"<BookgDt><Dt>{day}</Dt></BookgDt>"
        + (f"<ValDt><Dt>{value_day}</Dt></ValDt>" if value_day else "")
        + (f"<AcctSvcrRef>{escape(reference)}</AcctSvcrRef>" if reference else "")
        + "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        + (f"<NtryDtls>{''.join(details)}</NtryDtls>" if details else "")
        + (f"<AddtlNtryInf>{escape(text)}</AddtlNtryInf>" if text else "")
        + "</Ntry>"
    )


def detail(*, trace="", payer="", text="", amount="", currency="USD"):
    """One `TxDtls`."""
    return (
        "<TxDtls>"
        + (f"<Refs><EndToEndId>{escape(trace)}</EndToEndId></Refs>" if trace else "")
        + (f'<AmtDtls><InstdAmt><Amt Ccy="{currency}">{amount}</Amt></InstdAmt></AmtDtls>' if amount else "")
        + (f"<RltdPties><Dbtr><Nm>{escape(payer)}</Nm></Dbtr></RltdPties>" if payer else "")
        + (f"<RmtInf><Ustrd>{escape(text)}</Ustrd></RmtInf>" if text else "")
        + "</TxDtls>"
    )


def balance(kind, amount, day="2026-11-03", currency="USD"):
    """One `Bal`."""
    indicator = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{indicator}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def statement(*entries, opening="100.00", closing="148.25", name="S-1", iban=IBAN, currency="USD", days=None):
    """One `Stmt`."""
    opened, closed = days or ("2026-11-03", "2026-11-03")
    return (
        f"<Stmt><Id>{escape(name)}</Id><CreDtTm>2026-11-04T06:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        + (balance("OPBD", opening, opened, currency) if opening is not None else "")
        + (balance("CLBD", closing, closed, currency) if closing is not None else "")
        + "".join(entries)
        + "</Stmt>"
    )


def camt(*statements, version="08", before=""):
    """A file."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<Document xmlns="{SPACE.format(version=version)}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-04T06:00:00</CreDtTm></GrpHdr>"
        f"{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


def csv_of(*rows):
    """A CSV file with balances: (day, text, cents, balance)."""
    lines = [f"{day},{text},{cents / 100:.2f},{after / 100:.2f}" for day, text, cents, after in rows]
    return "\r\n".join(["Date,Text,Amount,Balance", *lines, ""]).encode()


LAYOUT = {"date": "Date", "amount": "Amount", "text": ["Text"], "balance": "Balance"}


def in_hand():
    """Money by hand, in the books and as it was signed for."""
    return [(one.ours, one.theirs, one.agrees) for one in sums_of_ours() if one.name == "in_hand"]
