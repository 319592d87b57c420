"""Write, try, fit and mend the definition of a portal. The guide is rapport/connectors/portals/DEFINITIONS.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from . import asking

if TYPE_CHECKING:
    from rapport.config.kit import Outcome

DONE, FOUND, USAGE = 0, 1, 2


def register(parser: argparse.ArgumentParser) -> None:
    """The steps, in the order in which they are usually taken."""
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    for name, summary, arguments in STEPS:
        step = steps.add_parser(name, help=summary, description=summary)
        arguments(step)
        step.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 done, 1 something was found or did not work, 2 what was given cannot be used."""
    from rapport.config import kit

    kit.without_database()
    try:
        outcome = RUNS[arguments.step](arguments)
    except (kit.Unusable, asking.BadPair) as problem:
        print(f"rapport connect {arguments.step}: {problem}", file=sys.stderr)
        return USAGE
    if arguments.json:
        print(json.dumps({"failed": outcome.failed} | outcome.data, indent=2, ensure_ascii=False, default=str))
    else:
        print("\n".join(outcome.lines))
    return FOUND if outcome.failed else DONE


def _portal(step: argparse.ArgumentParser, *, required: bool = True) -> None:
    step.add_argument("--definition", metavar="NAME", required=True, help="name of a signed definition")
    step.add_argument("--folder", type=Path, metavar="DIR", help="where definitions and signers/ are; else those that are shipped")
    step.add_argument("--url", metavar="URL", required=required, help="address of the practice's portal")
    step.add_argument("--user", metavar="NAME", default="", help="portal user, one of its own: `$identity.username` of the definition")
    step.add_argument("--identity", metavar="NAME=VALUE", action="append", default=[], help="what else the sign-in takes: `$identity.NAME` of the definition, such as practice_code")
    _secrets(step)


def _secrets(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "--secrets", type=Path, metavar="FILE",
        help='{"password": …, "totp_seed": …}, mode 0600; else RAPPORT_PORTAL_PASSWORD and RAPPORT_PORTAL_TOTP_SEED, else you are asked',
    )  # fmt: skip


def _assess(step: argparse.ArgumentParser) -> None:
    _portal(step)
    step.add_argument("--calibration", type=Path, metavar="FILE", help="overlay of this practice")


def _record(step: argparse.ArgumentParser) -> None:
    step.add_argument("--url", metavar="URL", required=True, help="address at which the sign-in begins")
    step.add_argument("--base", metavar="URL", help="address of the portal, where it does not have its host to itself; else the host of --url")
    step.add_argument("--out", type=Path, metavar="DIR", required=True, help="where the recording goes")
    step.add_argument("--har", type=Path, metavar="FILE", help="what another browser recorded; else a browser is opened here")
    step.add_argument("--again", type=Path, metavar="FILE", help="HAR file of the same steps once more: tells which parameters change each time")
    step.add_argument("--walk", type=Path, metavar="FILE", help="addresses to open, one a line, in a browser that nobody sees: twice, to tell what changes each time")
    step.add_argument("--type", metavar="NAME=VALUE", action="append", default=[], help="what goes into the control of that name (its `name` in the page) on the first page, before the password")
    step.add_argument("--mark", type=Path, metavar="FILE", help="values that are somebody's, one a line: proven to be gone")
    step.add_argument("--keep", metavar="WORDS", action="append", default=[], help="word or phrase of the portal that stands in cells or addresses, such as a status; once for each")
    step.add_argument("--plain", metavar="NAME", action="append", default=[], help="parameter whose values are nobody's, such as which columns are shown")
    step.add_argument("--definition", metavar="DEFINITION", help="one whose words are kept")
    _secrets(step)


def _draft(step: argparse.ArgumentParser) -> None:
    step.add_argument("recording", metavar="RECORDING")
    step.add_argument("--out", type=Path, metavar="FILE", required=True, help="the definition; its evidence goes beside it")
    step.add_argument("--name", metavar="NAME", help="of the definition; else the folder's")
    step.add_argument("--product", metavar="WORDS", default="", help="what the portal is called")
    step.add_argument("--list", metavar="CALL=PATH", action="append", default=[], help="which list stands at an address, where no word tells")


