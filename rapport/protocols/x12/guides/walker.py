"""
Walks a transaction set along a guide's table: which loop each segment stands in, and what is amiss.

A table is text, one node a line, children indented by two blanks:

    @2010AA R 1            a loop: its name, usage, how often
      NM1 R 1 01=85 02=1,2 03 08?XX 09?
      N3 R 1 01

Usage is R (required), W (required, but a file without it can be used: a warning) or S
(situational). After a segment come its elements: `03` required, `02=1,2` required with these codes, `08?XX`
not required, and with these codes when there, `09?` may be there, `05-2=B` a component. Of the
tags in `QUALIFIED` the code of one element tells which node a segment is. Nodes of the same tag
that follow one another may stand in any order, and so may loops that begin with the same tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rapport.protocols.x12.syntax import Finding, Segment

QUALIFIED = {
    "AMT": (1, 0), "CRC": (1, 0), "DTM": (1, 0), "DTP": (1, 0), "HI": (1, 1), "HL": (3, 0),
    "N1": (1, 0), "NM1": (1, 0), "NTE": (1, 0), "PER": (1, 0), "PRV": (1, 0), "QTY": (1, 0),
    "REF": (1, 0),
}  # fmt: skip
"""Tag -> element, component whose code tells its nodes apart."""

_ELEMENT = re.compile(r"(\d\d)(?:-(\d+))?(?:([=?])(\S*))?$")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the guide asks of one element or component."""

    number: int
    component: int
    required: bool
    codes: frozenset[str]

    @property
    def place(self) -> str:
        """As findings name it: `05` or `05-2`."""
        return f"{self.number:02}-{self.component}" if self.component else f"{self.number:02}"


@dataclass(slots=True)
class Node:
    """A segment or a loop of a guide."""

    name: str
    usage: str
    most: int
    """How often at most; 0 without limit."""
    rank: int = 0
    """Place among its siblings; equal ranks may stand in any order."""
    rules: tuple[Rule, ...] = ()
    children: list[Node] | None = None
    """None: a segment."""
    qualifiers: frozenset[str] = frozenset()

    def matches(self, segment: Segment) -> bool:
        """Tell whether a segment is this node, or begins this loop."""
        node = self.children[0] if self.children is not None else self
        if segment.elements[0] != node.name:
            return False
        return not node.qualifiers or _value(segment, *QUALIFIED[node.name]) in node.qualifiers

    @property
    def first_tag(self) -> str:
        """The tag by which the node begins."""
        return self.children[0].name if self.children else self.name

    def label(self) -> str:
        """How a finding calls the node."""
        if self.children is not None:
            return f"Loop {self.name}"
        return f"{self.name}*{'/'.join(sorted(self.qualifiers))}" if self.qualifiers else self.name


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide's table, read."""

    name: str
    root: Node
    tags: frozenset[str]


def _value(segment: Segment, number: int, component: int) -> str:
    if not component:
        return segment.get(number)
    parts = segment.components(number)
    return parts[component - 1] if component <= len(parts) else ""


def parse(name: str, table: str) -> Guide:
    """Read a guide's table; the lines are those of the module's docstring."""
    root = Node(name, "R", 1, children=[])
    stack: list[tuple[int, Node]] = [(-1, root)]
    tags = set()
    for line in table.strip("\n").splitlines():
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        word, usage, most, *elements = line.split()
        while stack[-1][0] >= depth:
            stack.pop()
        siblings = stack[-1][1].children
        if siblings is None:
            raise ValueError(f"{name}: {line.strip()} stands below a segment")
        rules = tuple(_rule(text) for text in elements)
        node = Node(word.lstrip("@"), usage, int(most.replace(">1", "0")), rules=rules)
        if word.startswith("@"):
            node.children = []
        else:
            tags.add(word)
            place = QUALIFIED.get(word)
            node.qualifiers = next(
                (r.codes for r in rules if place and (r.number, r.component) == place), frozenset()
            )
        siblings.append(node)
        stack.append((depth, node))
    _rank(root)
    return Guide(name, root, frozenset(tags))


def _rule(text: str) -> Rule:
    match = _ELEMENT.match(text)
    if match is None:
        raise ValueError(f"no element rule: {text}")
    number, component, sign, codes = match.groups()
    return Rule(
        int(number),
        int(component or 0),
        sign != "?",
        frozenset(filter(None, (codes or "").split(","))),
    )


def _rank(loop: Node) -> None:
    rank, before = 0, ("", False)
    for node in loop.children or ():
        kind = (node.first_tag, node.children is not None)
        if kind != before:
            rank += 1
        before, node.rank = kind, rank
        _rank(node)


