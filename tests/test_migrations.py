"""A database that was migrated by our way is the one that Django's own would have made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rapport.platform.db import bootstrap, local

ROOT = Path(__file__).parents[1]
OURS = "n.nspname = 'public'"
PARTS = {
    "columns": f"""
        SELECT c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, a.attname,
            format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {OURS}
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum""",
    "constraints": f"""
        SELECT k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND {OURS}""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'",
    "triggers": f"""
        SELECT t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND {OURS}
        WHERE NOT t.tgisinternal""",
    "functions": f"""
        SELECT p.proname, pg_get_functiondef(p.oid), p.proacl::text FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace AND {OURS} WHERE p.prokind = 'f'""",
    "rights": f"SELECT c.relname, c.relacl::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {OURS}",
}  # fmt: skip


def schema(url: str) -> dict[str, set[tuple[str, ...]]]:
    """Return what a database is made of."""
    with psycopg.connect(url) as connection:
        return {
            part: {tuple(map(str, row)) for row in connection.execute(query.encode()).fetchall()}
            for part, query in PARTS.items()
        }


@pytest.mark.long
def test_both_ways_of_migrating_make_the_same_database() -> None:
    server = local.locate(Path(os.environ["RAPPORT_HOME"]) / "postgres")
    owner, app = bootstrap.prepare_local(server, database="usual")
    assert schema(owner)["columns"] == set(), "the control: it begins empty"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"], cwd=ROOT, check=True,
        env=os.environ | {"RAPPORT_DATABASE_URL": owner, "RAPPORT_APP_DATABASE_URL": app},
    )  # fmt: skip
    usual, ours = schema(owner), schema(server.url(bootstrap.OWNER, "rapport"))
    for part, rows in usual.items():
        assert len(rows) > 3, part
        assert ours[part] ^ rows == set(), part
