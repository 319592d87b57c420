"""What an interchange that came in is, read off its first segments."""

from __future__ import annotations

GROUP_KINDS = {"FA": "999", "HP": "835", "HB": "271"}


QUESTIONS = {"HS": "270", "HR": "276"}


def question_of(data: bytes) -> str:
    """ST01 of an interchange of questions, read off its group; empty: it is none."""
    element, terminator = data[3:4], data[105:106]
    if len(data) < 106 or not data.startswith(b"ISA"):
        return ""
    group = next((part for part in data[106:400].split(terminator) if part.strip().startswith(b"GS")), b"")
    parts = group.strip().split(element)
    return QUESTIONS.get(parts[1].decode("latin-1"), "") if len(parts) > 1 else ""


def kind_of(data: bytes) -> str:
    """What an answer is, read off its envelope; the name of the file says nothing reliable."""
    if len(data) < 106 or not data.startswith(b"ISA"):
        return "unknown"
    element, terminator = data[3:4], data[105:106]
    segments = [part.strip().split(element) for part in data[106:4096].split(terminator)]
    tags = [segment[0] for segment in segments]
    if b"GS" not in tags:
        return "TA1" if b"TA1" in tags else "unknown"
    group = segments[tags.index(b"GS")]
    functional_id = group[1].decode("latin-1") if len(group) > 1 else ""
    version = group[8] if len(group) > 8 else b""
    if functional_id == "HN":
        kinds = {b"005010X214": "277CA", b"005010X212": "277"}
        return kinds.get(version[:10], "unknown")
    return GROUP_KINDS.get(functional_id, "unknown")
