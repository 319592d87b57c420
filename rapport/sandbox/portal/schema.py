"""The tables of the portal. Money in cents, days and wall times as ISO text, instants as seconds since 1970."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS user (
    login TEXT PRIMARY KEY, password TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    factor TEXT NOT NULL, totp_secret TEXT NOT NULL DEFAULT '', phone TEXT NOT NULL DEFAULT '',
    wrong INTEGER NOT NULL DEFAULT 0, locked_until REAL NOT NULL DEFAULT 0, notice TEXT NOT NULL DEFAULT '',
    last_step INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'Active');
CREATE TABLE IF NOT EXISTS session (
    id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, turned_at REAL NOT NULL, login TEXT NOT NULL,
    user_agent TEXT NOT NULL, csrf TEXT NOT NULL, began_at REAL NOT NULL, seen_at REAL NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS old_cookie (token TEXT PRIMARY KEY, session_id INTEGER NOT NULL, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS idp_session (
    id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, login TEXT NOT NULL, csrf TEXT NOT NULL, seen_at REAL NOT NULL,
    state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS grant_code (
    code TEXT PRIMARY KEY, login TEXT NOT NULL, state TEXT NOT NULL, made_at REAL NOT NULL, spent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sso_state (state TEXT PRIMARY KEY, made_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS push (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL, login TEXT NOT NULL, asked_at REAL NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS code (
    id INTEGER PRIMARY KEY, login TEXT NOT NULL, way TEXT NOT NULL, code TEXT NOT NULL, sent_at REAL NOT NULL,
    arrives_at REAL NOT NULL, spent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS clinician (
    id INTEGER PRIMARY KEY, first TEXT, last TEXT, credentials TEXT, npi TEXT, status TEXT NOT NULL DEFAULT 'Active');
CREATE TABLE IF NOT EXISTS hours (
    id INTEGER PRIMARY KEY, clinician_id INTEGER, weekday TEXT, starts TEXT, ends TEXT);
CREATE TABLE IF NOT EXISTS patient (
    id INTEGER PRIMARY KEY, first TEXT, middle TEXT, last TEXT, preferred TEXT, birth_on TEXT, sex TEXT, status TEXT,
    clinician_id INTEGER, email TEXT, phone TEXT, line1 TEXT, city TEXT, state TEXT, postal_code TEXT,
    payer TEXT, member_id TEXT, updated_at TEXT, version INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS policy (
    id INTEGER PRIMARY KEY, patient_id INTEGER, rank INTEGER, payer TEXT, payer_id TEXT, member_id TEXT, group_number TEXT,
    copay_cents INTEGER, valid_from TEXT, valid_to TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT 'Active');
CREATE TABLE IF NOT EXISTS appointment (
    id INTEGER PRIMARY KEY, patient_id INTEGER, clinician_id INTEGER, code TEXT, start_at TEXT, minutes INTEGER,
    place TEXT, status TEXT, reason TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL DEFAULT 1, created_at TEXT,
    updated_at TEXT);
CREATE INDEX IF NOT EXISTS appointment_start ON appointment (start_at, id);
CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY, patient_id INTEGER, clinician_id INTEGER, appointment_id INTEGER, type TEXT, service_on TEXT,
    status TEXT, signed_at TEXT, signed_by TEXT, body TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT, updated_at TEXT);
CREATE TABLE IF NOT EXISTS addendum (
    id INTEGER PRIMARY KEY, note_id INTEGER, body TEXT, added_at TEXT, added_by TEXT);
CREATE TABLE IF NOT EXISTS claim (
    id INTEGER PRIMARY KEY, number TEXT, patient_id INTEGER, clinician_id INTEGER, appointment_id INTEGER, payer TEXT,
    payer_id TEXT, member_id TEXT, service_on TEXT, charge_cents INTEGER, paid_cents INTEGER, status TEXT,
    submitted_at TEXT NOT NULL DEFAULT '', submissions INTEGER NOT NULL DEFAULT 0, era_id INTEGER,
    version INTEGER NOT NULL DEFAULT 1, updated_at TEXT);
CREATE TABLE IF NOT EXISTS claim_line (
    id INTEGER PRIMARY KEY, claim_id INTEGER, code TEXT, units INTEGER, charge_cents INTEGER, paid_cents INTEGER);
CREATE TABLE IF NOT EXISTS era (
    id INTEGER PRIMARY KEY, trace TEXT, payer TEXT, payer_id TEXT, paid_on TEXT, amount_cents INTEGER, claims INTEGER,
    status TEXT, content TEXT);
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY, batch TEXT, payer TEXT, payer_id TEXT, sent_at TEXT, claims INTEGER, amount_cents INTEGER,
    content TEXT);
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY, patient_id INTEGER, claim_id INTEGER, era_id INTEGER, received_on TEXT, source TEXT, method TEXT,
    amount_cents INTEGER, status TEXT, updated_at TEXT);
CREATE TABLE IF NOT EXISTS export (
    id INTEGER PRIMARY KEY, login TEXT, kind TEXT, asked_at TEXT, ready_at REAL, key TEXT, content TEXT);
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, at REAL, host TEXT, login TEXT, session_id INTEGER, method TEXT, path TEXT, user_agent TEXT,
    status INTEGER, ms REAL, call TEXT NOT NULL DEFAULT '', faults TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, at REAL, login TEXT, kind TEXT, good INTEGER, why TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, at REAL, login TEXT, session_id INTEGER, action TEXT, record TEXT, outcome TEXT, detail TEXT);
"""