def _rerun(step: argparse.ArgumentParser) -> None:
    step.add_argument("definition", metavar="DEFINITION", help="file, folder, or name of one that is shipped")
    step.add_argument("recording", metavar="RECORDING", help="file, or folder of *.jsonl")


def _replay(step: argparse.ArgumentParser) -> None:
    _rerun(step)
    step.add_argument("--rows", type=Path, metavar="FILE", help="rows that are right, to compare with")
    step.add_argument("--save", action="store_true", help="keep the rows that were read in --rows instead")
    step.add_argument("--shapes", type=Path, metavar="DIR", help="write the shape of each list, for diagnose")
    step.add_argument("--calibration", type=Path, metavar="FILE", help="overlay to read it with, such as a patch of diagnose")


def _calibrate(step: argparse.ArgumentParser) -> None:
    _portal(step, required=False)
    step.add_argument("--recording", metavar="RECORDING", help="pages from a recording, instead of --url")
    step.add_argument("--page", metavar="CALL=ADDRESS", action="append", default=[], help="where a list is, from /")
    step.add_argument("--empty", metavar="CALL=ADDRESS", action="append", default=[], help="where it has nothing in it")
    step.add_argument("--answers", type=Path, metavar="FILE", help="JSON: place of a question -> words of the header; empty: there is none")
    step.add_argument("--calibration", type=Path, metavar="FILE", help="an overlay to go on from")
    step.add_argument("--out", type=Path, metavar="FILE", required=True, help="where the overlay goes")


def _diagnose(step: argparse.ArgumentParser) -> None:
    step.add_argument("--call", metavar="CALL", required=True, help="the list, e.g. patients")
    step.add_argument("--before", type=Path, metavar="SHAPE", required=True)
    step.add_argument("--after", type=Path, metavar="SHAPE")
    step.add_argument("--recording", metavar="RECORDING", default="", help="pages as they are now, instead of --after")
    step.add_argument("--definition", metavar="DEFINITION", default="", help="reads the recording")
    step.add_argument("--out", type=Path, metavar="FILE", help="what can be shared: shapes, findings, patch")
    step.add_argument("--calibration", type=Path, metavar="FILE", help="overlay of the practice: read with it, and the patch is added to it")
    step.add_argument("--patch", type=Path, metavar="FILE", help="where the overlay with the patch goes, if there is one")


def _key(step: argparse.ArgumentParser) -> None:
    step.add_argument("--out", type=Path, metavar="FILE", required=True)


def _sign(step: argparse.ArgumentParser) -> None:
    step.add_argument("definition", type=Path, metavar="FOLDER")
    step.add_argument("--key", type=Path, metavar="FILE", required=True, help="made by `key`, mode 0600")


def _verify(step: argparse.ArgumentParser) -> None:
    step.add_argument("definition", type=Path, metavar="FOLDER")


