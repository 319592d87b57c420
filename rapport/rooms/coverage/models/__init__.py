"""Tables of coverage."""

from __future__ import annotations

from .authorizations import Authorization
from .contracts import ContractRate
from .directory import CredentialSpan, EnrollmentChange
from .eligibility import EligibilityCheck, EligibilityExchange, EligibilityFile
from .estimates import Estimate, EstimateLine
from .policies import Payer, PayerExternalId, Policy
from .settings import CoverageSettings

__all__ = [
    "Authorization",
    "ContractRate",
    "CoverageSettings",
    "CredentialSpan",
    "EligibilityCheck",
    "EligibilityExchange",
    "EligibilityFile",
    "EnrollmentChange",
    "Estimate",
    "EstimateLine",
    "Payer",
    "PayerExternalId",
    "Policy",
]
