"""All runs of one protocol ranked by any figure, against a baseline, and against what they cost."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.leaderboard import chosen, form, view

TITLE = "Leaderboard"
GROUP = "Results"
ORDER = 2

ui.page_header(TITLE, "Which network with which preprocessing is best, at what cost, and is the difference real?")
form.renew_link()
query = form.choose_query()
shown = cache.selected(query) if query else []
if query is None:
    words = "Every finished run is ranked here. The first one takes a minute, on faces drawn by the library:"
    ui.empty_state("No finished runs yet", words, FIRST_TRAINING)
elif not shown:
    st.info("No run passes the search and the filters.", icon=":material/filter_alt_off:")
    st.button("Clear search and filters", icon=":material/close:", on_click=form.clear)
else:
    view.metric_map(query)
    view.ranking(query, shown)
    view.effort(query)
chosen.trash()
