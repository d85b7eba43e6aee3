"""The dashboard: `streamlit run dashboard/app.py`.

Streamlit imports this file once for its server, and runs it as a script for every viewer.
"""

import streamlit as st

from dashboard.live.route import routes
from dashboard.opening import opened_in_browser

if __name__ == "__main__":
    from dashboard.shell import draw

    draw()
else:
    app = st.App(__file__, lifespan=opened_in_browser, routes=routes())
