"""Train every pair of the chosen networks and preprocessings: what that means, before it is launched."""

import time
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard import actions, cache, columns, permissions
from dashboard import components as ui
from dashboard.formats import plural
from dashboard.launch import form, plan
from dashboard.launch import selection as launching
from dashboard.launch.plan import Planned
from dashboard.launch.selection import Selection
from dashboard.run_buttons import refusal
from fer_core.errors import FerError
from fer_core.jobs.estimate import Workload

TITLE = "Launch"
GROUP = "Train"
ORDER = 1
URL = "launch"

NOTICE_S = 0.4  # until a browser has drawn a notice: one that is not drawn is lost with the page that is left


def preview(selection: Selection) -> tuple[list[Planned], Workload]:
    """The runs that are meant; raises FerError where any of them cannot be."""
    specs = launching.make_specs(selection)
    cache.check_choice(specs)
    workload, machines = cache.workload(specs[0]), cache.machines()
    machine = machines.get(selection.device) or next(iter(machines.values()))
    return plan.plan(specs, cache.runs(), workload, machine), workload


def totals(planned: Sequence[Planned]) -> None:
    fates = Counter(each.fate for each in planned)
    time_left, basis, is_part = plan.total_time(planned)
    resumed = f"and {fates['resumed']} to resume" if fates["resumed"] else ""
    ui.metric_row(
        [
            ui.Metric("Runs", str(len(planned)), plan.grid_size(planned)),
            ui.Metric("New", str(fates["queued"]), resumed),
            ui.Metric("Exist already", str(fates["exists"]), "left as they are" if fates["exists"] else ""),
            ui.Metric(
                "Estimated time, at least" if is_part else "Estimated time",
                time_left,
                basis,
                "One after the other, each for all of its epochs: early stopping ends some sooner. Told from past "
                "runs of the same network on images of the same size on this kind of device, with all that they did "
                "beside training.",
            ),
        ]
    )


def launch_button(planned: Sequence[Planned], selection: Selection, settings: form.Settings) -> None:
    if len(planned) == 1 and planned[0].fate == "exists":
        only = planned[0]
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Open the run", type="primary", icon=":material/open_in_new:"):
                ui.open_run(only.spec.run_id)
            st.caption(f"This run exists already: {only.state}.", width="content")
        return
    permission = permissions.permission()
    refusal(permission)
    hindrance = plan.hindrance(planned)
    count = sum(each.is_trained for each in planned)
    is_off = bool(hindrance) or not permission.is_allowed
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Launch {plural(count, 'run')}" if count else "Launch"
        clicked = st.button(label, type="primary", icon=":material/play_arrow:", disabled=is_off)
        st.caption(hindrance, width="content")
    if clicked:
        with ui.errors_shown():
            try:
                launch(planned, selection.device)
            except FerError as error:
                settings.refuse(str(error))


def launch(planned: Sequence[Planned], device: str) -> None:
    specs = [each.spec for each in planned]
    with st.spinner(f"Checking that {plural(len(specs), 'run')} can be trained"):
        cache.check_specs(specs)
    with st.spinner(f"Putting {plural(len(specs), 'run')} into the queue"):
        launched = actions.launch(specs, device)
    st.toast(plan.outcome([each.outcome for each in launched]), icon=":material/check:", duration="long")
    time.sleep(NOTICE_S)
    st.switch_page(ui.QUEUE_PAGE, query_params={})  # left out, Streamlit refuses: fields are bound to the address


ui.page_header(TITLE, "Train every pair of the chosen networks and preprocessings, and see before what that takes.")
with st.spinner("Looking up networks, recipes and datasets; the first time, this loads PyTorch"):
    catalogue = cache.catalogue()
selection, settings = form.choose(catalogue, cache.runs())
try:
    planned, workload = preview(selection)
except FerError as error:
    settings.refuse(str(error))
    st.button("Launch", type="primary", icon=":material/play_arrow:", disabled=True)
else:
    totals(planned)
    launch_button(planned, selection, settings)
    ui.figure_title(f"{plural(len(planned), 'run')} of this selection")
    st.dataframe(
        plan.preview_table(planned, workload),
        hide_index=True,
        column_config=columns.preview(),
        alt="Runs of this selection",
    )
    ui.figure_title(
        "The same from the command line", "It trains one after the other; `--queue` leaves that to a worker."
    )
    st.code(launching.command(selection), language="bash", wrap_lines=True)
