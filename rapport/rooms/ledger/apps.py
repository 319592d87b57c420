from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "rapport.rooms.ledger"
    label = "ledger"
