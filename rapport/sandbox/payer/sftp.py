"""The SFTP side: /inbound takes uploads, /outbound shows the answers, and nothing else exists."""

from __future__ import annotations

import asyncio
import hmac
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import asyncssh

from rapport.sandbox.payer.desk import COMPLETE, Desk
from rapport.sandbox.payer.script import next_fault

if TYPE_CHECKING:
    from asyncssh import SSHServerChannel

PARTIAL = ".part"


def load_host_key(path: Path) -> asyncssh.SSHKey:
    """The server's private key, made the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = asyncssh.generate_private_key("ssh-ed25519")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.export_private_key())
    return asyncssh.read_private_key(path)


class _Login(asyncssh.SSHServer):
    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        known = hmac.compare_digest(username.encode(), self._user.encode())
        return hmac.compare_digest(password.encode(), self._password.encode()) and known


class _Files(asyncssh.SFTPServer):
    """
    A session. Uploads are written under a name ending in .part, which never counts; renaming
    it to one that ends in .837, .270 or .276 hands it in, on the disk before that is acknowledged.
    """

    def __init__(self, channel: SSHServerChannel[bytes], desk: Desk) -> None:
        super().__init__(channel, chroot=os.fsencode(desk.root))
        self._desk = desk

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open for reading anywhere; for writing only a partial upload in /inbound."""
        if pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC):
            _only(self._inbound(path), PARTIAL)
        return super().open(path, pflags, attrs)

    def open56(
        self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs
    ) -> object:
        """Later protocol versions are not offered, so nobody comes this way."""
        raise asyncssh.SFTPOpUnsupported("protocol version 3 only")

    def remove(self, path: bytes) -> None:
        """Only a partial upload can be removed."""
        _only(self._inbound(path), PARTIAL)
        super().remove(path)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Hand in a complete upload under its final name, which must be new."""
        _only(self._inbound(oldpath), PARTIAL)
        name = _only(self._inbound(newpath), *COMPLETE)
        source, target = self.map_path(oldpath), self.map_path(newpath)
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if os.path.exists(target):
            raise asyncssh.SFTPFailure("a file of that name was handed in before")
        if fault is None or fault.accept:
            data = _settled(source)
            os.rename(source, target)
            _sync_folder(self._desk.inbound)
            self._desk.receive(data, channel="sftp", name=name)
        if fault is not None and fault.kind == "drop_reply":
            self.connection.abort()
        if fault is not None and fault.kind != "slow":
            raise asyncssh.SFTPFailure("the server is in trouble")

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Replacing a file that was handed in is refused."""
        raise asyncssh.SFTPOpUnsupported("rename only")

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder; unfinished answers are not shown."""
        self._desk.work()
        async for entry in super().scandir(path):
            name = entry.filename
            if not (isinstance(name, bytes) and name.startswith(b".") and len(name) > 2):
                yield entry

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Attributes of a partial upload may be set; other files stay as they are."""
        _only(self._inbound(path), PARTIAL)
        super().setstat(path, attrs)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refused: the folders are fixed."""
        raise asyncssh.SFTPPermissionDenied("the folders are fixed")

    def rmdir(self, path: bytes) -> None:
        """Refused: the folders are fixed."""
        raise asyncssh.SFTPPermissionDenied("the folders are fixed")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused: there are no links here."""
        raise asyncssh.SFTPPermissionDenied("no links")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused: there are no links here."""
        raise asyncssh.SFTPPermissionDenied("no links")

    def _inbound(self, path: bytes) -> str:
        """The plain name of a file straight inside /inbound."""
        local = Path(os.fsdecode(self.map_path(path)))
        if local.parent != Path(os.path.realpath(self._desk.inbound)):
            raise asyncssh.SFTPPermissionDenied("only /inbound can be written to")
        return PurePosixPath(local).name


def _only(name: str, *endings: str) -> str:
    if not name.endswith(endings) or name.startswith("."):
        raise asyncssh.SFTPPermissionDenied(f"the name must end in {' or '.join(endings)}")
    return name


def _settled(path: bytes) -> bytes:
    """The bytes of a file, after they have reached the disk."""
    with open(path, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise asyncssh.SFTPFailure("not a file")
        os.fsync(file.fileno())
        return file.read()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def listen_sftp(
    desk: Desk, *, port: int, user: str, password: str, host_key: asyncssh.SSHKey
) -> asyncssh.SSHAcceptor:
    """Start serving on the loopback interface; port 0 takes a free one."""

    def files(channel: Any) -> _Files:
        return _Files(channel, desk)

    return await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[host_key],
        server_factory=lambda: _Login(user, password),
        sftp_factory=files,
        sftp_version=3,
        allow_scp=False,
        agent_forwarding=False,
        gss_host=None,
        encoding=None,
    )
