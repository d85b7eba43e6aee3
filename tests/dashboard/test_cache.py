"""What is read once, and what is not imported at all."""

import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.cache import results
from dashboard.summaries import RunSummary, summarize
from fer_core.errors import FerError
from fer_core.inference import crop_face
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run, make_unfinished

ROOT = Path(__file__).resolve().parents[2]
SHOW_OVERVIEW = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("dashboard/app.py", default_timeout=60).run()
assert app.title[0].value == "Overview" and len(app.metric) == 4, app
print(sorted({"torch", "torchvision", "cv2", "sklearn", "scipy", "fer_core.inference"} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def _forget() -> None:
    for cached in (results._shelf, results._evaluation, results._metrics, results._environment):
        cached.clear()


def only(store: RunStore) -> RunSummary:
    (run,) = cache.runs()
    return run


def test_showing_overview_imports_no_heavy_library(store: RunStore) -> None:
    make_run(store)
    done = subprocess.run([sys.executable, "-c", SHOW_OVERVIEW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_evaluation_is_read_once_until_it_changes(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(store)
    reads: list[str] = []
    original = Run.evaluation
    monkeypatch.setattr(Run, "evaluation", lambda self: reads.append(self.id) or original(self))
    summary = summarize(run, ())
    reads.clear()
    first = cache.evaluation(summary)
    assert cache.evaluation(summary) == first
    assert len(reads) == 1
    run.write_json("evaluation.json", first | {"temperature": 9.5})
    assert cache.evaluation(summary)["temperature"] == 9.5


def test_a_new_epoch_is_seen_at_once(store: RunStore) -> None:
    run = make_unfinished(store, "failed", epoch=2)
    summary = only(store)
    assert len(cache.metrics(summary)) == 2
    run.append_metrics({"epoch": 3})
    assert len(cache.metrics(summary)) == 3


def test_another_folder_of_runs_has_other_runs(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(store)
    assert len(cache.runs()) == 1
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "others"))
    assert cache.runs() == []


def test_a_run_without_weights_predicts_nothing_and_says_why(store: RunStore) -> None:
    make_run(store)
    run = only(store)
    assert not run.can_predict
    with pytest.raises(FerError, match="has no weights here; train it again"):
        cache.faces(run, cache.sample_photo(), "haar")


def read_sample(detector: str) -> None:
    import streamlit as st

    from dashboard import cache

    st.session_state["faces"] = cache.faces(cache.runs()[0], cache.sample_photo(), detector)


def test_the_sample_photo_has_one_face_that_is_read(store: RunStore) -> None:
    make_run(store, architecture="linear", weights=True)
    app = AppTest.from_function(read_sample, args=("haar",), default_timeout=60).run()
    assert not app.exception
    (face,) = app.session_state["faces"]
    assert sum(face.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert face.face.shape == (48, 48)
    assert 150 < face.box.x < 200


def test_a_face_is_shown_as_the_network_sees_it(store: RunStore) -> None:
    make_run(store, architecture="linear", preprocessing="hist_eq", weights=True)
    app = AppTest.from_function(read_sample, args=("haar",), default_timeout=60).run()
    seen = app.session_state["faces"][0].face
    image = np.asarray(Image.open(io.BytesIO(cache.sample_photo())))
    box = app.session_state["faces"][0].box
    assert np.array_equal(seen, cv2.equalizeHist(crop_face(image, box, 48)))


def test_new_weights_are_loaded_again(store: RunStore) -> None:
    import torch

    run = make_run(store, architecture="linear", weights=True)
    app = AppTest.from_function(read_sample, args=("whole",), default_timeout=60)
    before = app.run().session_state["faces"][0].probabilities
    assert app.run().session_state["faces"][0].probabilities == before
    torch.manual_seed(5)
    run.save_weights({name: torch.randn_like(tensor) for name, tensor in run.weights().items()})
    assert app.run().session_state["faces"][0].probabilities != before


def test_the_device_is_named() -> None:
    assert cache.device_name()
