"""What has to be known to reach one account at an SFTP clearinghouse."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """One account. Raises `ValueError` when the server could not be told from an impostor."""

    host: str
    user: str
    host_key: str
    """The server's public key, as in a known_hosts file after the host: `ssh-ed25519 AAAA…`."""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    """A private key in OpenSSH form, instead of or beside the password."""
    port: int = 22
    upload_folder: str = "/inbound"
    """Where our files go (the clearinghouse names it from its own side)."""
    answers_folder: str = "/outbound"
    keeps_received_in: tuple[str, ...] = ()
    """
    Folders where a file that was handed in stays visible for good. With none, a file that is not
    there may have been picked up, so its absence proves nothing.
    """
    connect_seconds: float = 2
    total_seconds: float = 60
    """For one whole call; a big upload takes its time."""
    page_size: int = 50
    """How many files one `list_inbound` fetches at most."""
    local: bool = False
    """Whether the server may be on this machine, as the sandbox's is. Private networks never are called."""

    def __post_init__(self) -> None:
        if not self.host or not self.user:
            raise ValueError("host and user are needed")
        if not self.host_key.strip():
            raise ValueError("host_key is needed: an unknown server is never given a claim")
        if not self.password and not self.private_key:
            raise ValueError("a password or a private key is needed")
