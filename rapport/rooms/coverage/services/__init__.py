"""What can be done to coverage. One function per verb; each runs in the caller's transaction."""

from __future__ import annotations

from rapport.platform.tenancy.external import ExternalIdTaken

from .authorizations import AuthorizationKnown, change_authorization, create_authorization
from .contracts import import_contract_rates, set_contract_rates
from .directory import (
    CredentialOverlap,
    change_credential_span,
    create_credential_span,
    note_enrollment,
)
from .eligibility import (
    Asking,
    NoWayToAsk,
    begin_asking,
    record_answer,
    request_check,
    supply_inquiries,
    take_up,
)
from .eligibility_files import (
    Came,
    give_up,
    give_up_what_is_lost,
    make_files,
    receive_answers,
    refuse_file,
    whereabouts,
)
from .estimates import create_estimate, give_estimate, paper_of, watch_estimates
from .policies import (
    PolicyOverlap,
    change_payer,
    change_policy,
    create_payer,
    create_policy,
    one_per_rank,
    put_payer,
    roll_over,
    show_new_name,
    show_primary,
)
from .settings import change_settings, check_before_visits

__all__ = [
    "Asking",
    "AuthorizationKnown",
    "Came",
    "CredentialOverlap",
    "ExternalIdTaken",
    "NoWayToAsk",
    "PolicyOverlap",
    "begin_asking",
    "change_authorization",
    "change_credential_span",
    "change_payer",
    "change_policy",
    "change_settings",
    "check_before_visits",
    "create_authorization",
    "create_credential_span",
    "create_estimate",
    "create_payer",
    "create_policy",
    "give_estimate",
    "give_up",
    "give_up_what_is_lost",
    "import_contract_rates",
    "make_files",
    "note_enrollment",
    "one_per_rank",
    "paper_of",
    "put_payer",
    "receive_answers",
    "record_answer",
    "refuse_file",
    "request_check",
    "roll_over",
    "set_contract_rates",
    "show_new_name",
    "show_primary",
    "supply_inquiries",
    "take_up",
    "watch_estimates",
    "whereabouts",
]
