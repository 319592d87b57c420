"""
What adjustment reasons (CARC) mean for the one who works with them, as data.

Numbers are facts of the code list; the words are our own. A number that is not here is of the class
`other`: a person looks at it. Practices override what becomes of a reason in their posting policy.
(edi reference, the numbers that drive posting.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of reasons: what they have in common, and what to do about them."""

    name: str
    says: str
    """What the payer says with it."""
    to_do: str
    """What a biller does about it; empty: nothing."""
    reasons: tuple[str, ...]


KINDS = (
    Kind("patient_share", "Deductible, coinsurance or copay.", "", ("1", "2", "3")),
    Kind(
        "contract", "Taken off by contract or law.", "",
        ("45", "253", "131", "144", "161", "237", "104", "223"),
    ),
    Kind("prior_payer", "What an earlier payer did; it informs.", "", ("23",)),
    Kind("duplicate", "The payer has decided this service before.", "Find the first decision.", ("18",)),
    Kind(
        "other_payer", "Another payer is responsible.", "Find that payer, and bill it.",
        ("22", "109", "24", "B11"),
    ),
    Kind("late", "Filed after the payer's limit.", "Send the proof of timely filing.", ("29",)),
    Kind(
        "information", "Something is missing; the remark codes say what.", "Mend it and send a replacement.",
        ("16", "226", "227", "252", "163", "129"),
    ),
    Kind(
        "authorization", "There was no authorization or referral, or it is used up.",
        "Ask for one that reaches back, or appeal.", ("197", "198", "15", "272", "288", "243"),
    ),
    Kind(
        "necessity", "Not necessary, too often, or not with this diagnosis.", "Appeal with the clinical reasons.",
        ("50", "150", "151", "11", "167", "146"),
    ),
    Kind(
        "bundled", "Part of another service, or its main service is missing.", "Look at the codes of that day.",
        ("97", "231", "236", "234", "B15", "59"),
    ),
    Kind(
        "setup", "Modifier, place, code or provider does not fit.", "Mend the claim, or the payer's enrolment.",
        ("4", "5", "58", "181", "182", "170", "171", "185", "B7", "206", "207", "208", "8"),
    ),
    Kind(
        "maximum", "The plan's limit is reached.", "Look whether the patient may be billed.",
        ("119", "35", "149", "222"),
    ),
    Kind(
        "not_covered", "The plan does not cover it, or not then.", "Verify the policy; bill who covers it.",
        ("26", "27", "31", "96", "204"),
    ),
    Kind("paid_elsewhere", "Paid to the patient or from an account of theirs.", "Ask the patient.", ("187", "100")),
    Kind(
        "decided", "Decided before, or paid to another provider.", "Compare with the first decision.",
        ("B13", "B20", "193", "136", "276"),
    ),
)  # fmt: skip
"""Every class, the harmless ones first."""

OTHER = Kind("other", "A reason that this list does not know.", "Look it up, and decide.", ())

_KIND_OF: Mapping[str, Kind] = MappingProxyType(
    {reason: kind for kind in KINDS for reason in kind.reasons}
)


def kind_of(reason: str) -> Kind:
    """Return the class of a reason.

    >>> kind_of("197").name, kind_of("A99").name
    ('authorization', 'other')
    """
    return _KIND_OF.get(reason, OTHER)


def gravest(reasons: list[str]) -> Kind:
    """Return the class to work by, of several reasons: the one that stands last in the list above; unknown ones win."""
    order = {kind.name: place for place, kind in enumerate((*KINDS, OTHER))}
    return max((kind_of(reason) for reason in reasons), key=lambda kind: order[kind.name], default=OTHER)
