"""Which codes can be given to several patients at once. Facts about the code sets; the words are ours."""

from __future__ import annotations

_ONE_AT_A_TIME = frozenset(
    "90791 90792 90832 90833 90834 90836 90837 90838 90839 90840 90845 90846 90847 90880 90901"
    " 96116 96121 96130 96131 96132 96133 96136 96137 96138 96139 96146"
    " 99202 99203 99204 99205 99212 99213 99214 99215".split()
)
"""Given to one patient, or to one family, at a time."""

_ALWAYS_SEVERAL = frozenset("90849 90853 96164 96165 97154 97157 97158 G0410 G0411 H0005".split())
"""Given to groups alone."""


def sees_several(code: str) -> bool:
    """
    Tell whether a code may be what each member of a group is seen for. What is not known may be.

    Group therapy (90853) and multi-family groups (90849) are billed per patient and session.

    >>> sees_several("90853"), sees_several("H0004"), sees_several("90837")
    (True, True, False)
    """
    return code not in _ONE_AT_A_TIME


def always_several(code: str) -> bool:
    """
    Tell whether a code says by itself that several patients were seen together.

    >>> always_several("90853"), always_several("H0004")
    (True, False)
    """
    return code in _ALWAYS_SEVERAL
