"""How work on a denial ends, and what an appeal says: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RESOLUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "appealed": "An appeal was sent",
        "corrected": "A corrected claim was sent",
        "billed_elsewhere": "Another payer was billed",
        "written_off": "The practice gave it up, by a write-off of its own",
        "accepted": "The payer is right; nothing is done",
    }
)
"""How a person ends it. Nothing is booked by it: a write-off is a deed of its own."""

_ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "authorization": "The service was authorized, or an authorization could not be had in time for reasons"
        " that are described in the records enclosed. Please grant it with effect from the day of service.",
        "necessity": "The service was necessary for this patient's condition, and of the frequency and length that"
        " their treatment plan asks for. The records enclosed describe the symptoms, the plan and the progress.",
        "late": "The claim was filed within your limit. The proof of filing is enclosed.",
        "information": "What was missing is enclosed.",
        "bundled": "The service is separate from the others of that day, and was documented separately.",
        "duplicate": "The service is not the same as the one that you decided before.",
    }
)


def argument(kind: str) -> str:
    """Return what an appeal says where the practice gives no words of its own. :param kind: class of the reason"""
    return _ARGUMENTS.get(kind, "The service was rendered and documented as billed, and is covered by the plan.")
