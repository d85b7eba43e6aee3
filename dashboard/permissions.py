"""Who may launch, stop and delete: whoever sits at this machine, or the users that a login lists.

Watching is open to all who reach the server. With `[auth]` in `.streamlit/secrets.toml` (Streamlit's
OIDC login), acting is for the e-mail addresses of `[permissions] users`, from wherever they come.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import psutil
import streamlit as st

from fer_core.errors import FerError

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")
AT_THIS_MACHINE = "this machine"


@dataclass(frozen=True)
class Permission:
    """Whether the visitor may act, under which name it is noted, and else why not, as a sentence."""

    is_allowed: bool
    who: str = ""
    reason: str = ""
    can_log_in: bool = False


def permission() -> Permission:
    """What the visitor of this page may do."""
    users = listed_users()
    if users is not None:
        return of_user(dict(st.user), users)
    return of_address(st.context.ip_address, dict(st.context.headers))


def require() -> str:
    """The visitor's name for the log; raises FerError where they may not act. Called by every action."""
    found = permission()
    if not found.is_allowed:
        raise FerError(found.reason)
    return found.who


def listed_users() -> tuple[str, ...] | None:
    """Who may act after a login; None where no login is configured."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return None
    users = st.secrets.get("permissions", {}).get("users", ())
    return tuple(str(user).strip().lower() for user in users)


def of_user(user: Mapping[str, Any], users: Sequence[str]) -> Permission:
    """What somebody may do where a login is configured; `user` holds the claims of the identity provider."""
    if not user.get("is_logged_in"):
        return Permission(False, reason="Log in to launch, stop or delete trainings.", can_log_in=True)
    email = str(user.get("email") or "").lower()
    if user.get("email_verified") is False or email not in users:
        return Permission(
            False,
            reason=f"{email or 'This account'} may watch. Who may launch, stop and delete stands in "
            "`.streamlit/secrets.toml` under `[permissions] users`.",
        )
    return Permission(True, who=email)


def of_address(ip: str | None, headers: Mapping[str, str]) -> Permission:
    """What a visitor may do where no login is configured; `ip` is None for a loopback address, as Streamlit says it."""
    names = {name.lower(): value for name, value in headers.items()}
    forwarded = any(name.lower() in names for name in FORWARDED)
    if not forwarded and _is_own(ip) and _is_own_name(names.get("host", "")):
        return Permission(True, who=AT_THIS_MACHINE)
    return Permission(
        False,
        reason="From here you can watch. Trainings are launched, stopped and deleted on the machine itself "
        "(open the dashboard there as localhost), or by users of a login: see the README, Who may.",
    )


def _is_own(ip: str | None) -> bool:
    if ip is None:
        return True
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return address.is_loopback or str(address) in own_addresses()


def _is_own_name(host: str) -> bool:
    """Whether a request was addressed to this machine by a name of its own: a proxy's name is not."""
    name = host.rpartition(":")[0] if host.count(":") == 1 or "]:" in host else host
    name = name.strip("[]").lower()
    node = platform.node().lower()
    if name in ("", "localhost", node, f"{node}.local") or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback or name in own_addresses()
    except ValueError:
        return False


def own_addresses() -> frozenset[str]:
    """Every IP address of this machine's network interfaces."""
    found = (each.address for addresses in psutil.net_if_addrs().values() for each in addresses)
    return frozenset(address.partition("%")[0] for address in found)
