"""Django's settings, made from `environment`. Nothing else reads the environment."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote, urlsplit, urlunsplit

from rapport.config.environment import ENVIRONMENT, BadEnvironment
from rapport.platform.crypto import keyring
from rapport.platform.db.dsn import django_database
from rapport.platform.db.local import APP, OWNER, locate

RAPPORT = ENVIRONMENT

ENVIRONMENT.home.mkdir(parents=True, exist_ok=True)
KEYRING = keyring.load_or_create(ENVIRONMENT.home / "keys.json")
keyring.install(KEYRING)


def _urls() -> tuple[str, str]:
    """Return (owner's URL, application's URL)."""
    if not ENVIRONMENT.database_url:
        server = locate(ENVIRONMENT.home / "postgres")
        server.home.mkdir(parents=True, exist_ok=True)
        return server.url(OWNER, "rapport"), server.url(APP, "rapport")
    owner = ENVIRONMENT.database_url
    if ENVIRONMENT.app_database_url:
        return owner, ENVIRONMENT.app_database_url
    parts = urlsplit(owner)
    if not parts.hostname:
        raise BadEnvironment("RAPPORT_APP_DATABASE_URL is needed beside a socket URL")
    secret = sha256(KEYRING.derive("app-role-password", 32)).hexdigest()
    address = parts.hostname + (f":{parts.port}" if parts.port else "")
    return owner, urlunsplit(parts._replace(netloc=f"{APP}:{quote(secret)}@{address}"))


OWNER_URL, APP_URL = _urls()

DATABASES = {
    "default": django_database(APP_URL, application="rapport"),
    "owner": django_database(OWNER_URL, application="rapport-owner"),
}
DATABASE_ROUTERS: list[str] = []

SECRET_KEY = sha256(KEYRING.derive("django-secret", 32)).hexdigest()
DEBUG = False
ALLOWED_HOSTS = [
    *ENVIRONMENT.allowed_hosts,
    *([urlsplit(ENVIRONMENT.base_url).hostname or ""] if ENVIRONMENT.base_url else []),
    *(["127.0.0.1", "localhost", "[::1]", "testserver"] if ENVIRONMENT.mode != "production" else []),
]
ROOT_URLCONF = "rapport.config.urls"
WSGI_APPLICATION = "rapport.config.wsgi.application"
AUTH_USER_MODEL = "identity.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # each route sets its own, smaller limit
# A file of a form stays in memory: Django's other handler would leave it unsealed on the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE
PASSWORD_HASHERS = ["rapport.platform.identity.hashing.Argon2id"]
# OWASP's parameters for Argon2id; in tests just enough that a hash is a hash.
PASSWORD_COST = {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1}
if ENVIRONMENT.mode == "test":
    PASSWORD_COST = {"time_cost": 1, "memory_cost": 64, "parallelism": 1}
CODE_MAIL = "rapport.connectors.mail_smtp.driver.from_environment"
"""Makes what mails codes, see `platform.identity.ports`."""
PORTAL_CHALLENGES = "rapport.rooms.exchange.queries.portal_challenges"
"""Tells a person who signs in which second factors a connected portal waits for."""
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "ninja",
    "procrastinate.contrib.django",
    "rapport.platform.tenancy",
    "rapport.platform.identity",
    "rapport.platform.audit",
    "rapport.platform.outbox",
    "rapport.platform.api",
    "rapport.platform.jobs",
    "rapport.rooms.roster",
    "rapport.rooms.coding",
    "rapport.rooms.documents",
    "rapport.rooms.ledger",
    "rapport.rooms.coverage",
    "rapport.rooms.scheduling",
    "rapport.rooms.charting",
    "rapport.rooms.claims",
    "rapport.rooms.remittance",
    "rapport.rooms.accounting",
    "rapport.rooms.telehealth",
    "rapport.rooms.payments",
    "rapport.rooms.exchange",
    "rapport.interfaces.desk",
]
MIDDLEWARE = ["rapport.platform.api.middleware.Floor"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS: list[str] = []
