"""Currencies as Stripe counts them: exponents, smallest amounts, fees, and how an amount is shown.

The fee of a charge is 2.9 % rounded half up to a whole minor unit, plus a fixed part: 30 minor units in two-decimal
currencies (30 cents for usd), 300 in three-decimal ones, 30 in those without decimals. A refund gives no fee back. A
dispute costs 1500 minor units, 15000 in three-decimal currencies.
"""

_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"
_TWO = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve
czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt
lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln
qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd
yer zar zmw
"""
ZERO_DECIMAL = frozenset(_ZERO.split())
THREE_DECIMAL = frozenset(_THREE.split())
TWO_DECIMAL = frozenset(_TWO.split())
SUPPORTED = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL

# Smallest charge; where Stripe lists none of its own, the double asks for one minor unit.
MINIMUMS = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
MAXIMUM = 99_999_999

SYMBOLS = {
    "usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$", "nzd": "NZ$", "hkd": "HK$", "mxn": "MX$",
    "brl": "R$", "inr": "₹", "krw": "₩", "vnd": "₫", "ils": "₪", "php": "₱", "ngn": "₦", "uah": "₴", "try": "₺",
}  # fmt: skip

FEE_PER_MILLE = 29
FIXED_FEES = {0: 30, 2: 30, 3: 300}
DEBIT_FEE_PER_MILLE, LARGEST_DEBIT_FEE = 8, 500
DISPUTE_FEES = {0: 1500, 2: 1500, 3: 15_000}


def exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def format_amount(amount: int, currency: str) -> str:
    """`5000, "usd"` → `$50.00`; a currency without a common sign keeps its code: `KWD 12.340`."""
    digits = exponent(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    figure = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    sign = "-" if amount < 0 else ""
    return f"{sign}{SYMBOLS.get(currency) or currency.upper() + ' '}{figure}"


def smallest_amount(currency: str) -> int:
    return MINIMUMS.get(currency, 1)


def is_whole(amount: int, currency: str) -> bool:
    """Stripe wants the last digit of three-decimal amounts to be 0, and whole króna and shillings for isk and ugx."""
    if currency in THREE_DECIMAL:
        return amount % 10 == 0
    return amount % 100 == 0 if currency in ("isk", "ugx") else True


def charge_fee(amount: int, currency: str) -> int:
    return (amount * FEE_PER_MILLE + 500) // 1000 + FIXED_FEES[exponent(currency)]


def debit_fee(amount: int) -> int:
    """Of a bank debit: 0.8 %, rounded half up, at most 500."""
    return min((amount * DEBIT_FEE_PER_MILLE + 500) // 1000, LARGEST_DEBIT_FEE)


def dispute_fee(currency: str) -> int:
    """15 of the usual unit, 1500 yen: what a dispute costs, whoever wins it."""
    return DISPUTE_FEES[exponent(currency)]