@dataclass(slots=True)
class _Frame:
    """A loop while it is open."""

    loop: Node
    opened_at: int
    rank: int = 0
    counts: dict[int, int] = field(default_factory=dict)

    def opens_again(self, node: Node) -> bool:
        """Tell whether the segment that began the loop would stand in it once too often."""
        first = self.loop.children[0] if self.loop.children else None
        return node is first and 0 < node.most <= self.counts.get(id(node), 0)


class Walk:
    """One transaction set on its way through a guide. `findings` grows."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.findings: list[Finding] = []
        self._stack = [_Frame(guide.root, 0)]

    def take(self, segment: Segment) -> str:
        """Place the next segment and return its loop; empty when it has no place."""
        behind: tuple[int, Node] | None = None
        for depth in range(len(self._stack) - 1, -1, -1):
            frame = self._stack[depth]
            for node in frame.loop.children or ():
                if not node.matches(segment):
                    continue
                if node.rank >= frame.rank and not frame.opens_again(node):
                    return self._enter(depth, node, segment)
                behind = behind or (depth, node)
        if behind is not None:
            self._add(
                segment, "", "order", f"{behind[1].label()} stands after what it must stand before."
            )
            return self._enter(*behind, segment)
        if segment.tag not in self.guide.tags:
            self._add(segment, "", "segment-unknown", "The guide has no such segment.")
        else:
            number = QUALIFIED.get(segment.tag, (0, 0))[0]
            self._add(
                segment, f"{number:02}" if number else "", "segment-unexpected",
                f"The segment, or its qualifier, has no place in loop {self._stack[-1].loop.name}.",
            )  # fmt: skip
        return ""

    def end(self, segment: Segment) -> None:
        """Close all loops; `segment` is the SE."""
        self._close(0, segment)
        self._missing(self._stack[0], segment)

    def _enter(self, depth: int, node: Node, segment: Segment) -> str:
        self._close(depth, segment)
        frame = self._stack[depth]
        frame.rank = max(frame.rank, node.rank)
        count = frame.counts[id(node)] = frame.counts.get(id(node), 0) + 1
        if node.most and count > node.most:
            what = "loop-repeats" if node.children is not None else "segment-repeats"
            self._add(segment, "", what, f"{node.label()} may stand {node.most} time(s).")
        if node.children is None:
            self._elements(node, segment)
            return frame.loop.name
        inner = _Frame(node, segment.index)
        first = node.children[0]
        inner.rank, inner.counts[id(first)] = first.rank, 1
        self._stack.append(inner)
        self._elements(first, segment)
        return node.name

    def _close(self, depth: int, segment: Segment) -> None:
        while len(self._stack) > depth + 1:
            self._missing(self._stack.pop(), segment)

    def _missing(self, frame: _Frame, segment: Segment) -> None:
        for node in frame.loop.children or ():
            if node.usage != "S" and id(node) not in frame.counts:
                severity = "error" if node.usage == "R" else "warning"
                rule = "loop-missing" if node.children is not None else "segment-missing"
                where = f"loop {frame.loop.name}" + (
                    f", which begins at segment {frame.opened_at}" if frame.opened_at else ""
                )
                self.findings.append(
                    Finding(node.first_tag, frame.opened_at or segment.index, "", rule, severity,
                            f"{node.label()} is missing in {where}.")
                )  # fmt: skip

    def _elements(self, node: Node, segment: Segment) -> None:
        for rule in node.rules:
            value = _value(segment, rule.number, rule.component)
            if not value:
                if rule.required and (not rule.component or segment.get(rule.number)):
                    self._add(segment, rule.place, "element-missing", "The element is required.")
            elif rule.codes and value not in rule.codes:
                codes = (
                    ", ".join(sorted(rule.codes)) if len(rule.codes) < 13 else "the guide's list"
                )
                self._add(segment, rule.place, "code", f"The code must be one of {codes}.")

    def _add(self, segment: Segment, element: str, rule: str, message: str) -> None:
        self.findings.append(Finding(segment.tag, segment.index, element, rule, "error", message))


def walk(
    guide: Guide, body: Iterable[Segment], *, end: Segment
) -> tuple[list[tuple[str, Segment]], list[Finding]]:
    """
    Return the loop of each segment, and what the guide forbids.

    :param body: the segments between ST and SE
    :param end: where findings about what is missing at the end stand
    """
    course = Walk(guide)
    placed = [(course.take(segment), segment) for segment in body]
    course.end(end)
    return placed, course.findings
