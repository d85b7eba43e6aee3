"""Which runs a page may have read over its socket: the page gets a ticket, and shows it when it opens the socket.

So no visitor names files, and who has no page of this server gets no answer. Tickets live as long as the process.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence

import streamlit as st

from dashboard.summaries import RunSummary

MOST_TICKETS = 1_000  # the one that was used longest ago goes first
KEY = "live_ticket"  # of the session

_tickets: OrderedDict[str, tuple[RunSummary, ...]] = OrderedDict()
_lock = threading.Lock()


def ticket_for(runs: Sequence[RunSummary]) -> str:
    """This session's ticket for `runs` as they are now; the same one at every run of the page."""
    wanted = tuple((run.id, run.stamp) for run in runs)
    known, ticket = st.session_state.get(KEY, (None, ""))
    if known != wanted or admitted(ticket) is None:
        ticket = issue(runs)
        st.session_state[KEY] = (wanted, ticket)
    return str(ticket)


def issue(runs: Sequence[RunSummary]) -> str:
    """A new ticket, which cannot be guessed."""
    ticket = secrets.token_urlsafe(24)
    with _lock:
        _tickets[ticket] = tuple(runs)
        while len(_tickets) > MOST_TICKETS:
            _tickets.popitem(last=False)
    return ticket


def admitted(ticket: str) -> tuple[RunSummary, ...] | None:
    """The runs of a ticket; None where this process never gave it out."""
    with _lock:
        if ticket in _tickets:
            _tickets.move_to_end(ticket)
        return _tickets.get(ticket)
