"""What the environment says, read once and checked: every setting of the product is named here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MODES = ("demo", "production", "test")


class BadEnvironment(SystemExit):
    """A setting is missing or unsafe. The message names it; the process ends with status 2."""

    def __init__(self, message: str) -> None:
        super().__init__(f"rapport: {message}")
        self.code = f"rapport: {message}"


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Environment:
    """The settings of one process."""

    mode: str = field(default_factory=lambda: os.environ.get("RAPPORT_MODE", "demo"))
    """`demo` (this machine only), `production`, or `test`."""
    home: Path = field(
        default_factory=lambda: Path(os.environ.get("RAPPORT_HOME", ".rapport")).resolve()
    )
    """Folder that holds all state: database, blobs, keys, logs."""
    database_url: str = field(default_factory=lambda: os.environ.get("RAPPORT_DATABASE_URL", ""))
    """The owner's connection to an external PostgreSQL; empty: the embedded one."""
    app_database_url: str = field(
        default_factory=lambda: os.environ.get("RAPPORT_APP_DATABASE_URL", "")
    )
    """The application role's connection; made from the owner's when empty."""
    host: str = field(default_factory=lambda: os.environ.get("RAPPORT_HOST", "127.0.0.1"))
    port: int = field(default_factory=lambda: int(os.environ.get("RAPPORT_PORT", "8000")))
    base_url: str = field(default_factory=lambda: os.environ.get("RAPPORT_BASE_URL", ""))
    """The address that links use; never taken from a request's Host header."""
    allowed_hosts: tuple[str, ...] = field(
        default_factory=lambda: tuple(
            host for host in os.environ.get("RAPPORT_ALLOWED_HOSTS", "").split(",") if host
        )
    )
    tls_certificate: str = field(default_factory=lambda: os.environ.get("RAPPORT_TLS_CERT", ""))
    tls_key: str = field(default_factory=lambda: os.environ.get("RAPPORT_TLS_KEY", ""))
    trusted_proxies: tuple[str, ...] = field(
        default_factory=lambda: tuple(
            net for net in os.environ.get("RAPPORT_TRUSTED_PROXIES", "").split(",") if net
        )
    )
    """Networks whose X-Forwarded-For is believed; from anybody else it is ignored."""
    workers: int = field(default_factory=lambda: int(os.environ.get("RAPPORT_WORKERS", "2")))
    threads: int = field(default_factory=lambda: int(os.environ.get("RAPPORT_THREADS", "4")))
    rate_key: int = field(
        default_factory=lambda: int(os.environ.get("RAPPORT_RATE_PER_ACTOR", "600"))
    )
    """Units a minute for one key or person."""
    rate_practice: int = field(
        default_factory=lambda: int(os.environ.get("RAPPORT_RATE_PER_PRACTICE", "3000"))
    )
    """Units a minute for one practice."""
    s3_bucket: str = field(default_factory=lambda: os.environ.get("RAPPORT_S3_BUCKET", ""))
    """Keep files in this bucket of an S3-compatible store; empty: on disk below `home`."""
    s3_endpoint: str = field(default_factory=lambda: os.environ.get("RAPPORT_S3_ENDPOINT", ""))
    s3_region: str = field(default_factory=lambda: os.environ.get("RAPPORT_S3_REGION", ""))
    smtp_url: str = field(default_factory=lambda: os.environ.get("RAPPORT_SMTP_URL", ""))
    """smtp://user:secret@host:port (or smtps://); empty: no mail can be sent."""
    mail_from: str = field(
        default_factory=lambda: os.environ.get("RAPPORT_MAIL_FROM", "rapport@localhost")
    )
    quickbooks_id: str = field(default_factory=lambda: os.environ.get("RAPPORT_QUICKBOOKS_ID", ""))
    """The installation's key at Intuit; empty: QuickBooks Online cannot be linked."""
    quickbooks_secret: str = field(
        default_factory=lambda: os.environ.get("RAPPORT_QUICKBOOKS_SECRET", ""), repr=False
    )
    quickbooks_redirect: str = field(default_factory=lambda: os.environ.get("RAPPORT_QUICKBOOKS_REDIRECT", ""))
    """Where Intuit sends a person back to, as registered there."""
    local_webhooks: bool = field(default_factory=lambda: _flag("RAPPORT_LOCAL_WEBHOOKS"))
    """Let webhooks go to plain http on this machine (demo and test modes only)."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadEnvironment(f"RAPPORT_MODE must be one of {', '.join(MODES)}")
        if self.mode == "production" and self.local_webhooks:
            raise BadEnvironment("RAPPORT_LOCAL_WEBHOOKS is for demo and test modes only")

    @property
    def link_base(self) -> str:
        """Address that links begin with."""
        if self.base_url:
            return self.base_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{self.host}:{self.port}"


ENVIRONMENT = Environment()
