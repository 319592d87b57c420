"""An import-linter contract: whoever enters a room from outside enters by one of its doors."""

from __future__ import annotations

from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class FrontDoorContract(Contract):
    """
    Forbid `visitors` from importing anything of a room but its `doors`.

    The rooms are the children of the package `rooms`; a door is a module or package right under
    a room, whole: `services` opens `services.sending` too. A room is free inside itself, and tests
    may go anywhere.
    """

    rooms: Any = fields.StringField()
    visitors: Any = fields.StringField()
    but_not: Any = fields.StringField(required=False)
    """A package among the visitors that has a contract of its own."""
    doors: Any = fields.SetField(subfield=fields.StringField())
    edges: Any = fields.SetField(subfield=fields.StringField(), required=False)
    """Files of a visiting room that may also enter by `edge_doors`."""
    edge_doors: Any = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Collect every visitor that is in a room by another way than a door."""
        breaches = [
            (visitor, module)
            for room in sorted(graph.find_children(self.rooms))
            for module in sorted(graph.find_descendants(room) | {room})
            if module.removeprefix(f"{room}.").split(".")[0] not in self.doors
            for visitor in sorted(graph.find_modules_that_directly_import(module))
            if f"{visitor}.".startswith(f"{self.visitors}.")
            and not (self.but_not and f"{visitor}.".startswith(f"{self.but_not}."))
            and visitor != room
            and not visitor.startswith(f"{room}.")
            and "tests" not in visitor.split(".")
            and not self._is_between_edges(visitor, module, room)
        ]
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def _is_between_edges(self, visitor: str, module: str, room: str) -> bool:
        door = module.removeprefix(f"{room}.").split(".")[0]
        place = visitor.removeprefix(f"{self.rooms}.").split(".")
        return door in (self.edge_doors or ()) and len(place) > 1 and place[1] in (self.edges or ())

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say who came in where, and which doors there are."""
        for visitor, module in check.metadata["breaches"]:
            output.print_error(
                f"{visitor} enters by {module}; the doors are {', '.join(sorted(self.doors))}"
            )
