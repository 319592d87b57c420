"""Which connector supplies which port. The only file that knows both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapport.connectors.cards_stripe.driver import StripeProcessor
from rapport.connectors.cards_stripe.notices import StripeNotices
from rapport.connectors.cards_stripe.settings import BASE_URL, StripeSettings
from rapport.connectors.clearinghouse_http.claim_md import settings as claim_md
from rapport.connectors.clearinghouse_http.claim_md.driver import ClaimMdClearinghouse
from rapport.connectors.clearinghouse_http.driver import HttpClearinghouse
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.connectors.clearinghouse_http.stedi import settings as stedi
from rapport.connectors.clearinghouse_http.stedi.driver import StediClearinghouse
from rapport.connectors.clearinghouse_sftp.settings import SftpSettings
from rapport.connectors.mailbox_imap.driver import ImapMailboxes
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.scripts import CHROMIUM as BROWSER
from rapport.connectors.quickbooks.driver import QuickBooks
from rapport.connectors.quickbooks.settings import QuickBooksSettings
from rapport.rooms.accounting import jobs as accounting
from rapport.rooms.charting import at_source as charts
from rapport.rooms.claims import at_source as billing
from rapport.rooms.claims import jobs as claims
from rapport.rooms.claims.ports import Clearinghouse
from rapport.rooms.exchange import handlers
from rapport.rooms.exchange import jobs as exchange
from rapport.rooms.payments import jobs as payments
from rapport.rooms.payments import services as cards
from rapport.rooms.payments.ports import Processor
from rapport.rooms.roster import at_source as roster
from rapport.rooms.scheduling import at_source as calendar

from .environment import ENVIRONMENT

__all__ = ["BROWSER", "connect", "offer"]


def _http(settings: Mapping[str, Any], secret: str) -> Clearinghouse:
    return HttpClearinghouse(HttpSettings(base_url=str(settings["base_url"]), api_key=secret))


def _stedi(settings: Mapping[str, Any], secret: str) -> Clearinghouse:
    return StediClearinghouse(
        stedi.StediSettings(
            api_key=secret,
            sender_id=str(settings["sender_id"]),
            base_url=str(settings.get("base_url") or stedi.CLAIMS_URL),
            answers_url=str(settings.get("answers_url") or stedi.CORE_URL),
        )
    )


def _claim_md(settings: Mapping[str, Any], secret: str) -> Clearinghouse:
    return ClaimMdClearinghouse(
        claim_md.ClaimMdSettings(
            account_key=secret,
            sender_id=str(settings["sender_id"]),
            base_url=str(settings.get("base_url") or claim_md.BASE_URL),
        )
    )


def _sftp(settings: Mapping[str, Any], secret: str) -> Clearinghouse:
    # Speaking SSH takes 20 MB: only a process that does it loads it, and none that answers requests does.
    from rapport.connectors.clearinghouse_sftp.driver import SftpClearinghouse

    return SftpClearinghouse(
        SftpSettings(
            host=str(settings["host"]),
            port=int(settings.get("port") or 22),
            user=str(settings["user"]),
            host_key=str(settings["host_key"]),
            password=secret,
            keeps_received_in=tuple(settings.get("keeps_received_in") or ()),
            local=ENVIRONMENT.local_webhooks,
        )
    )


def _stripe(settings: Mapping[str, Any], secret: str) -> Processor:
    return StripeProcessor(
        StripeSettings(
            secret_key=secret,
            account=str(settings.get("account") or ""),
            base_url=str(settings.get("base_url") or BASE_URL),
        )
    )


def offer() -> None:
    """Hand over what every process needs: which portals can be linked, and where their records go."""
    exchange.supply(PortalDriver(local=ENVIRONMENT.local_webhooks))
    exchange.supply_mailboxes(ImapMailboxes(local=ENVIRONMENT.local_webhooks))
    cards.supply_notices(kind="stripe", reader=StripeNotices())
    handlers.connect()
    if ENVIRONMENT.quickbooks_id:
        accounting.supply(
            QuickBooks(
                QuickBooksSettings(
                    client_id=ENVIRONMENT.quickbooks_id, client_secret=ENVIRONMENT.quickbooks_secret,
                    redirect_uri=ENVIRONMENT.quickbooks_redirect,
                )
            )
        )
    calendar.keeper.supply(handlers.PortalCalendar())
    roster.keeper.supply(handlers.PortalRoster())
    charts.keeper.supply(handlers.PortalCharts())
    billing.keeper.supply(handlers.PortalBilling())


def connect() -> None:
    """Hand the drivers to the rooms. Called once by a process that works on jobs."""
    claims.supply("http", _http)
    claims.supply("stedi", _stedi)
    claims.supply("claim_md", _claim_md)
    claims.supply("sftp", _sftp)
    payments.supply("stripe", _stripe)
    offer()
