"""Django's settings, the same file in every environment: `config.env` says what differs and refuses what is wrong.

Local and test start their own services where no address is given; staging and production take every address and
secret from their environment and do not start without them.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from config import env
from config.api.enum_names import ENUM_NAMES
from config.connections import MAIL_TIMEOUT_SECONDS, cache, database, file_store, mail
from config.logging import logging_config
from config.theme import look

BASE_DIR = env.PROJECT

for _name, _value in env.read_file(BASE_DIR / ".env").items():
    os.environ.setdefault(_name, _value)

try:
    IS_SERVED = env.environment_of(os.environ).is_served
    _stage: dict[str, str] = {}
    if not IS_SERVED:
        # Imported here alone: production does not ship the embedded services.
        from config.local.stage import prepare

        _stage = {name: value for name, value in prepare().items() if not os.environ.get(name)}
    SETTINGS = env.read({**os.environ, **_stage})
except env.BadEnvironment as faults:
    # The list is what the operator needs; a trace would bury it.
    sys.exit(str(faults))

OUTLAST_ENV = SETTINGS.text("OUTLAST_ENV")
OUTLAST_HOME = (BASE_DIR / Path(SETTINGS.text("OUTLAST_HOME")).expanduser()).resolve()
OUTLAST_PROCESS = SETTINGS.text("OUTLAST_PROCESS")
OUTLAST_RELEASE = SETTINGS.text("OUTLAST_RELEASE")
PUBLIC_URL = SETTINGS.text("PUBLIC_URL")
FINANCE_TIME_ZONE = SETTINGS.value("FINANCE_TIME_ZONE")
TRUSTED_PROXY_COUNT = SETTINGS.number("TRUSTED_PROXY_COUNT")
OUTGOING_HOSTS = SETTINGS.texts("OUTGOING_HOSTS")
_loopback = SETTINGS.value("OUTGOING_LOOPBACK")
OUTGOING_LOOPBACK = not IS_SERVED if _loopback is None else _loopback
METRICS_TOKEN = SETTINGS.text("METRICS_TOKEN")
SLOW_STATEMENT_MS = SETTINGS.number("SLOW_STATEMENT_MS")
DRAIN_SECONDS = SETTINGS.number("DRAIN_SECONDS")
OTEL_EXPORTER_OTLP_ENDPOINT = SETTINGS.text("OTEL_EXPORTER_OTLP_ENDPOINT")

SECRET_KEY = SETTINGS.text("SECRET_KEY")
PREVIOUS_SECRET_KEYS = SETTINGS.texts("PREVIOUS_SECRET_KEYS")
SLIP_SIGNING_KEY = SETTINGS.text("SLIP_SIGNING_KEY")
PERSONAL_DATA_KEYS = SETTINGS.texts("PERSONAL_DATA_KEYS")
PAYMENT_PROVIDER = SETTINGS.text("PAYMENT_PROVIDER")
STRIPE_SECRET_KEY = SETTINGS.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = SETTINGS.texts("STRIPE_WEBHOOK_SECRETS")
STRIPE_THIN_WEBHOOK_SECRETS = SETTINGS.texts("STRIPE_THIN_WEBHOOK_SECRETS")
STRIPE_API_BASE = SETTINGS.text("STRIPE_API_BASE") or None
REFUND_APPROVAL_ABOVE = SETTINGS.number("REFUND_APPROVAL_ABOVE")
WRITE_OFF_AT_MOST = SETTINGS.number("WRITE_OFF_AT_MOST")
RECONCILIATION_HEALS_AT_MOST = SETTINGS.number("RECONCILIATION_HEALS_AT_MOST")
REPORT_DAYS = SETTINGS.number("REPORT_DAYS")
PERSONAL_REPORT_DAYS = SETTINGS.number("PERSONAL_REPORT_DAYS")
VIRUS_SCAN = SETTINGS.text("VIRUS_SCAN")
DOCUMENT_DAYS = SETTINGS.number("DOCUMENT_DAYS")
UNUSED_DOCUMENT_DAYS = SETTINGS.number("UNUSED_DOCUMENT_DAYS")
AUTO_RETURN = SETTINGS.flag("AUTO_RETURN")
_totp_required = SETTINGS.value("STAFF_TOTP_REQUIRED")
STAFF_TOTP_REQUIRED = IS_SERVED if _totp_required is None else _totp_required
STAFF_IDLE_MINUTES = SETTINGS.number("STAFF_IDLE_MINUTES")
GOOGLE_CLIENT_ID = SETTINGS.text("GOOGLE_CLIENT_ID")
GOOGLE_CLIENT_SECRET = SETTINGS.text("GOOGLE_CLIENT_SECRET")
APPLE_CLIENT_ID = SETTINGS.text("APPLE_CLIENT_ID")
APPLE_TEAM_ID = SETTINGS.text("APPLE_TEAM_ID")
APPLE_KEY_ID = SETTINGS.text("APPLE_KEY_ID")
APPLE_PRIVATE_KEY = SETTINGS.text("APPLE_PRIVATE_KEY")
OIDC_ISSUERS = SETTINGS.value("OIDC_ISSUERS")
SIGN_IN_RETURNS = SETTINGS.texts("SIGN_IN_RETURNS") or [f"{PUBLIC_URL}/"]
if not IS_SERVED:
    # oauthlib refuses plain http, which the provider on this machine speaks.
    os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")
STAFF_NETWORKS = SETTINGS.value("STAFF_NETWORKS")
GRAPHQL_QUERIES = SETTINGS.text("GRAPHQL_QUERIES")
LIVE_URL = SETTINGS.text("LIVE_URL").rstrip("/")
LIVE_CLIENTS = SETTINGS.number("LIVE_CLIENTS")
LIVE_CLIENTS_PER_ADDRESS = SETTINGS.number("LIVE_CLIENTS_PER_ADDRESS")
MAX_IN_WORK = SETTINGS.number("MAX_IN_WORK")
MAX_WAITING = SETTINGS.number("MAX_WAITING")
MAX_WAIT_MS = SETTINGS.number("MAX_WAIT_MS")
DIRECT_ANSWERS = SETTINGS.flag("DIRECT_ANSWERS")
KEEP_PAGES = SETTINGS.flag("KEEP_PAGES")
WEBHOOK_REFUSALS_PER_HOUR = SETTINGS.number("WEBHOOK_REFUSALS_PER_HOUR")

# --- What is installed ------------------------------------------------------------------------------------------

DEBUG = SETTINGS.flag("DEBUG")
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "config",
    "accounts",
    "pools",
    "entries",
    "payments",
]
if not IS_SERVED:
    INSTALLED_APPS.append("config.local")

MIDDLEWARE = [
    "config.api.middleware.RequestIdMiddleware",
    "config.audit.middleware.AuditMiddleware",
    "config.metrics.MetricsMiddleware",
    # Outside whatever may refuse, so that refusals have these headers as well.
    "config.web.headers.HeadersMiddleware",
    "config.web.headers.PolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Outside whatever refuses in words.
    "config.api.language.LanguageMiddleware",
    "config.web.middleware.OriginsMiddleware",
    "config.web.middleware.AdmissionMiddleware",
    "config.web.middleware.MethodsMiddleware",
    "config.web.middleware.PageLimitMiddleware",
    "config.api.middleware.ApiGuardMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.StaffSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- People -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "accounts.hashing.PatientArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords_known.KnownPasswordValidator"},
]
BREACHED_PASSWORDS = SETTINGS.value("BREACHED_PASSWORDS")
JWT_PREVIOUS_SIGNING_KEYS = SETTINGS.texts("JWT_PREVIOUS_SIGNING_KEYS")
SIMPLE_JWT = {
    "SIGNING_KEY": SETTINGS.text("JWT_SIGNING_KEY"),
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "LEEWAY": 5,
    "AUDIENCE": "outlast-api",
    "ISSUER": "outlast",
}
# Staff sessions survive a flush of Redis, and end by themselves: `accounts.services.browsers`.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_NAME = "outlast_staff"
# No other site's link or form brings it along; a link in a mail goes over a page of ours (`accounts.admin.entering`).
SESSION_COOKIE_SAMESITE = "Strict"
LOGIN_URL = "admin:login"

# --- Services ---------------------------------------------------------------------------------------------------

DATABASES = {"default": database(SETTINGS.text("DATABASE_URL"), process=OUTLAST_PROCESS)}
CACHES = {
    # Forgets when Redis is away: only what can be computed again is kept here.
    "default": cache(SETTINGS.text("REDIS_URL"), environment=OUTLAST_ENV, forgiving=True),
    # Raises when Redis is away: the limiter must know that it did not count.
    "limits": cache(SETTINGS.text("REDIS_URL"), environment=OUTLAST_ENV, forgiving=False),
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
RATELIMIT_USE_CACHE = "limits"
RATE_LIMIT_SCALE = SETTINGS.number("RATE_LIMIT_SCALE")

CELERY_BROKER_URL = SETTINGS.text("CELERY_BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task, or it would run twice at once.
    "visibility_timeout": 300,
    # The defaults of 10 and 10 leave the work of a killed worker lying for a minute and a half.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5 if OUTLAST_PROCESS == "worker" else 1,
    "socket_connect_timeout": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False

DEFAULT_FROM_EMAIL = SERVER_EMAIL = SETTINGS.text("DEFAULT_FROM_EMAIL")
MAIL_FOLDER = OUTLAST_HOME / "mail"
EMAIL_TIMEOUT = MAIL_TIMEOUT_SECONDS
EMAIL_WEBHOOK_SECRET = SETTINGS.text("EMAIL_WEBHOOK_SECRET")
MAIL_PROVIDER = ""
vars().update(mail(SETTINGS.text("EMAIL_URL"), webhook_secret=EMAIL_WEBHOOK_SECRET))

# --- API --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "accounts.api.authentication.KeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.envelope.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.PagePagination",
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.handler.handle",
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = API_BODY_LIMIT = 1024 * 1024
# Of a form in the back office: the largest has scans of a payment by hand, three of 5 MB.
PAGE_BODY_LIMIT = 16 * 1024 * 1024
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Outlast",
    "VERSION": "1",
    "DESCRIPTION": "Paid survivor pools: requests, payments, entries, picks, settlement, reports.",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.api.document.finish"],
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "displayRequestDuration": True},
}

# --- Pages ------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
# In which callers of the API are refused, and staff see their pages (`config.api.language`).
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
LANGUAGE_COOKIE_NAME = "outlast_language"
LANGUAGE_COOKIE_PATH = "/admin/"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = IS_SERVED
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "static/"
# Local and test serve them from where they are.
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_SERVED else None
MEDIA_ROOT = OUTLAST_HOME / "uploads"
WHITENOISE_USE_FINDERS = not IS_SERVED
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "reports": file_store(SETTINGS.text("REPORT_STORAGE"), home=OUTLAST_HOME, folder="reports"),
    "private": file_store(SETTINGS.text("PRIVATE_STORAGE"), home=OUTLAST_HOME, folder="uploads"),
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if IS_SERVED
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
UNFOLD = look(OUTLAST_ENV)

# --- Doors ------------------------------------------------------------------------------------------------------

ALLOWED_HOSTS = SETTINGS.texts("ALLOWED_HOSTS")
CORS_ALLOWED_ORIGINS = SETTINGS.texts("CORS_ORIGINS")
CORS_URLS_REGEX = r"^/(api/v1/|graphql$)"
# Callers send a token in a header; a cookie of staff must never come along from another origin.
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "traceparent",
    "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "Content-Disposition", "Content-Language", "Deprecation", "ETag", "Idempotent-Replayed", "Link", "Location",
    "Retry-After", "Sunset", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID",
    "traceparent",
]  # fmt: skip
CORS_PREFLIGHT_MAX_AGE = 600
CSRF_TRUSTED_ORIGINS = SETTINGS.texts("CSRF_TRUSTED_ORIGINS") or [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SERVED
SECURE_SSL_REDIRECT = IS_SERVED
# Probes come from inside, in plain http.
SECURE_REDIRECT_EXEMPT = [r"^health", r"^ready$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_SERVED else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SERVED
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_log_format = SETTINGS.text("LOG_FORMAT")
LOGGING = logging_config(
    level=SETTINGS.text("LOG_LEVEL"),
    as_json=_log_format == "json" or (not _log_format and IS_SERVED),
    process=OUTLAST_PROCESS,
)
SENTRY_DSN = SETTINGS.text("SENTRY_DSN")
