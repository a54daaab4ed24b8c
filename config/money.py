"""Money is an integer of minor units beside an ISO 4217 code; this module is the only edge where it gets a comma.

Exponents are ISO 4217's. Splits follow the largest-remainder method, so the parts always add up to the whole.
"""

from collections.abc import Sequence
from decimal import Decimal

ZERO_DECIMAL = frozenset([
    "bif", "clp", "djf", "gnf", "isk", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "uyi", "vnd", "vuv", "xaf",
    "xof", "xpf",
])  # fmt: skip
THREE_DECIMAL = frozenset(["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"])
TWO_DECIMAL = frozenset([
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bmd", "bnd",
    "bob", "brl", "bsd", "btn", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc", "cup", "cve", "czk",
    "dkk", "dop", "dzd", "egp", "ern", "etb", "eur", "fjd", "fkp", "gbp", "gel", "ghs", "gip", "gmd", "gtq", "gyd",
    "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "irr", "jmd", "kes", "kgs", "khr", "kpw", "kyd", "kzt", "lak",
    "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mru", "mur", "mvr", "mwk", "mxn", "myr",
    "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd",
    "rub", "sar", "sbd", "scr", "sdg", "sek", "sgd", "shp", "sle", "sos", "srd", "ssp", "stn", "svc", "syp", "szl",
    "thb", "tjs", "tmt", "top", "try", "ttd", "twd", "tzs", "uah", "usd", "uyu", "uzs", "ves", "wst", "xcd", "yer",
    "zar", "zmw",
])  # fmt: skip
CURRENCIES = ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL

# What card processors take at least, in minor units, as Stripe lists it. Of others nothing is known: see below.
SMALLEST_CHARGES = {
    "usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "chf": 50, "dkk": 250, "nok": 300, "sek": 300, "jpy": 50,
    "mxn": 1000, "nzd": 50, "pln": 200, "sgd": 50, "hkd": 400, "brl": 50, "inr": 50, "czk": 1500, "huf": 17500,
    "ron": 200, "bgn": 100, "aed": 200, "thb": 1000, "myr": 200,
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimal places the currency has: 0, 2 or 3."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def in_minor_units(hundredths: int, currency: str) -> int:
    """What a setting names for every currency alike, in hundredths of a unit: 5000 is 50.00 USD, and 50 JPY."""
    unit: int = 10 ** exponent(currency)
    return hundredths * unit // 100


def smallest_charge(currency: str) -> int:
    """The least that can be charged, in minor units: half a unit, or 50 where there is nothing smaller."""
    return SMALLEST_CHARGES.get(currency.lower(), 500 if exponent(currency) == 3 else 50)


def charge_fault(minor: int, currency: str) -> str:
    """Why this price cannot be charged, as a sentence; empty where it can. 0 is free, and charged nowhere."""
    least = smallest_charge(currency)
    if 0 < minor < least:
        return f"Must be 0, or at least {least} ({format_amount(least, currency)}): less cannot be charged."
    if exponent(currency) == 3 and minor % 10:
        return f"Must end in 0: {currency.upper()} is charged in hundredths."
    return ""


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a fixed decimal of major units, exactly."""
    return Decimal(minor).scaleb(-exponent(currency))


def format_amount(minor: int, currency: str) -> str:
    """`5000, usd` → `50.00 USD`."""
    return f"{to_decimal(minor, currency):,.{exponent(currency)}f} {currency.upper()}"


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights`; left-over units go to the largest remainders, earliest first.

    Refuses a negative total, negative weights and weights that add up to nothing.
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("A split needs a total of 0 or more and weights that add up to more than 0.")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
