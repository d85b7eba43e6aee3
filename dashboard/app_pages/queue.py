"""What is being trained, what waits for its turn, and what stopped."""

from time import time

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard import queue_view as view
from dashboard import run_buttons as buttons
from dashboard.linked import drop_unknown
from dashboard.permissions import permission
from dashboard.queue_state import Queue

TITLE = "Queue"
GROUP = "Train"
ORDER = 2
URL = "queue"

MOVING_S, STILL_S = 2, 10  # between two looks
TIMES_S = 30  # after which the times are told anew: "3 min ago"


def live(drawn: Queue, drawn_in: int) -> None:
    """The cards; what stands around them is drawn anew where it differs, or has grown old.

    The cards come first: a press of their buttons would be lost in a rerun before them.
    """
    with ui.errors_shown():
        queue = cache.queue()
        view.cards(queue, may)
        if queue.around_cards != drawn.around_cards or period() != drawn_in:
            st.rerun()
        ui.notices(queue.runs)


def look_s(queue: Queue) -> int:
    return MOVING_S if queue.is_moving else STILL_S


def period() -> int:
    return int(time() // TIMES_S)


ui.page_header(TITLE, "What is being trained now, what waits for its turn, and what needs somebody to look at it.")
drop_unknown()
may, queue = permission(), cache.queue()
buttons.refusal(may)
view.worker(queue, may)
view.totals(queue)
view.nothing(queue)
st.fragment(live, run_every=look_s(queue))(queue, period())
view.waiting(queue, may)
with st.grid(2 if queue.stopped and queue.finished else 1, min_column_width=420, gap="medium"):
    view.stopped(queue, may)
    view.finished(queue)
