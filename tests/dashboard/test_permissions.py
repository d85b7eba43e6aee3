"""Who may launch, stop and delete."""

from typing import Any

import pytest

from dashboard import actions, permissions
from dashboard.permissions import of_address, of_user, own_addresses
from dashboard.summaries import RunShelf
from fer_core.errors import FerError
from fer_core.runs import RunStore
from tests.dashboard.runs import make_unfinished

HERE = {"Host": "localhost:8501"}
ADA = {"is_logged_in": True, "email": "Ada@Example.org", "email_verified": True}
USERS = ("ada@example.org",)


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "localhost", "faces.localhost:80"])
def test_whoever_sits_at_the_machine_may_act(host: str) -> None:
    found = of_address(None, {"Host": host})
    assert found.is_allowed
    assert found.who == "this machine"


def test_the_machine_s_own_address_is_the_machine() -> None:
    for address in own_addresses():
        if "." in address:
            assert of_address(address, {"host": f"{address}:8501"}).is_allowed


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::1", "nonsense"])
def test_others_may_watch_and_are_told_how_to_act(ip: str) -> None:
    found = of_address(ip, HERE)
    assert not found.is_allowed
    assert "you can watch" in found.reason
    assert not found.can_log_in


@pytest.mark.parametrize("header", ["X-Forwarded-For", "forwarded", "x-real-ip"])
def test_a_visitor_through_a_proxy_on_this_machine_is_not_the_machine(header: str) -> None:
    assert not of_address(None, {**HERE, header: "203.0.113.7"}).is_allowed


@pytest.mark.parametrize("host", ["faces.example.org", "203.0.113.9:8501", "localhost.example.org:8501"])
def test_a_foreign_name_for_this_machine_is_no_name_of_its_own(host: str) -> None:
    assert not of_address(None, {"Host": host}).is_allowed


def test_a_listed_user_may_act_under_their_address_whatever_its_case() -> None:
    found = of_user(ADA, USERS)
    assert found.is_allowed
    assert found.who == "ada@example.org"


@pytest.mark.parametrize(
    ("user", "reason", "can_log_in"),
    [
        ({}, "Log in to launch", True),
        ({"is_logged_in": False, "email": "ada@example.org"}, "Log in to launch", True),
        ({**ADA, "email": "eve@example.org"}, "eve@example.org may watch", False),
        ({**ADA, "email_verified": False}, "ada@example.org may watch", False),
        ({"is_logged_in": True}, "This account may watch", False),
    ],
)
def test_with_a_login_others_are_refused_with_the_reason(user: dict[str, Any], reason: str, can_log_in: bool) -> None:
    found = of_user(user, USERS)
    assert not found.is_allowed
    assert found.reason.startswith(reason)
    assert found.can_log_in is can_log_in


def test_with_a_login_and_nobody_listed_nobody_may_act() -> None:
    assert not of_user(ADA, ()).is_allowed


@pytest.mark.parametrize(
    "action", ["launch", "resume", "cancel", "move", "delete", "restore", "annotate", "start_worker"]
)
def test_every_action_refuses_by_itself_and_changes_nothing(
    action: str, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "permission", lambda: of_address("203.0.113.7", HERE))
    monkeypatch.setattr(actions, "_store", lambda: store)
    run = make_unfinished(store, "failed", "out of luck")
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    (summary,) = RunShelf().read(store)
    special = {"launch": ([run.spec],), "move": (summary, "up"), "restore": (None,), "annotate": ([summary],)}
    arguments = (special | {"start_worker": ()}).get(action, (summary,))
    with pytest.raises(FerError, match="you can watch"):
        getattr(actions, action)(*arguments)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before


def test_no_action_is_left_out_of_the_test_above() -> None:
    public = {name for name, value in vars(actions).items() if callable(value) and value.__module__ == actions.__name__}
    assert {name for name in public if not name.startswith("_")} == {
        "launch", "resume", "cancel", "move", "delete", "restore", "annotate", "start_worker"
    }  # fmt: skip
