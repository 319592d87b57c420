"""Orders need the key and make sense; the log and the rows say what happened."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from flask import Flask

from rapport.sandbox.portal import control
from rapport.sandbox.portal.idp import make_idp
from rapport.sandbox.portal.kinds import KINDS, RIGHTS
from rapport.sandbox.portal.settings import SETTINGS
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.tests.support import Portal, ids
from rapport.sandbox.portal.trouble import FAULTS
from rapport.sandbox.portal.web import make_app

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def test_orders_need_the_key_and_make_sense(portal: Portal) -> None:
    url = portal.ready["url"]
    assert httpx.get(f"{url}/_sandbox/user", trust_env=False).status_code == 401
    head = {"Authorization": f"Bearer {portal.ready['control_key']}"}
    for method, path, body in (
        ("PUT", "settings", {"colour": "1"}), ("PUT", "trouble", [{"fault": "rain", "on": "/"}]),
        ("POST", "trouble", [{"fault": "slow", "on": "/", "oops": 1}]), ("PUT", "push/pia", {"answer": "approve"}),
        ("PATCH", "patient/1", {"colour": 1}), ("PATCH", "patient/99999", {"first": "x"}), ("POST", "setting", {"name": "x"}),
        ("GET", "patient?colour=1", None),
    ):  # fmt: skip
        answer = httpx.request(method, f"{url}/_sandbox/{path}", json=body, headers=head, trust_env=False)
        assert answer.status_code == 422, path
    assert httpx.get(f"{url}/_sandbox/setting", headers=head, trust_env=False).status_code == 404


def test_trouble_is_replaced_added_to_shown_and_forgotten(portal: Portal) -> None:
    one, other = {"fault": "slow", "on": "/a"}, {"fault": "status", "on": "/b", "times": 2}
    portal.order("PUT", "trouble", [one])
    portal.order("POST", "trouble", [other])
    assert portal.order("GET", "trouble")["data"] == [one, other]
    portal.order("DELETE", "trouble")
    assert portal.order("GET", "trouble")["data"] == []


def test_the_log_says_who_asked_for_what_with_which_browser(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.order("DELETE", "request")
    browser.get("/patients?page=2")
    portal.browser("Other/2").get("/patients", follow_redirects=False)
    session = portal.rows("session")[0]["id"]

    seen = [(row["login"], row["session_id"], row["method"], row["path"], row["user_agent"], row["status"]) for row in portal.rows("request")]
    assert seen == [("nick", session, "GET", "/patients?page=2", "Browser/1", 200), ("", None, "GET", "/patients", "Other/2", 302)]
    last = portal.rows("request")[-1]["id"]
    assert portal.rows(f"request?after={last}") == []


def test_rows_are_added_changed_and_removed_as_a_person_would(portal: Portal) -> None:
    browser = portal.signed_in()
    made = portal.order("POST", "patient", {"first": "Zoe", "last": "Zed", "middle": "", "status": "Active", "sex": "F",
                                            "birth_on": "1990-01-01", "payer": "", "clinician_id": 1})["id"]  # fmt: skip
    before = portal.rows(f"patient?id={made}")[0]
    portal.order("PATCH", f"patient/{made}", {"email": "zoe@example.org"})
    after = portal.rows(f"patient?id={made}")[0]
    assert (after["version"], after["email"]) == (before["version"] + 1, "zoe@example.org")
    assert made in ids(browser.get("/patients?page=6"))
    portal.order("DELETE", f"patient/{made}")
    assert made not in ids(browser.get("/patients?page=6"))


def test_one_session_of_many_is_dropped(portal: Portal) -> None:
    one, other = portal.signed_in(), portal.signed_in("dora")
    portal.order("DELETE", f"session/{portal.rows('session?login=nick')[0]['id']}")
    assert (one.get("/home").url.path, other.get("/home").url.path) == ("/login", "/home")


@pytest.fixture
def apps(tmp_path: Path) -> list[Flask]:
    store = Store(tmp_path / "portal.sqlite3")
    return [make_app(store, control_key="x", idp_url="http://localhost"), make_idp(store, portal_url="http://127.0.0.1")]


def test_the_readme_names_every_page_setting_fault_table_and_user(apps: list[Flask], portal: Portal) -> None:
    wanted = {f"`{name}`" for name in (*SETTINGS, *FAULTS, *RIGHTS, *control.TABLES, *portal.ready["users"])}
    missing = {name for name in wanted if name not in README}
    named = re.sub(r"\bN\b", "<>", README.replace("LOGIN", "<>").replace("TABLE", "<>").replace("ID`", "<>`").replace("KIND", "<>"))
    for app in apps:
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<[^>]*>", "<>", rule.rule)
            if rule.endpoint != "static" and path not in named:
                missing.add(path)
    assert not missing


def test_the_readme_names_the_columns_of_every_list_and_what_it_says_is_set(portal: Portal) -> None:
    for kind in KINDS.values():
        assert ", ".join(name for name in kind.columns if name not in kind.hidden) in README, kind.name
    for name, (first, meaning) in SETTINGS.items():
        assert f"| `{name}` | {first} | {meaning} |" in README
    for name, meaning in FAULTS.items():
        assert f"| `{name}` | {meaning} |" in README
