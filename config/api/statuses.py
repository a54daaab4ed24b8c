"""Which HTTP status each family and each code of `config.errors` has. The only place that says so."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from config.errors import (
    Code,
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Malformed,
    NotFound,
    ProviderFailed,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)

STATUS_OF_FAMILY: Mapping[type, int] = MappingProxyType(
    {
        Malformed: 400,
        Unauthenticated: 401,
        Forbidden: 403,
        NotFound: 404,
        Conflict: 409,
        Gone: 410,
        Refused: 422,
        TooMany: 429,
        ProviderFailed: 502,
        Unavailable: 503,
    }
)

CODES_OF_STATUS = MappingProxyType(
    {
        400: (
            Code.VALIDATION_ERROR,
            Code.PARSE_ERROR,
            Code.IDEMPOTENCY_KEY_REQUIRED,
            Code.SIGNATURE_INVALID,
            Code.QUERY_TOO_COMPLEX,
        ),
        401: (
            Code.NOT_AUTHENTICATED,
            Code.TOKEN_INVALID,
            Code.INVALID_CREDENTIALS,
            Code.OTP_REQUIRED,
            Code.SIGN_IN_FAILED,
        ),
        403: (
            Code.FORBIDDEN,
            Code.REAUTHENTICATION_REQUIRED,
            Code.SCOPE_MISSING,
            Code.EMAIL_NOT_VERIFIED,
            Code.NOT_ELIGIBLE,
            Code.EXCLUDED,
        ),
        404: (Code.NOT_FOUND, Code.PERSISTED_QUERY_NOT_FOUND),
        405: (Code.METHOD_NOT_ALLOWED,),
        406: (Code.NOT_ACCEPTABLE,),
        409: (
            Code.EMAIL_TAKEN,
            Code.INVALID_TRANSITION,
            Code.REQUEST_LIMIT_REACHED,
            Code.KEY_LIMIT_REACHED,
            Code.ENDPOINT_LIMIT_REACHED,
            Code.POOL_FULL,
            Code.IDEMPOTENCY_IN_PROGRESS,
            Code.ALREADY_PAID,
            Code.VERSION_CONFLICT,
            Code.REFERENCE_USED,
            Code.CHARGE_DISPUTED,
            Code.REFUND_TOO_LARGE,
            Code.WRITE_OFF_TOO_LARGE,
            Code.CORRECTION_NEEDS_RULING,
            Code.RULING_STALE,
            Code.PRIZE_NOT_DUE,
            Code.TAX_FORM_MISSING,
            Code.SECOND_NAME_NEEDED,
            Code.ALREADY_EXPORTED,
            Code.ACCOUNT_NOT_MAPPED,
            Code.ALREADY_IMPORTED,
            Code.PERIOD_CLOSED,
            Code.ALREADY_RUNNING,
            Code.LIMIT_PENDING,
        ),
        410: (Code.LINK_EXPIRED,),
        413: (Code.PAYLOAD_TOO_LARGE,),
        415: (Code.UNSUPPORTED_MEDIA_TYPE,),
        422: (
            Code.POOL_CLOSED,
            Code.DEADLINE_PASSED,
            Code.TEAM_ALREADY_USED,
            Code.TEAM_NOT_PLAYING,
            Code.GAME_STARTED,
            Code.ENTRY_NOT_ACTIVE,
            Code.ENTRY_SUSPENDED,
            Code.ROUND_NOT_OPEN,
            Code.FALLBACK_NOT_USED,
            Code.BUY_BACK_NOT_ALLOWED,
            Code.PAYMENT_NOT_DUE,
            Code.SPENDING_LIMIT_REACHED,
            Code.REFUND_NOT_ALLOWED,
            Code.FILE_REFUSED,
            Code.PROFILE_INCOMPLETE,
            Code.IDEMPOTENCY_KEY_REUSED,
        ),
        429: (Code.RATE_LIMITED,),
        500: (Code.INTERNAL_ERROR,),
        502: (Code.PROVIDER_ERROR,),
        503: (Code.SERVICE_UNAVAILABLE,),
    }
)
STATUS_OF_CODE = MappingProxyType({code: status for status, codes in CODES_OF_STATUS.items() for code in codes})
CODE_OF_STATUS = MappingProxyType({status: codes[0] for status, codes in CODES_OF_STATUS.items()})


def status_of(error: DomainError) -> int:
    """The status of the error's nearest family; an error of no family is ours, a 500."""
    return next((STATUS_OF_FAMILY[family] for family in type(error).__mro__ if family in STATUS_OF_FAMILY), 500)


def by_status(codes: Iterable[Code]) -> dict[int, list[Code]]:
    """The codes grouped under their status, both in order, each once."""
    grouped: dict[int, list[Code]] = {}
    for code in sorted(set(codes), key=lambda code: (STATUS_OF_CODE[code], code)):
        grouped.setdefault(STATUS_OF_CODE[code], []).append(code)
    return grouped
