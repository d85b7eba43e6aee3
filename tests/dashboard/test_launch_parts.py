"""From a selection to specs, commands and a preview."""

import inspect
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dashboard.formats import NONE, SPACE
from dashboard.launch import plan
from dashboard.launch import selection as launching
from dashboard.launch.plan import Planned
from dashboard.launch.selection import Selection, command, make_specs
from dashboard.summaries import RunShelf
from fer_core.cli import grid as command_line
from fer_core.cli.app import load
from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.jobs import JobQueue
from fer_core.jobs.estimate import Estimate, Machine, Workload
from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore, remove_job
from tests.dashboard.runs import make_run, make_spec, make_unfinished

PAIR = Selection(("mini_xception", "linear"), ("raw", "gcn"), "synthetic")
FACES = Workload(images=(1400,), size=48, channels=1)
CPU = Machine("cpu")


def names(specs: Sequence[RunSpec]) -> list[tuple[str, str, int]]:
    return [(spec.architecture, spec.preprocessing, spec.seed) for spec in specs]


def test_a_selection_is_every_pair_with_every_seed() -> None:
    specs = make_specs(replace(PAIR, seeds="0, 3"))
    assert names(specs) == [
        (architecture, pipeline, seed)
        for architecture in ("mini_xception", "linear")
        for pipeline in ("raw", "gcn")
        for seed in (0, 3)
    ]
    assert {spec.recipe.name for spec in specs} == {"modern"}


def test_what_is_written_twice_is_one_run() -> None:
    assert names(make_specs(replace(PAIR, pipelines=("gcn", "gcn(lam=10)", " gcn "), seeds="1,1"))) == [
        ("mini_xception", "gcn", 1),
        ("linear", "gcn", 1),
    ]


def test_only_what_is_filled_in_replaces_a_value_of_the_recipe() -> None:
    filled_in = {"epochs": 3, "learning_rate": None, "milestones": "1, 2", "augmentation": "none", "schedule": ""}
    plain, changed = make_specs(PAIR)[0], make_specs(replace(PAIR, hyperparameters=filled_in))[0]
    assert changed.recipe == replace(plain.recipe, epochs=3, milestones=(1, 2), augmentation="")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architectures": ()}, "choose at least one architecture"),
        ({"pipelines": ()}, "choose at least one preprocessing"),
        ({"pipelines": ("raw", "hist_q")}, r"unknown step 'hist_q' \(did you mean 'hist_eq'\?\); choose from clahe"),
        ({"seeds": "0,one"}, "seeds must be whole numbers joined by commas, got '0,one'"),
        ({"seeds": ""}, "seeds must be whole numbers"),
        ({"seeds": "-1"}, "seed must be between 0"),
        ({"seeds": ",".join(str(seed) for seed in range(51))}, "these are 204 runs, and at most 200"),
        ({"left_out": EMOTIONS[1:]}, "at least two different ones"),
        ({"recipe": "normalised"}, "unknown recipe 'normalised' of mini_xception; choose from modern, paper"),
        ({"hyperparameters": {"learning_rate": 200.0}}, "learning_rate must be between"),
        ({"hyperparameters": {"milestones": "10;20"}}, "milestones must be whole numbers"),
        ({"hyperparameters": {"schedule": "steps"}}, "needs milestones"),
        ({"hyperparameters": {"augmentation": "flop"}}, "unknown augmentation 'flop'"),
    ],
)
def test_what_cannot_be_trained_gets_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FerError, match=sentence):
        make_specs(replace(PAIR, **change))


def typed(command: str, monkeypatch: pytest.MonkeyPatch) -> list[RunSpec]:
    """The specs that the command line makes of what one types, and the device, without training any."""
    words = shlex.split(command)
    assert words[1:3] == ["-m", "fer_core"]
    queued: list[RunSpec] = []
    monkeypatch.setattr(command_line, "queue_all", lambda specs, store, device: queued.extend(specs))
    parsed = load(words[3])
    context = parsed.make_context(words[3], [*words[4:], "--queue"])
    context.command.invoke(context)
    return queued


