"""
The bare server: ASGI and asyncpg, and nothing else.

No one signs in, nothing is checked, nothing is noted; PostgreSQL builds the JSON. It is what this
machine, this language and this database can do at most, and so what the product is held against.
It runs as `granian --interface asgi bench.http.bare:app` with BARE_URL in its environment.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import asyncpg

SCHEMA = """
CREATE TABLE patient (
    id int PRIMARY KEY, given text, family text, birth_on date, sex text, phone text, email text,
    mrn text);
CREATE TABLE appointment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, clinician_id int, patient_id int,
    start_at timestamptz, end_at timestamptz, status text DEFAULT 'booked', comment text);
CREATE TABLE note (
    id int PRIMARY KEY, patient_id int, clinician_id int, service_on date, body text);
"""
FILL = """
INSERT INTO patient SELECT n, 'Given' || n, 'Family' || n % 997, date '1950-01-01' + n % 20000,
    'female', '+1503555' || lpad(n::text, 4, '0'), 'p' || n || '@example.org', 'M' || n
    FROM generate_series(1, {patients}) n;
INSERT INTO appointment (clinician_id, patient_id, start_at, end_at)
    SELECT c, (c - 1) * {patients} / {clinicians} + 1 + n % ({patients} / {clinicians}), at, at + interval '50 min'
    FROM generate_series(1, {clinicians}) c, generate_series(0, {each} - 1) n,
    LATERAL (SELECT timestamptz '{monday}' + n / 40 * interval '7 days' + n % 40 / 8 * interval '1 day'
        + n % 8 * interval '1 hour' AS at) t;
INSERT INTO note SELECT n, 1 + n % {patients}, 1 + n % {clinicians}, date '2026-01-01', repeat('x', 2000)
    FROM generate_series(1, {notes}) n;
CREATE INDEX ON patient (family, given, id);
CREATE INDEX ON appointment (clinician_id, start_at);
ANALYZE;
"""

_LIST = (
    "SELECT coalesce(json_agg(p), '[]')::text FROM (SELECT * FROM patient"
    " WHERE (family, given, id) > ($1, '', 0) ORDER BY family, given, id LIMIT 50) p"
)
_GET = "SELECT row_to_json(p)::text FROM patient p WHERE id = $1"
_WEEK = (
    "SELECT coalesce(json_agg(a), '[]')::text FROM (SELECT a.*, p.given, p.family"
    " FROM appointment a JOIN patient p ON p.id = a.patient_id"
    " WHERE clinician_id = $1 AND start_at >= $2 AND start_at < $3 ORDER BY start_at LIMIT 100) a"
)
_BOOK = (
    "INSERT INTO appointment (clinician_id, patient_id, start_at, end_at, comment)"
    " VALUES ($1, $2, $3, $3::timestamptz + interval '50 min', $4)"
    " RETURNING row_to_json(appointment)::text"
)
_NOTE = "SELECT row_to_json(n)::text FROM note n WHERE id = $1"

_pool: asyncpg.Pool[Any] | None = None
_lock = asyncio.Lock()


async def _keep(_: Any) -> None:
    """Leave a connection as it is: nothing is ever set on one."""


async def _connections() -> asyncpg.Pool[Any]:
    global _pool
    async with _lock:
        if _pool is None:
            _pool = await asyncpg.create_pool(
                os.environ["BARE_URL"], min_size=8, max_size=8,
                max_inactive_connection_lifetime=0, reset=_keep,
            )  # fmt: skip
    return _pool


async def _answer(scope: Any, receive: Any) -> tuple[int, str]:
    pool = _pool or await _connections()
    path = scope["path"]
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    if scope["method"] == "POST":
        body = json.loads((await receive())["body"])
        start = datetime.fromisoformat(body["start_at"])
        text = await pool.fetchval(_BOOK, body["clinician"], body["patient"], start, "")
        return 201, text
    if path == "/patients":
        return 200, await pool.fetchval(_LIST, query.get("after", ""))
    if path.startswith("/patients/"):
        return 200, await pool.fetchval(_GET, int(path[10:]))
    if path.startswith("/notes/"):
        return 200, await pool.fetchval(_NOTE, int(path[7:]))
    first, last = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
    return 200, await pool.fetchval(_WEEK, int(query["clinician"]), first, last)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve one request."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    status, text = await _answer(scope, receive)
    content = text.encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
