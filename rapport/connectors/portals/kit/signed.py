"""Keys and signatures of definitions, for their authors."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rapport.connectors.portals import loader, signing
from rapport.connectors.portals.kit import files
from rapport.connectors.portals.kit.outcome import Outcome, Unusable


def key(out: Path) -> Outcome:
    """Make a key: `out` is for its owner alone, `out` with `.pub` for whoever is to believe it."""
    private, public = signing.new_key()
    files.write_private(out, f"{private}\n".encode())
    beside = out.with_suffix(".pub")
    files.write(beside, f"{public}\n".encode())
    return Outcome([f"{out} signs: keep it, and give it to nobody.", f"{beside} is how its signatures are believed: put it into signers/."], {"public": public})


def sign(folder: Path, *, key_file: Path) -> Outcome:
    """Check a definition, bring it into its form, and sign it."""
    definition = files.definition(str(folder))
    if not (folder / "definition.json").is_file():
        raise Unusable(f"{folder} has no definition.json")
    if definition.definition != folder.name:
        raise Unusable(f"a definition called {definition.definition} stands in a folder of that name")
    try:
        signing.sign(folder, key=files.private(key_file).decode("ascii").strip())
    except (ValueError, UnicodeDecodeError) as problem:
        raise Unusable(f"{key_file} is no key that signs, or the definition has a member twice") from problem
    digest = hashlib.sha256(files.content(folder / "definition.json")).hexdigest()
    return Outcome([f"{definition.definition} {definition.revision} is signed."], {"definition": definition.definition, "sha256": digest})


def verify(folder: Path) -> Outcome:
    """See that somebody who is believed beside it (`signers/`) stands for a definition."""
    folder = folder.resolve()
    try:
        loaded = loader.load(folder.name, folder=folder.parent)
    except loader.NotDefined as problem:
        return Outcome([f"{folder.name} is refused: {problem}. After each change it is signed again: `rapport connect sign`."], {"holds": False, "why": str(problem)}, failed=True)
    made = loaded.definition
    return Outcome(
        [f"{made.definition} {made.revision} holds ({made.level})."],
        {"holds": True, "definition": made.definition, "revision": made.revision, "level": made.level, "sha256": loaded.sha256},
    )  # fmt: skip