@pytest.mark.parametrize(
    "selection",
    [
        PAIR,
        Selection(("linear",), ("raw",), "fer2013"),
        replace(PAIR, seeds="0, 1,2", protocol="kfold5", recipe="paper", left_out=("disgust", "fear")),
        replace(PAIR, pipelines=("gcn(lam=5)+hist_eq", "raw"), device="cpu"),
        replace(PAIR, pipelines=("gcn(lam=5,s=2)", "raw", "face_crop+gcn(lam=5,s=2)"), seeds="4,5"),
        replace(PAIR, pipelines=("gcn(lam=5,s=2)",)),
        replace(
            PAIR,
            hyperparameters={
                "epochs": 3,
                "learning_rate": 1e-5,
                "label_smoothing": 0.0,
                "schedule": "steps",
                "milestones": "1, 2",
                "augmentation": "flip+rotate(10)",
                "class_weights": "none",
            },
        ),
        replace(PAIR, hyperparameters={"augmentation": "none", "optimizer": "sgd"}),
        replace(PAIR, architectures=("se_resnet",), arguments={"width": 0.75, "dropout": 0}),
        replace(PAIR, architectures=("resnet18",), arguments={"weights": "imagenet", "input_size": 96}),
    ],
)
def test_the_command_line_makes_the_same_specs(selection: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = typed(command(selection), monkeypatch)
    assert {spec.run_id for spec in specs} == {spec.run_id for spec in make_specs(selection)}
    assert len(specs) == len(make_specs(selection))


def test_the_command_line_starts_from_the_same_run(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_RUNS_DIR", str(store.root))
    run = make_run(store, "linear")
    selection = replace(PAIR, architectures=("linear",), init_from=run.id)
    specs = make_specs(selection)
    assert {spec.init_from for spec in specs} == {run.id}
    line = command(selection)
    assert typed(line, monkeypatch) == specs
    assert typed(line.replace(run.id, run.id.rsplit("__", 1)[-1]), monkeypatch) == specs


def test_options_that_have_their_default_are_left_out() -> None:
    plain = command(replace(PAIR, dataset="fer2013"))
    assert plain.endswith("-m fer_core grid --architectures mini_xception,linear --preprocessing raw,gcn")
    changed = replace(PAIR, device="cuda:1", hyperparameters={"epochs": 2})
    assert command(changed).endswith("raw,gcn --dataset synthetic --device cuda:1 -H epochs=2")


def test_the_defaults_are_those_of_the_command_line() -> None:
    grid = inspect.signature(command_line.grid).parameters
    for option, default in launching.GRID_DEFAULTS.items():
        assert (
            grid[option.lstrip("-").replace("-", "_")].default or ""
        ) == default  # None there is nothing chosen here


@pytest.fixture
def states(store: RunStore) -> dict[str, RunSpec]:
    """A spec in each state that a run can have, `new` included."""
    specs: dict[str, RunSpec] = {"new": make_spec("linear", seed=9)}
    specs["finished"] = make_run(store, accuracy=0.5).spec
    for number, state in enumerate(("running", "failed", "cancelled"), start=1):
        specs[state] = make_unfinished(store, state, seed=number).spec
    specs["lost"] = make_unfinished(store, "running", seed=4).spec
    queue = JobQueue(store)
    for seed, state in ((5, "queued"), (6, "forgotten"), (7, "damaged")):
        specs[state] = queue.launch(make_spec(seed=seed)).run.spec
    remove_job(queue.store.get(specs["forgotten"].run_id))
    (store.root / specs["damaged"].run_id / "status.json").write_text("{}x")
    return specs


def planned(store: RunStore, specs: dict[str, RunSpec]) -> dict[str, Planned]:
    runs = RunShelf().read(store)
    return dict(zip(specs, plan.plan(list(specs.values()), runs, FACES, CPU), strict=True))


def test_the_preview_says_what_a_launch_does_in_every_state(store: RunStore, states: dict[str, RunSpec]) -> None:
    with store.get(states["running"].run_id).lock():
        found = planned(store, states)
        assert {name: each.fate for name, each in found.items()} == {
            "new": "queued",
            "finished": "exists",
            "running": "exists",
            "failed": "resumed",
            "cancelled": "resumed",
            "lost": "resumed",
            "queued": "exists",
            "forgotten": "resumed",
            "damaged": "refused",
        }
        for name, each in found.items():
            if name != "damaged":
                assert JobQueue(store).launch(each.spec).outcome == each.fate
    with pytest.raises(FerError, match="damaged"):
        JobQueue(store).launch(states["damaged"])


def test_each_state_has_its_words(store: RunStore, states: dict[str, RunSpec]) -> None:
    with store.get(states["running"].run_id).lock():
        words = {name: each.state for name, each in planned(store, states).items()}
    accuracy = store.get(states["finished"].run_id).evaluation()["splits"]["test"]["accuracy"]
    assert words == {
        "new": "new",
        "finished": f"finished, {100 * accuracy:.1f}{SPACE}%",
        "running": "running, epoch 4 of 20",
        "failed": "failed, goes on after epoch 3",
        "cancelled": "cancelled, goes on after epoch 3",
        "lost": "lost, goes on after epoch 3",
        "queued": "waits in the queue",
        "forgotten": "queued, begins anew",
        "damaged": "damaged: delete it first",
    }


def test_what_stands_in_the_way_of_a_launch_is_said(store: RunStore, states: dict[str, RunSpec]) -> None:
    found = planned(store, states)
    assert "is damaged: delete it" in plan.hindrance(list(found.values()))
    assert plan.hindrance([found["new"], found["finished"]]) == ""
    assert plan.hindrance([found["finished"], found["queued"]]).startswith("All 2 runs exist already")


def test_times_come_from_past_runs_and_what_no_run_tells_is_said(store: RunStore) -> None:
    past = make_run(store, dataset="fer2013", accuracy=0.5)
    specs = [make_spec(preprocessing=pipeline, epochs=20, seed=1) for pipeline in ("raw", "gcn")]
    unknown = make_spec("linear")
    workload = Workload(images=(past.environment()["train_images"],), size=48, channels=1)
    runs = RunShelf().read(store)
    found = plan.plan([*specs, unknown, past.spec], runs, workload, CPU)
    assert [each.seconds for each in found[:2]] == pytest.approx([700.0, 700.0], rel=0.01)
    assert found[2].seconds is None
    assert plan.total_time(found) == (f"23{SPACE}min", "1 past run, 1 unknown", True)
    assert plan.total_time(found[2:3]) == (NONE, "no past run of it", False)
    elsewhere = plan.plan(specs, runs, workload, replace(CPU, name="Another Processor"))
    assert plan.total_time(elsewhere) == (f"23{SPACE}min", "1 past run, other device", False)
    assert plan.total_time(found[3:]) == (NONE, "nothing to train", False)
    table = plan.preview_table(found, workload)
    assert list(table["time"]) == [f"12{SPACE}min", f"12{SPACE}min", NONE, NONE]
    assert list(table["basis"]) == [
        "1 past run (other thread count)",
        "1 past run (other thread count)",
        "no past run of it",
        "",
    ]
    assert list(table["run"]) == ["", "", "", f"run?run={past.id}"]
    assert list(table["epochs"]) == ["20"] * 4


def test_a_run_that_goes_on_takes_what_is_left_of_it(store: RunStore) -> None:
    run = make_unfinished(store, "cancelled", epoch=5)
    summary = RunShelf().read(store)[0]
    assert Planned(run.spec, summary, Estimate(1000.0, 1)).seconds == pytest.approx(750.0)


def test_folds_are_shown_with_the_epochs_of_each(store: RunStore) -> None:
    workload = Workload(images=(10, 10, 10), size=48, channels=1)
    table = plan.preview_table(plan.plan([make_spec(epochs=2000)], [], workload, CPU), workload)
    assert list(table["epochs"]) == ["3 × 2,000"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "5 s"), (42, "40 s"), (100, "1 min 30 s"), (2916, "49 min"), (8148, "2 h 20 min"), (None, NONE)],
)
def test_an_estimate_claims_no_seconds_that_it_does_not_know(seconds: float | None, text: str) -> None:
    assert plan.about(seconds).replace(SPACE, " ") == text


