"""Codes from a mailbox by IMAP: supplies `rooms.exchange.ports.Mailboxes`."""
