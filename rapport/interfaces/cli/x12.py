"""Check X12 files, show what they say, or write them back from what was read."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rapport.protocols.x12 import check as checking
from rapport.protocols.x12.check import Report
from rapport.protocols.x12.show import records
from rapport.protocols.x12.syntax import NotX12

CLEAN, FOUND, USAGE = 0, 1, 2


def register(parser: argparse.ArgumentParser) -> None:
    """`check FILE…`, `show FILE`, `roundtrip FILE`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="find what is wrong: exit 0 when clean, 1 when not")
    check.add_argument("files", metavar="FILE", nargs="+")
    show = actions.add_parser("show", help="the records of a file")
    show.add_argument("file", metavar="FILE")
    for action in (check, show):
        action.add_argument("--json", action="store_true", help="print JSON")
    back = actions.add_parser("roundtrip", help="read a file and write it to standard output")
    back.add_argument("file", metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 done, 1 findings or not X12, 2 a path cannot be read."""
    paths = arguments.files if arguments.action == "check" else [arguments.file]
    try:
        contents = {path: Path(path).read_bytes() for path in paths}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        name = error.filename if isinstance(error, OSError) else ""
        print(f"rapport x12: cannot read {name}: {reason}", file=sys.stderr)
        return USAGE
    if arguments.action == "check":
        return _check(contents, as_json=arguments.json)
    [(path, data)] = contents.items()
    try:
        if arguments.action == "roundtrip":
            sys.stdout.buffer.write(checking.roundtrip(data))
            sys.stdout.buffer.flush()
        else:
            _show(records(data), as_json=arguments.json)
    except NotX12 as unreadable:
        where = f"{unreadable.segment or 'segment'} {unreadable.index} (byte {unreadable.offset})"
        print(f"{path}: {where}: {unreadable.rule}: {unreadable.message}", file=sys.stderr)
        return FOUND
    return CLEAN


def _check(contents: dict[str, bytes], *, as_json: bool) -> int:
    reports = [checking.check_bytes(data, path) for path, data in contents.items()]
    if as_json:
        print(json.dumps(_joined(reports), indent=2))
    else:
        for report in reports:
            _print_report(report)
    return CLEAN if all(report.clean for report in reports) else FOUND


def _joined(reports: list[Report]) -> dict[str, object]:
    """One object: the reports, and every finding with the name of its file."""
    as_json = [report.as_json() for report in reports]
    return {
        "clean": all(report.clean for report in reports),
        "findings": [finding for report in as_json for finding in report["findings"]],
        "files": [{k: v for k, v in report.items() if k != "findings"} for report in as_json],
    }


def _print_report(report: Report) -> None:
    for f in report.findings:
        place = f"{f.segment or '-'}{f.element and '-' + f.element}"
        print(
            f"{report.file}: {f.position}: {place}: {f.severity}: SNIP {f.snip}: {f.rule}: {f.message}"
        )
    what = ", ".join(f"{t.guide} {t.control} ({t.segments} segments)" for t in report.transactions)
    verdict = "clean" if report.clean else f"{len(report.findings)} finding(s)"
    print(f"{report.file}: {verdict}; {what or 'no transaction set'}")


def _show(found: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for record in found:
        _lines(record, 0)


def _lines(value: dict[str, object], depth: int) -> None:
    """Print a record as indented text; empty values are left out."""
    for key, inner in value.items():
        if inner in ("", None, [], {}):
            continue
        pad = "  " * depth
        if isinstance(inner, dict):
            print(f"{pad}{key}:")
            _lines(inner, depth + 1)
        elif isinstance(inner, list) and all(isinstance(one, dict) for one in inner):
            for number, one in enumerate(inner, 1):
                print(f"{pad}{key} {number}:")
                _lines(one, depth + 1)
        else:
            print(f"{pad}{key}: {inner}")
