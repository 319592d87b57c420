"""Talks to the clearinghouse. All the network there is in this connector is in this file."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import asyncssh

from rapport.connectors.clearinghouse_sftp import mapper
from rapport.connectors.clearinghouse_sftp.settings import SftpSettings
from rapport.platform.net import lookup
from rapport.platform.net.lookup import BlockedAddress
from rapport.protocols.x12.kinds import kind_of
from rapport.rooms.claims.ports import Held, InboundFile, InDoubt, Later, NotHeld, Refused, Sent

RETRY_SECONDS = 60
MAX_FILE_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)

T = TypeVar("T")

# The connection, or the patience, ended. An SFTP error that is none of these is a clear reply.
_BROKEN = (OSError, TimeoutError, asyncssh.DisconnectError, asyncssh.ChannelOpenError)
_LOST = (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost)


class SftpClearinghouse:
    """Supplies `rapport.rooms.claims.ports.Clearinghouse` over SFTP."""

    def __init__(self, settings: SftpSettings) -> None:
        """Raises `ValueError` for keys that cannot be read."""
        asyncssh.import_public_key(settings.host_key)
        if settings.private_key:
            asyncssh.import_private_key(settings.private_key)
        self._settings = settings

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """Upload under a temporary name, then rename. `key` is not used: the name is the key."""
        return _finish(_Upload(self._settings, file, mapper.remote_name(name)).run())

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """
        Look for the file by name and compare its bytes.

        Leftovers of unfinished uploads are removed first, so that a rename still on its way
        cannot succeed after the answer was no.
        """
        return _finish(self._find(mapper.remote_name(name), sha256))

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """The files behind a cursor and the next cursor; a page at a time."""
        return _finish(self._list(after, now=int(time.time())))

    async def _find(self, final: str, sha256: str) -> Held | NotHeld | InDoubt:
        try:
            async with _session(self._settings) as sftp:
                await _clear_partials(sftp, self._settings.upload_folder, final)
                found = await _digest_of(sftp, self._settings, final)
        except (asyncssh.Error, BlockedAddress, *_BROKEN) as problem:
            return InDoubt(f"the question was not answered ({type(problem).__name__})")
        if found == sha256:
            return Held(final)
        if found is not None:
            return InDoubt("other bytes are held under the same name")
        if self._settings.upload_folder not in self._settings.keeps_received_in:
            return InDoubt("this server does not keep what it picked up; absence proves nothing")
        return NotHeld()

    async def _list(self, after: str, *, now: int) -> tuple[tuple[InboundFile, ...], str]:
        cursor = mapper.Cursor.read(after)
        files: list[InboundFile] = []
        taken: list[mapper.Entry] = []
        folder = self._settings.answers_folder
        try:
            async with _session(self._settings) as sftp:
                entries = [
                    mapper.Entry(str(one.filename), one.attrs.size or 0, one.attrs.mtime or 0)
                    for one in await sftp.readdir(folder)
                    if mapper.is_finished(str(one.filename))
                    and one.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR
                ]
                for entry in cursor.fresh(entries)[: self._settings.page_size]:
                    data = await _read(sftp, f"{folder}/{entry.name}")
                    if len(data) != entry.size:
                        # Still being written: leave it, and all behind it, for the next time.
                        log.warning("clearinghouse list: a file is not as long as it is said to be")
                        break
                    files.append(InboundFile(entry.name, kind_of(data), data))
                    taken.append(entry)
        except (asyncssh.Error, BlockedAddress, *_BROKEN) as problem:
            # What was read whole before the connection broke is kept.
            log.warning("clearinghouse list: %s", type(problem).__name__)
        return tuple(files), cursor.behind(taken, now=now).write() if taken else after


class _Upload:
    """One attempt to hand one file in, which knows how far it got."""

    def __init__(self, settings: SftpSettings, file: bytes, final: str) -> None:
        self._settings = settings
        self._file = file
        self._digest = hashlib.sha256(file).hexdigest()
        self._final = final
        self._uploading = False
        self._renaming = False
        self._answer: Sent | Refused | Later | InDoubt | None = None

    async def run(self) -> Sent | Refused | Later | InDoubt:
        """Hand in, and say honestly how it ended."""
        try:
            async with _session(self._settings) as sftp:
                self._answer = await self._hand_in(sftp)
        except BlockedAddress:
            return Refused("address-not-allowed", False, "the server's address is not a public one")
        except asyncssh.PermissionDenied:
            return Refused("login-refused", False, "the server refused the login")
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            return Refused("host-key-refused", False, "the server is not the one that is known")
        except asyncssh.SFTPPermissionDenied:
            return self._unless_answered(
                Refused("permission-denied", False, "the server does not let us write there")
            )
        except asyncssh.SFTPNoSuchFile as problem:
            if self._uploading:
                # The folder is there: somebody with the same file cleared our upload away.
                return self._unless_answered(self._broken(problem))
            return self._unless_answered(
                Refused("no-such-folder", False, "the server has no such folder")
            )
        except (asyncssh.Error, *_BROKEN) as problem:
            return self._unless_answered(self._broken(problem))
        return self._unless_answered(Later(RETRY_SECONDS))

    def _unless_answered(
        self, otherwise: Sent | Refused | Later | InDoubt
    ) -> Sent | Refused | Later | InDoubt:
        """A connection that breaks while it is being closed takes no answer back."""
        if self._answer is not None:
            return self._answer
        if self._renaming and not isinstance(otherwise, InDoubt):
            return InDoubt("the rename was not answered")
        return otherwise

    def _broken(self, problem: BaseException) -> Later | InDoubt:
        if self._renaming:
            return InDoubt(f"broke off while renaming ({type(problem).__name__})")
        return Later(RETRY_SECONDS)

    async def _hand_in(self, sftp: asyncssh.SFTPClient) -> Sent | Refused | Later | InDoubt:
        folder, final = self._settings.upload_folder, self._final
        found = await _digest_of(sftp, self._settings, final)
        if found is not None:
            return self._as_found(found)
        await _clear_partials(sftp, folder, final)
        partial = f"{folder}/{mapper.partial_name(final, secrets.token_hex(4))}"
        async with sftp.open(partial, "wb") as upload:
            self._uploading = True
            await upload.write(self._file)
        if (await sftp.stat(partial)).size != len(self._file):
            return Later(RETRY_SECONDS)
        self._renaming = True
        try:
            await sftp.rename(partial, f"{folder}/{final}")
        except _LOST:
            raise
        except asyncssh.SFTPError as problem:
            return await self._after_refused_rename(sftp, partial, problem)
        return Sent(final)

    async def _after_refused_rename(
        self, sftp: asyncssh.SFTPClient, partial: str, problem: asyncssh.SFTPError
    ) -> Sent | Refused | Later | InDoubt:
        """The server said no to the rename; whether that is so can be seen."""
        with suppress(asyncssh.SFTPNoSuchFile):
            await sftp.remove(partial)
        found = await _digest_of(sftp, self._settings, self._final)
        if found is not None:
            return self._as_found(found)
        if self._settings.upload_folder not in self._settings.keeps_received_in:
            return InDoubt("the rename was refused, and the file is not to be seen")
        if isinstance(problem, asyncssh.SFTPPermissionDenied):
            return Refused("permission-denied", False, "the server does not let us rename there")
        return Later(RETRY_SECONDS)

    def _as_found(self, found: str) -> Sent | Refused:
        if found == self._digest:
            return Sent(self._final)
        return Refused("name-taken", False, "the server holds other bytes under this name")


@asynccontextmanager
async def _session(settings: SftpSettings) -> AsyncIterator[asyncssh.SFTPClient]:
    """
    A session with the known server, closed at the end and bounded in time as a whole.

    The address that was checked is the one that is called: a name cannot lead elsewhere in between.
    """
    own_key = settings.private_key
    async with asyncio.timeout(settings.total_seconds):
        addresses = await asyncio.to_thread(
            lookup.addresses, settings.host, settings.port, local=settings.local
        )
        connection = await asyncssh.connect(
            str(addresses[0]),
            settings.port,
            username=settings.user,
            password=settings.password or None,
            client_keys=[asyncssh.import_private_key(own_key)] if own_key else None,
            known_hosts=([asyncssh.import_public_key(settings.host_key)], [], []),
            config=[],
            agent_path=None,
            preferred_auth=["publickey", "password"],
            connect_timeout=settings.connect_seconds,
            login_timeout=settings.total_seconds,
        )
        try:
            yield await connection.start_sftp_client(sftp_version=3)
        finally:
            # Not a polite goodbye: that would wait for an answer, past the time limit.
            connection.abort()


async def _read(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        data = await file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise asyncssh.SFTPFailure("the file is too long")
    return data if isinstance(data, bytes) else data.encode()


async def _digest_of(sftp: asyncssh.SFTPClient, settings: SftpSettings, final: str) -> str | None:
    """The SHA-256 of the file wherever the server shows it, or None where it shows none."""
    for folder in dict.fromkeys((settings.upload_folder, *settings.keeps_received_in)):
        try:
            data = await _read(sftp, f"{folder}/{final}")
        except asyncssh.SFTPNoSuchFile:
            continue
        return hashlib.sha256(data).hexdigest()
    return None


async def _clear_partials(sftp: asyncssh.SFTPClient, folder: str, final: str) -> None:
    """Remove unfinished uploads of this file, so that none of them can be renamed any more."""
    for name in await sftp.listdir(folder):
        if mapper.is_partial_of(str(name), final):
            # Renamed or removed since the listing: either way it is no partial any more.
            with suppress(asyncssh.SFTPNoSuchFile):
                await sftp.remove(f"{folder}/{name}")


def _finish(work: Coroutine[None, None, T]) -> T:
    """Run to the end on a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
