"""
The start-up check: what must be true before a request is answered.

In production an unsafe setting stops the start; in demo and test modes it is listed. The same
list is what `rapport doctor` prints. (Reliability R-47; security §1.1.)
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from rapport.config.environment import Environment


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    code: str
    message: str
    """What to change."""


_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
"""PostgreSQL settings without which an acknowledged write can be lost. `synchronous_commit` may
also be stricter (remote_apply, remote_write)."""


def database_findings() -> list[Finding]:
    """Look at the application role's rights and at the server's durability settings."""
    found = []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
            " pg_is_in_recovery() FROM pg_roles WHERE rolname = current_user"
        )
        role, superuser, bypass, create_role, create_db, replica = cursor.fetchone()
        if superuser or bypass:
            found.append(
                Finding(
                    "unsafe-role",
                    f"The application connects as {role}, which row-level security does not bind.",
                )
            )
        if create_role or create_db:
            found.append(Finding("unsafe-role", f"{role} may create roles or databases."))
        if replica:
            found.append(
                Finding("replica", "The default database is a replica; decisions need the primary.")
            )
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles"
            " WHERE rolname = current_user) AND relkind IN ('r', 'p')"
        )
        if cursor.fetchone()[0]:
            found.append(Finding("unsafe-role", f"{role} owns tables; it must own nothing."))
        for name, wanted in _SETTINGS.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            value = cursor.fetchone()[0]
            if value != wanted and not (name == "synchronous_commit" and value.startswith("remote")):
                found.append(Finding("not-durable", f"PostgreSQL has {name}={value}; set it {wanted}."))
    return found


def environment_findings(environment: Environment) -> list[Finding]:
    """Look at how the outside reaches us."""
    found = []
    if not environment.tls_certificate and not environment.trusted_proxies:
        found.append(
            Finding(
                "no-tls",
                "Set RAPPORT_TLS_CERT and RAPPORT_TLS_KEY, or name the proxy that ends TLS in"
                " RAPPORT_TRUSTED_PROXIES.",
            )
        )
    if not environment.base_url.startswith("https://"):
        found.append(Finding("no-base-url", "Set RAPPORT_BASE_URL to the https:// address of the API."))
    if environment.home.exists() and environment.home.stat().st_mode & 0o022:
        found.append(Finding("open-home", "RAPPORT_HOME can be written by other users."))
    return found


def findings() -> list[Finding]:
    """Return everything that is unsafe for real patients."""
    return database_findings() + environment_findings(settings.RAPPORT)


class Unsafe(SystemExit):
    """Production mode does not start like this."""

    def __init__(self, found: list[Finding]) -> None:
        lines = "\n".join(f"  {finding.code}: {finding.message}" for finding in found)
        super().__init__(f"rapport: refusing to start in production mode:\n{lines}")


def refuse_if_unsafe() -> None:
    """Stop the process when production mode meets an unsafe setting. :raises Unsafe: it does"""
    if settings.RAPPORT.mode == "production":
        found = findings()
        if found:
            raise Unsafe(found)
