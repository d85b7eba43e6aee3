"""The Launch page."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import actions, permissions
from dashboard.formats import SPACE
from dashboard.launch.fields import FIELDS, GROUPS, START
from dashboard.launch.selection import Selection, make_specs
from dashboard.permissions import Permission
from fer_core.config import Recipe, RunSpec
from fer_core.datasets import load_dataset
from fer_core.evaluation import evaluate_run
from fer_core.jobs import JobQueue
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]
GRID = {"architectures": ["linear", "mini_xception"], "preprocessing": ["raw", "gcn"], "epochs": "1"}
DEFAULT = Selection(("mini_xception",), ("raw",), "synthetic")


@pytest.fixture(autouse=True)
def workers(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_this_machine: None) -> list[RunStore]:
    """The stores for which a worker was asked, none of which is started.

    The visitor sits at this machine, and the drawn faces are the only dataset.
    """
    asked: list[RunStore] = []
    monkeypatch.setattr(actions, "ensure_worker", lambda store: asked.append(store))
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "data"))
    return asked


def spec_of(selection: Selection) -> RunSpec:
    (spec,) = make_specs(selection)
    return spec


def finish(store: RunStore, spec: RunSpec, accuracy: float = 0.6) -> Run:
    """A finished run of exactly this spec, with the results of a drawn one."""
    drawn, run = make_run(store, accuracy=accuracy, seed=99), store.create(spec)
    run.save_predictions(drawn.predictions())
    evaluate_run(run)
    run.write_json("environment.json", drawn.environment())
    run.update_status(state="finished", epoch=spec.recipe.epochs)
    return run


def button(app: AppTest, label: str) -> "object":
    (found,) = [each for each in app.main.get("button") if each.label == label]
    return found


def labels_of_buttons(app: AppTest) -> list[str]:
    return [each.label for each in app.main.get("button")]


def test_it_begins_with_one_network_and_says_what_a_launch_would_do(open_page: Open) -> None:
    app = open_page("launch")
    assert_sound(app)
    assert app.title[0].value == "Launch"
    assert (metrics(app)["Runs"], metrics(app)["New"], metrics(app)["Exist already"]) == ("1", "1", "0")
    row = app.dataframe[0].value.iloc[0]
    assert (row["architecture"], row["preprocessing"], row["state"]) == ("mini_xception", "raw", "new")
    assert row["basis"] == "no past run of it"
    assert "Launch 1 run" in labels_of_buttons(app)
    assert app.code[0].value.endswith("grid --architectures mini_xception --preprocessing raw --dataset synthetic")
    assert "drawn: good for trying, not a result" in texts(app)


def test_a_link_holds_the_whole_selection(open_page: Open) -> None:
    app = open_page("launch", **GRID, seeds="0,1", recipe="paper", protocol="kfold5", without=["disgust"])
    assert_sound(app)
    assert metrics(app)["Runs"] == "8"
    assert app.metric[0].delta == "2 × 2, 2 seeds"
    assert set(app.dataframe[0].value["epochs"]) == {"5 × 1"}
    assert app.code[0].value.endswith(
        "grid --architectures linear,mini_xception --preprocessing raw,gcn --seeds 0,1 "
        "--dataset synthetic --protocol kfold5 --recipe paper --without disgust -H epochs=1"
    )


def test_a_launch_queues_every_pair_asks_for_a_worker_and_shows_the_queue(
    store: RunStore, open_page: Open, workers: list[RunStore]
) -> None:
    app = open_page("launch", **GRID, device="cpu")
    button(app, "Launch 4 runs").click().run()
    assert not app.exception
    entries = JobQueue(store).entries()
    assert [(entry.run.spec.architecture, entry.run.spec.preprocessing) for entry in entries] == [
        ("linear", "raw"),
        ("linear", "gcn"),
        ("mini_xception", "raw"),
        ("mini_xception", "gcn"),
    ]
    assert {(entry.state, entry.job.by, entry.job.device) for entry in entries} == {
        ("queued", permissions.AT_THIS_MACHINE, "cpu")
    }
    assert {entry.run.spec.recipe.epochs for entry in entries} == {1}
    assert [each.root for each in workers] == [store.root]
    assert app.title[0].value == "Queue"
    assert [toast.value for toast in app.toast] == ["Launched: 4 queued."]


def test_what_exists_is_left_as_it_is_and_what_stopped_goes_on(store: RunStore, open_page: Open) -> None:
    queue, selection = JobQueue(store), Selection(("linear", "mini_xception"), ("raw", "gcn"), "synthetic")
    specs = make_specs(selection)
    finish(store, specs[0])
    queue.launch(specs[1])
    queue.cancel(queue.launch(specs[2]).run)
    app = open_page("launch", architectures=list(selection.architectures), preprocessing=["raw", "gcn"])
    assert_sound(app)
    assert (metrics(app)["Runs"], metrics(app)["New"], metrics(app)["Exist already"]) == ("4", "1", "2")
    assert app.metric[1].delta == "and 1 to resume"
    assert [state.partition(",")[0] for state in app.dataframe[0].value["state"]] == [
        "finished",
        "waits in the queue",
        "cancelled",
        "new",
    ]
    assert app.dataframe[0].value["run"].iloc[0].startswith("run?run=linear__raw")
    button(app, "Launch 2 runs").click().run()
    assert [toast.value for toast in app.toast] == ["Launched: 1 queued, 1 resumed, 2 there already."]
    assert len(queue.entries()) == 3


def test_a_duplicate_opens_the_run_that_exists(store: RunStore, open_page: Open) -> None:
    run = finish(store, spec_of(DEFAULT))
    app = open_page("launch")
    assert_sound(app)
    assert "Launch 1 run" not in labels_of_buttons(app)
    assert "This run exists already: finished" in texts(app)
    button(app, "Open the run").click().run()
    assert app.title[0].value == "Run"
    assert app.query_params["run"] == run.id
    assert [entry.run.id for entry in JobQueue(store).entries()] == []


def test_where_all_exist_there_is_nothing_to_launch(store: RunStore, open_page: Open) -> None:
    for seed in ("0", "1"):
        JobQueue(store).launch(spec_of(dataclasses.replace(DEFAULT, seeds=seed)))
    app = open_page("launch", seeds="0,1")
    assert button(app, "Launch").disabled
    assert "All 2 runs exist already" in texts(app)


def test_a_damaged_run_must_be_deleted_first(store: RunStore, open_page: Open) -> None:
    run = JobQueue(store).launch(spec_of(DEFAULT)).run
    (run.path / "status.json").write_text("{")
    app = open_page("launch")
    assert_sound(app)
    assert button(app, "Launch").disabled
    assert f"Run {run.id} is damaged: delete it" in texts(app)


def test_the_time_is_told_from_past_runs_on_this_device(
    store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = make_run(store, seed=5)
    from fer_core.training.environment import processor_name

    past.write_json("environment.json", past.environment() | {"device_name": processor_name()})
    app = open_page("launch", architectures=["mini_xception", "linear"])
    assert_sound(app)
    assert metrics(app)["Estimated time, at least"] == f"50{SPACE}s"  # 30 epochs of 1,400 faces at 820 a second
    assert app.metric[3].delta == "1 past run, 1 unknown"


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"architectures": ""}, "Choose at least one architecture."),
        ({"preprocessing": ""}, "Choose at least one preprocessing"),
        ({"preprocessing": ["raw", "hist_q"]}, "Unknown step 'hist_q' (did you mean 'hist_eq'?); choose from clahe"),
        ({"seeds": "zero"}, "Seeds must be whole numbers joined by commas, got 'zero'."),
        ({"seeds": ",".join(str(seed) for seed in range(201))}, "These are 201 runs, and at most 200"),
        ({"seeds": "-1"}, "Seed must be between 0 and 2,147,483,647, got −1."),
        ({"learning_rate": "200"}, "Learning rate must be between 0.000000001 and 100, got 200."),
        ({"epochs": "-1"}, "Epochs must be between 1 and 100,000, got −1."),
        ({"ema_decay": "2"}, "EMA decay must be between 0 and 0.99999, got 2."),
        ({"milestones": "ten"}, "Milestones must be whole numbers"),
        ({"augmentation": "flop"}, "Unknown augmentation 'flop'"),
        ({"bdr_start": "5"}, "Column scaling and bimodal removal are for networks of descriptors"),
    ],
)
def test_bad_input_gets_one_sentence_and_nothing_can_be_launched(
    open_page: Open, link: dict[str, str | list[str]], sentence: str
) -> None:
    app = open_page("launch", **link)
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith(sentence)
    assert button(app, "Launch").disabled
    assert not app.dataframe


def test_a_refusal_stands_below_the_field_that_it_speaks_of_while_one_sees_it(open_page: Open) -> None:
    app = open_page("launch", learning_rate="1000")
    assert len(app.expander[0].error) == 0, "the fields are folded"
    app.session_state["hyperparameters"] = True
    app.run()
    (error,) = app.expander[0].error
    blocks = [each for each in app.expander[0].children.values() if each.type != "caption"]
    (group,) = [block for block in blocks if block.get("error")]
    assert [each.key for each in group.number_input][:2] == ["learning_rate", "weight_decay"]
    assert error.value in [each.value for each in app.caption], "and beside the button"
    assert len(app.error) == 1


@pytest.mark.parametrize(
    "link",
    [
        *({"architectures": "foo"}, {"dataset": "foo"}, {"protocol": "foo"}, {"recipe": "foo"}, {"device": "foo"}),
        *({"without": "foo"}, {"schedule": "foo"}),
    ],
)
def test_what_a_link_asks_for_in_vain_is_said(open_page: Open, link: dict[str, str]) -> None:
    app = open_page("launch", **link)
    assert_sound(app)
    (warning,) = app.warning
    assert "'foo' cannot be shown; choose from" in warning.value
    assert not app.run().warning


def test_a_visitor_who_may_not_launch_reads_why_before_the_button(
    store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "permission", lambda: Permission(False, reason="From here you can watch."))
    app = open_page("launch")
    assert_sound(app)
    assert "From here you can watch." in texts(app)
    assert button(app, "Launch 1 run").disabled
    assert "Log in" not in labels_of_buttons(app)
    assert metrics(app)["New"] == "1", "watching is for all"
    denied = Permission(False, reason="Log in to launch.", can_log_in=True)
    monkeypatch.setattr(permissions, "permission", lambda: denied)
    assert "Log in" in labels_of_buttons(app.run())


def test_whoever_loses_the_permission_between_look_and_click_launches_nothing(
    store: RunStore, open_page: Open, workers: list[RunStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("launch")
    answers = iter([Permission(True, who="ada")])
    monkeypatch.setattr(permissions, "permission", lambda: next(answers, Permission(False, reason="No more.")))
    button(app, "Launch 1 run").click().run()
    assert [error.value for error in app.error] == ["No more."]
    assert store.list() == []
    assert workers == []


def test_every_hyperparameter_has_a_field_that_shows_the_recipes_value(open_page: Open) -> None:
    assert set(FIELDS) == {each.name for each in dataclasses.fields(Recipe)} - {"name"}
    assert sum(len(group) for group in GROUPS.values()) == len(FIELDS)
    assert START.name not in FIELDS
    app = open_page("launch", architectures=["mini_xception", "se_resnet"])
    assert_sound(app)
    assert app.number_input(key="epochs").placeholder == "30"
    assert app.number_input(key="learning_rate").placeholder == "0.003 – 0.004"
    assert app.selectbox(key="schedule").placeholder == "one_cycle"
    assert app.text_input(key="milestones").placeholder == "none"
    assert {app.number_input(key=key).value for key in ("epochs", "learning_rate", "bdr_alpha")} == {None}


def test_what_is_filled_in_replaces_the_recipe_and_can_be_undone(open_page: Open) -> None:
    app = open_page("launch")
    app.number_input(key="epochs").set_value(3)
    app.number_input(key="learning_rate").set_value(0.01)
    app.selectbox(key="optimizer").set_value("sgd")
    app.text_input(key="augmentation").set_value("none").run()
    assert_sound(app)
    assert "Other than the recipe: epochs 3, optimiser sgd, learning rate 0.01, augmentation none" in texts(app)
    assert app.code[0].value.endswith("-H epochs=3 -H optimizer=sgd -H learning_rate=0.01 -H augmentation=")
    button(app, "Undo").click().run()
    assert_sound(app)
    assert "Other than the recipe" not in texts(app)
    assert app.code[0].value.endswith("--dataset synthetic")


def of_drawn_faces(run: Run) -> Run:
    """The same run, which has predicted the valid and test images of the dataset of drawn faces."""
    dataset, arrays = load_dataset("synthetic"), run.predictions()
    for part in ("valid", "test"):
        arrays[f"{part}_ids"] = dataset.ids[dataset.split == part]
    run.save_predictions(arrays)
    return run


def test_a_network_can_be_wider_and_start_from_a_run(store: RunStore, open_page: Open) -> None:
    narrow = of_drawn_faces(make_run(store, "se_resnet", n=350, weights=True, architecture_arguments={"width": 0.5}))
    make_run(store, "linear", weights=True)
    app = open_page("launch", architectures="se_resnet")
    assert_sound(app)
    assert app.number_input(key="argument_width").placeholder == "1"
    assert app.selectbox(key="init_from").options == [narrow.id]
    assert len(app.selectbox(key="teacher").options) == 2
    app.number_input(key="argument_width").set_value(0.8)
    app.selectbox(key="init_from").set_value(narrow.id).run()
    assert_sound(app)
    assert f"start from {narrow.id}, width 0.8" in texts(app).replace("\\", "")
    assert app.code[0].value.endswith(f"--init-from {narrow.id} -A width=0.8")
    button(app, "Launch 1 run").click().run()
    assert not app.exception
    (spec,) = [run.spec for run in store.list() if run.state == "queued"]
    assert (spec.init_from, spec.architecture_arguments) == (narrow.id, {"width": 0.8})


def test_a_networks_own_argument_that_cannot_be_is_refused_by_its_label(store: RunStore, open_page: Open) -> None:
    app = open_page("launch", architectures="se_resnet", argument_stochastic_depth="2")
    button(app, "Launch 1 run").click().run()
    assert [error.value for error in app.error] == ["Stochastic depth must be between 0 and 0.9, got 2."]
    assert store.list() == []


def test_an_argument_that_is_what_it_is_anyway_makes_no_other_run(open_page: Open) -> None:
    app = open_page("launch", architectures="se_resnet", argument_width="1")
    assert_sound(app)
    assert app.number_input(key="argument_width").value == 1
    assert "-A" not in app.code[0].value
    assert "-A width=0.5" in open_page("launch", architectures="se_resnet", argument_width="0.5").code[0].value


def test_a_start_that_does_not_fit_is_refused_in_a_sentence(store: RunStore, open_page: Open) -> None:
    other = of_drawn_faces(make_run(store, "linear", n=350, weights=True))
    app = open_page("launch", architectures=["se_resnet", "mini_xception"], init_from=other.id)
    assert "A run to start from fits one architecture; choose that one alone." in [each.value for each in app.error]
    for name, sentence in ((other.id.rsplit("__", 1)[-1], "do not fit"), ("nobody", "No run 'nobody'")):
        app = open_page("launch", architectures="se_resnet", init_from=name)
        button(app, "Launch 1 run").click().run()
        assert sentence in app.error[0].value
    assert [run.state for run in store.list()] == ["finished"]


def prepare_table(folder: Path) -> None:
    """A prepared dataset of descriptors, sixty for each of seven emotions, without an official split."""
    folder.mkdir(parents=True)
    labels = np.repeat(np.arange(7, dtype=np.uint8), 60)
    np.save(folder / "images.npy", np.random.default_rng(0).normal(size=(420, 10)))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "ids.npy", np.array([f"{row}" for row in range(420)]))
    np.save(folder / "split.npy", np.full(420, ""))
    manifest = {"schema_version": 1, "images": 420, "image_shape": [10], "synthetic": False}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_protocols_follow_the_dataset_and_what_does_not_fit_it_is_refused(tmp_path: Path, open_page: Open) -> None:
    prepare_table(tmp_path / "data" / "descriptors")
    app = open_page("launch")
    assert app.selectbox(key="dataset").value == "descriptors", "real faces come first"
    assert "official" not in app.selectbox(key="protocol").options
    assert app.error[0].value.startswith("Dataset 'descriptors' holds descriptors and no pixels")
    app.multiselect(key="architectures").set_value(["lpq_phog_mlp"]).run()
    assert_sound(app)
    app.selectbox(key="protocol").set_value("random_2fold").run()
    assert_sound(app)
    assert app.dataframe[0].value["epochs"].iloc[0].startswith("20 × ")
    app.selectbox(key="dataset").set_value("synthetic").run()
    assert not app.exception
    assert "official" in app.selectbox(key="protocol").options


def test_recipes_are_those_that_all_chosen_networks_have(open_page: Open) -> None:
    app = open_page("launch", architectures=["resnet18", "resnet50"], recipe="frozen")
    assert app.selectbox(key="recipe").value == "frozen"
    app.multiselect(key="architectures").set_value(["resnet18", "linear"]).run()
    assert_sound(app)
    assert list(app.selectbox(key="recipe").options) == ["modern", "paper"]
    assert app.selectbox(key="recipe").value == "modern"


def test_the_page_loads_no_torch_before_it_says_that_it_waits_for_it() -> None:
    code = "import dashboard.launch.form, dashboard.actions, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
