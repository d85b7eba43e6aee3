"""What is being trained, what waits for its turn, and what stopped."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard import queue_view as view
from dashboard import run_buttons as buttons
from dashboard.permissions import permission
from dashboard.queue_state import Queue

TITLE = "Queue"
GROUP = "Train"
ORDER = 2
URL = "queue"

MOVING_S, STILL_S = 2, 10


def live(drawn: Queue, minute: int) -> None:
    """The cards; what stands around them is drawn anew where it differs, or where a minute makes it older."""
    with ui.errors_shown():
        queue = cache.queue()
        if queue.around_cards != drawn.around_cards or this_minute() != minute:
            st.rerun()
        ui.notices()
        view.cards(queue, may)


def this_minute() -> int:
    return int(datetime.now(UTC).timestamp() // 60)


ui.page_header(TITLE, "What is being trained now, what waits for its turn, and what needs somebody to look at it.")
may, queue = permission(), cache.queue()
buttons.refusal(may)
view.worker(queue, may)
view.totals(queue)
view.nothing(queue)
st.fragment(live, run_every=MOVING_S if queue.is_moving else STILL_S)(queue, this_minute())
view.waiting(queue, may)
with st.grid(2, min_column_width=420, gap="medium"):
    view.stopped(queue, may)
    view.finished(queue)