STEPS: Sequence[tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = (
    ("assess", "say what a portal's user can be used for: read-only, before anything is stored", _assess),
    ("record", "record a portal without anybody's data, with a browser or from a HAR file", _record),
    ("draft", "make a first definition from a recording, with the evidence of each guess", _draft),
    ("replay", "read a recording with a definition, and compare with rows that are right", _replay),
    ("gym", "show a definition what happens to portals: no wrong rows may be published", _rerun),
    ("calibrate", "fit a definition to one practice, from pages of its lists", _calibrate),
    ("diagnose", "say what fell when a page changed, and what would mend it", _diagnose),
    ("key", "make a key that signs definitions", _key),
    ("sign", "bring a definition into its form and sign it", _sign),
    ("verify", "see that somebody who is believed stands for a definition", _verify),
)


def _place(a: argparse.Namespace) -> Any:
    from rapport.config.kit import files, live

    overlay = files.read_json(a.calibration) if a.calibration else {}
    identity = asking.pairs(a.identity) | ({"username": a.user} if a.user else {})
    secrets = asking.secrets(files.secrets(a.secrets) if a.secrets else None)
    return live.place(a.definition, folder=a.folder, url=a.url, identity=identity, secrets=secrets, overlay=overlay)


def _run_assess(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import assessing

    return assessing.assess(_place(a), asking.code)


def _run_record(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import Unusable, capture, files, recording

    known = files.secrets(a.secrets) if a.secrets else None
    carrier, kept = None, dict[str, str]()
    base = a.base or urljoin(a.url, "/")
    if not recording.belongs(a.url, base):
        raise Unusable("--base: the address of --url does not lie there. Where several practices share a sign-in, give one below the base that leads to it, such as the base itself")
    if a.har is not None:
        secrets = known or {}
        seen = recording.of_har(files.content(a.har), base_url=base)
        again = recording.of_har(files.content(a.again), base_url=base) if a.again else []
    elif a.walk is not None:
        secrets = asking.secrets(known)
        addresses, typed = files.lines(a.walk), asking.pairs(a.type)
        first, second = (capture.walk(a.url, addresses, base_url=base, typed=typed, password=secrets.get("password", "")) for _ in range(2))
        seen, again, carrier, kept = first.seen, second.seen, second.carrier, first.kept | second.kept
    elif capture.has_display():
        secrets = asking.secrets(known)
        print("A browser opens. Sign in, open each list with all of its pages and once with nothing in it, and close it.", file=sys.stderr)
        first = capture.watch(a.url, base_url=base)
        seen, again, carrier, kept = first.seen, [], first.carrier, first.kept
    else:
        raise Unusable("there is no display here: --walk FILE with addresses, or --har FILE from a browser elsewhere")
    marked = files.lines(a.mark) if a.mark else []
    return recording.record(
        seen, a.out, base_url=base, secrets={**secrets, **kept}, marked=marked, keep=a.keep, plain=a.plain,
        definition=files.definition(a.definition) if a.definition else None, again=again, carrier=carrier,
    )  # fmt: skip


def _run_draft(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import drafting

    name = a.name or a.out.resolve().parent.name
    return drafting.draft(a.recording, name=name, product=a.product or name, lists=asking.pairs(a.list), out=a.out)


def _run_replay(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import Unusable, rerun

    if a.save and a.rows is None:
        raise Unusable("--save needs --rows FILE")
    return rerun.replay(a.definition, a.recording, rows=a.rows, save=a.save, shapes=a.shapes, overlay=a.calibration)


def _run_gym(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import rerun

    return rerun.run_gym(a.definition, a.recording)


def _run_calibrate(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import Unusable, files, tuning

    pages, empty = asking.pairs(a.page), asking.pairs(a.empty)
    answers = files.read_json(a.answers) if a.answers else {}
    if not pages:
        raise Unusable("say where a list is: --page CALL=ADDRESS")
    if a.recording:
        return tuning.from_recording(
            files.definition(a.definition), files.recording(a.recording), pages=pages, empty=empty, answers=answers, out=a.out
        )
    if not a.url:
        raise Unusable("say --url URL, or --recording RECORDING")
    return tuning.at_portal(_place(a), asking.code, pages=pages, empty=empty, answers=answers, out=a.out)


def _run_diagnose(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import diagnosing

    return diagnosing.diagnose(
        a.call, before=a.before, after=a.after, recording=a.recording, definition=a.definition, out=a.out,
        overlay=a.calibration, patch=a.patch,
    )  # fmt: skip


def _run_key(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import signed

    return signed.key(a.out)


def _run_sign(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import signed

    return signed.sign(a.definition.resolve(), key_file=a.key)


def _run_verify(a: argparse.Namespace) -> Outcome:
    from rapport.config.kit import signed

    return signed.verify(a.definition)


RUNS: dict[str, Callable[[argparse.Namespace], Outcome]] = {
    "assess": _run_assess, "record": _run_record, "draft": _run_draft, "replay": _run_replay, "gym": _run_gym, "calibrate": _run_calibrate,
    "diagnose": _run_diagnose, "key": _run_key, "sign": _run_sign, "verify": _run_verify,
}  # fmt: skip