def test_the_catalogue_names_what_there_is_and_what_recipes_share() -> None:
    catalogue = launching.read_catalogue()
    assert {"mini_xception", "linear", "lpq_phog_mlp"} <= set(catalogue.architectures)
    assert catalogue.steps[0] == "raw"
    assert "normalised" in catalogue.common_recipes(["lpq_phog_mlp"])
    assert catalogue.common_recipes(["lpq_phog_mlp", "linear"]) == ["modern", "paper"]
    assert catalogue.common_recipes([]) == ["modern", "paper"]
    assert catalogue.values(["linear"], "modern", "epochs") == [30]
    assert catalogue.shared_arguments(["se_resnet"], "modern")["width"] == [1.0]
    assert catalogue.shared_arguments(["se_resnet", "shallow_cnn"], "modern") == {"dropout": [0.2, 0.25]}
    assert catalogue.shared_arguments(["se_resnet", "linear"], "modern") == {}
    assert catalogue.shared_arguments(["resnet18"], "frozen")["weights"] == ["imagenet"]
    assert catalogue.shared_arguments([], "modern") == {}
    assert len(catalogue.values(catalogue.architectures, "modern", "learning_rate")) > 1


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.002], "0.002"),
        ([2e-3, 1e-3, 4e-3], "0.001 – 0.004"),
        (["adam", "adamw"], "adam or adamw"),
        ([""], "none"),
        ([(100, 120)], "100, 120"),
        ([()], "none"),
        ([], ""),
    ],
)
def test_what_recipes_say_is_shown_in_few_words(values: list[Any], text: str) -> None:
    assert launching.shown_values(values) == text


def test_pipelines_that_runs_have_used_can_be_chosen_too(store: RunStore) -> None:
    make_run(store, preprocessing="gcn+hist_eq")
    catalogue = launching.Catalogue({"linear": {"modern": Recipe("modern", 1, 2, "adam", 0.1)}}, ("raw", "gcn"))
    assert launching.pipelines(catalogue, RunShelf().read(store)) == ["raw", "gcn", "gcn+hist_eq"]


def test_the_first_protocol_is_the_official_one_or_what_runs_have_used(store: RunStore) -> None:
    make_run(store, dataset="sfew", protocol="spi_2fold")
    runs = RunShelf().read(store)
    assert launching.first_protocol(["kfold5", "official"], "sfew", runs) == 1
    assert launching.first_protocol(["kfold5", "random_2fold", "spi_2fold"], "sfew", runs) == 2
    assert launching.first_protocol(["kfold5", "spi_2fold"], "other", runs) == 0
    assert launching.first_protocol([], "other", runs) == 0


def test_an_outcome_is_one_sentence() -> None:
    assert plan.outcome(["queued", "exists", "queued"]) == "Launched: 2 queued, 1 there already."
    assert plan.outcome(["resumed"]) == "Launched: 1 resumed."
