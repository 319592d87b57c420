"""Make the database and its two roles. Run with a connection that may create roles."""

from __future__ import annotations

import psycopg
from psycopg import sql

from .local import APP, OWNER, LocalServer


def prepare_roles(admin_url: str, *, database: str, secrets: dict[str, str]) -> None:
    """
    Create the owner role, the application role and the database, where they are missing.

    The owner may create tables in this database and nothing else; the application role owns
    nothing, is no superuser and cannot bypass row-level security.

    :param admin_url: a connection to any database of the server, as a role that may create roles
    :param secrets: role name -> password
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for role in (OWNER, APP):
            known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = "ALTER" if known else "CREATE"
            admin.execute(
                sql.SQL(
                    "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}"
                ).format(sql.SQL(verb), sql.Identifier(role), sql.Literal(secrets[role]))
            )
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(database), sql.Identifier(OWNER)
                )
            )
    secure_database(admin_url, database=database)


def secure_database(admin_url: str, *, database: str) -> None:
    """Close the database to everybody but the two roles, and let the application role in."""
    with psycopg.connect(admin_url, autocommit=True, dbname=database) as admin:
        name = sql.Identifier(database)
        app, owner = sql.Identifier(APP), sql.Identifier(OWNER)
        for statement in (
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, app),
            sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"),
            sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app),
            sql.SQL("CREATE EXTENSION IF NOT EXISTS btree_gist"),
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public "
                "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}"
            ).format(owner, app),
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public "
                "GRANT USAGE, SELECT ON SEQUENCES TO {}"
            ).format(owner, app),
        ):
            admin.execute(statement)


def prepare_local(server: LocalServer, *, database: str) -> tuple[str, str]:
    """Prepare an embedded server; return the owner's and the application's URLs."""
    admin_url = server.url("postgres", "postgres")
    prepare_roles(
        admin_url,
        database=database,
        secrets={role: server.secret(role) for role in (OWNER, APP)},
    )
    return server.url(OWNER, database), server.url(APP, database)


def prepare_application_role(owner_url: str, *, password: str) -> None:
    """
    Prepare an external database: make the application role if the owner may, and let it in.

    Where the owner may not create roles, an administrator makes `rapport_app` beforehand and
    names its connection in RAPPORT_APP_DATABASE_URL.
    """
    with psycopg.connect(owner_url, autocommit=True) as owner:
        database = owner.info.dbname
        known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP]).fetchone()
        if not known:
            owner.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}"
                ).format(sql.Identifier(APP), sql.Literal(password))
            )
        name, app = sql.Identifier(database), sql.Identifier(APP)
        for statement in (
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, app),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app),
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
            sql.SQL("CREATE EXTENSION IF NOT EXISTS btree_gist"),
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
                " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}"
            ).format(app),
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}"
            ).format(app),
        ):
            owner.execute(statement)
