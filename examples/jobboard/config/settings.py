"""All settings: first what the environment says, then what follows from it.

A missing or malformed variable ends the program at once with one line each.
"""

import os
from datetime import timedelta
from pathlib import Path

import django
from celery.schedules import crontab
from corsheaders.defaults import default_headers
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import environment as parse

BASE_DIR = Path(__file__).resolve().parent.parent

env = parse.Environment(os.environ)
SECRET_KEY = env.read("SECRET_KEY", parse.secret)
SECRET_KEY_FALLBACKS = env.read("SECRET_KEY_FALLBACKS", parse.secrets, [])
DEBUG = env.read("DEBUG", parse.boolean, False)
ALLOWED_HOSTS = env.read("ALLOWED_HOSTS", parse.words)
HTTPS_ONLY = env.read("HTTPS_ONLY", parse.boolean, True)
PROXIES = env.read("PROXIES", parse.integer, 0)
DATABASE = env.read("DATABASE_URL", parse.postgres)
STATEMENT_TIMEOUT = env.read("STATEMENT_TIMEOUT_MS", parse.integer, 5000)
CACHE_URL = env.read("REDIS_URL", parse.redis)
CELERY_BROKER_URL = env.read("BROKER_URL", parse.redis)
MAIL = env.read("MAIL_URL", parse.mail)
DEFAULT_FROM_EMAIL = env.read("MAIL_FROM", str, "jobs@localhost")
CORS_ALLOWED_ORIGINS = env.read("CORS_ALLOWED_ORIGINS", parse.words, [])
CSRF_TRUSTED_ORIGINS = env.read("CSRF_TRUSTED_ORIGINS", parse.words, [])
STATIC_ROOT = env.read("STATIC_ROOT", Path, BASE_DIR / "staticfiles")
env.stop_if_wrong()

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "strawberry_django",
    "accounts",
    "board",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "config.middleware.no_store_by_default",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": DATABASE
    | {
        "OPTIONS": {
            # A pool serves WSGI and ASGI alike; CONN_MAX_AGE must stay 0 here.
            "pool": {"min_size": 1, "max_size": 10, "timeout": 5},
            # No query and no lock may hold a request for longer than this.
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT}"
            " -c lock_timeout=3000"
            " -c idle_in_transaction_session_timeout=10000",
        }
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "jobboard",
        "OPTIONS": {
            # Not pickle: who can write to the cache could run code here.
            "serializer": "config.cache.JSONSerializer",
            # A cache that is down must cost less than the work it saves.
            "socket_connect_timeout": 0.3,
            "socket_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    }
}

# --- Sign-in and transport --------------------------------------------------

# In the database, not in the cache: a full or restarted cache signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{VALIDATION}.UserAttributeSimilarityValidator"},
    {
        "NAME": f"{VALIDATION}.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": f"{VALIDATION}.CommonPasswordValidator"},
]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ISSUER": "jobboard",
    "AUDIENCE": "jobboard-api",
    # A new password ends every token that was issued for the old one.
    "CHECK_REVOKE_TOKEN": True,
}
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside, over plain HTTP
CSRF_FAILURE_VIEW = "board.api.errors.csrf_failure"
CORS_ALLOW_CREDENTIALS = True
# What a frontend of another origin may send beyond the usual, and read.
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key"]
CORS_ALLOW_HEADERS += ["if-match", "if-none-match"]
CORS_EXPOSE_HEADERS = ["ETag", "Location", "Retry-After"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# --- The API ----------------------------------------------------------------

REST_FRAMEWORK = {
    # The first class decides about 401: JWT names a scheme to sign in with.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated"
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["board.api.parsers.FlatEnoughJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "board.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["board.api.filters.KnownParametersBackend"],
    "DEFAULT_SCHEMA_CLASS": "board.api.openapi.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "accounts.throttling.AnonymousThrottle",
        "accounts.throttling.UserThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anonymous": "60/min",
        "user": "300/min",
        "sign-in": "10/min",
        "sign-up": "10/hour",
        "apply": "30/hour",
    },
    # Half a surrogate pair in a request, repeated in an error message, cannot
    # be written as UTF-8; escaped, it can.
    "UNICODE_JSON": False,
    "EXCEPTION_HANDLER": "board.api.errors.exception_handler",
    # X-Forwarded-For is written by the client, except by our own proxies.
    "NUM_PROXIES": PROXIES,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Job board",
    "DESCRIPTION": "Companies, their jobs, and applications for them.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",  # groups by what follows: jobs, companies
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",  # from our own origin
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "board.api.openapi.say_what_is_sent",
        "board.api.openapi.document_problems",
        "board.api.openapi.summarise",
    ],
}

# --- Tasks ------------------------------------------------------------------

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
# A message that nobody acknowledged for an hour goes to another worker; no
# task may run for so long. A queue that is down fails within about a second.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    "max_retries": 1,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BEAT_SCHEDULE = {
    "nightly statistics": {
        "task": "board.tasks.record_statistics",
        "schedule": crontab(hour=0, minute=10),
    },
    "sweep confirmations": {
        "task": "board.tasks.sweep_confirmations",
        "schedule": crontab(minute="*/5"),
    },
    "forget old keys": {
        "task": "board.tasks.forget_expired",
        "schedule": crontab(hour=3, minute=40),
    },
}

# --- Mail -------------------------------------------------------------------

MAILERS = {"default": {"BACKEND": MAIL[0], "OPTIONS": MAIL[1]}}
if django.VERSION < (6, 1):  # 5.2 LTS has one mailer, in single settings
    EMAIL_BACKEND = MAIL[0]
    EMAIL_HOST = MAIL[1].get("host", "")
    EMAIL_PORT = MAIL[1].get("port", 25)
    EMAIL_HOST_USER = MAIL[1].get("username", "")
    EMAIL_HOST_PASSWORD = MAIL[1].get("password", "")
    EMAIL_USE_TLS = MAIL[1].get("use_tls", False)
    EMAIL_USE_SSL = MAIL[1].get("use_ssl", False)
    EMAIL_TIMEOUT = MAIL[1].get("timeout")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
