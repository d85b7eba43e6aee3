"""How tests read a folder of runs and press a page's buttons."""

from streamlit.testing.v1 import AppTest

from dashboard.permissions import Permission
from dashboard.queue_state import Queue, sorted_queue
from dashboard.summaries import RunShelf, RunSummary
from fer_core.jobs import JobQueue
from fer_core.runs import Run, RunStore

REFUSED = Permission(False, reason="From here you can watch.")


def seen(store: RunStore) -> Queue:
    """What the Queue page sees of a folder."""
    return sorted_queue(RunShelf().read(store), JobQueue(store).entries())


def summary(run: Run) -> RunSummary:
    """What the pages know of a run."""
    return next(each for each in RunShelf().read(RunStore(run.path.parent)) if each.id == run.id)


def labels(app: AppTest) -> list[str]:
    """Those of all buttons, in their order."""
    return [button.label for button in app.button]


def press(app: AppTest, key: str) -> AppTest:
    """The page after a click on the button of that key."""
    return app.button(key=key).click().run()
