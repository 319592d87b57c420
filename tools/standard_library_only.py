"""An import-linter contract: some packages need nothing but the standard library."""

from __future__ import annotations

import sys
from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryOnlyContract(Contract):
    """
    Forbid `packages` from importing third-party code, and the `never` part of the standard library.

    An exception is written `importing.module -> package`. Tests may import anything.
    """

    packages: Any = fields.ListField(subfield=fields.StringField())
    never: Any = fields.SetField(subfield=fields.StringField(), required=False)
    exceptions: Any = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Collect every import that leads out of the packages and the standard library."""
        own = self.packages[0].split(".")[0]
        never, exceptions = self.never or set(), self.exceptions or set()
        breaches = []
        for package in self.packages:
            for module in sorted(graph.find_descendants(package) | {package}):
                if "tests" in module.split("."):
                    continue
                for imported in sorted(graph.find_modules_directly_imported_by(module)):
                    top = imported.split(".")[0]
                    bare = top in sys.stdlib_module_names and top not in never
                    if top != own and not bare and f"{module} -> {top}" not in exceptions:
                        breaches.append((module, imported))
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say which module imports what."""
        for module, imported in check.metadata["breaches"]:
            output.print_error(f"{module} imports {imported}")
