"""Runs as lists and pickers show them."""

import json
import os
from collections.abc import Callable

import pytest

from dashboard.advice import advice, train_command
from dashboard.summaries import RunShelf, best_first, board_label, boards, describe, find, labels
from dashboard.tables import accuracy_cells, leaderboard, on_board, run_of_pair, unranked
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run, make_spec, make_unfinished


def test_finished_runs_come_best_first_and_drawn_faces_after_real_ones(store: RunStore) -> None:
    make_run(store, preprocessing="raw", dataset="synthetic", accuracy=0.95)
    make_run(store, preprocessing="gcn", dataset="fer2013", accuracy=0.4)
    make_run(store, preprocessing="raw", dataset="fer2013", accuracy=0.7)
    make_unfinished(store, "failed", dataset="fer2013", preprocessing="clahe")
    runs = RunShelf().read(store)
    order = [(run.board, run.spec.preprocessing) for run in runs if run.board and run.spec]
    assert order == [
        (("fer2013", "official"), "raw"),
        (("fer2013", "official"), "gcn"),
        (("synthetic", "official"), "raw"),
        (("fer2013", "official"), "clahe"),
    ]
    assert boards(runs) == [("fer2013", "official"), ("synthetic", "official")]


def test_two_protocols_never_share_a_ranking(store: RunStore) -> None:
    official = make_run(store, dataset="fer2013", accuracy=0.5)
    make_run(store, dataset="fer2013", accuracy=0.6, protocol="random_80_20")
    runs = RunShelf().read(store)
    ranked = on_board(runs, ("fer2013", "official"))
    assert [run.id for run in ranked] == [official.id]
    assert list(leaderboard(ranked)["id"]) == [official.id]


def test_a_run_is_read_again_only_where_a_file_changed(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_run(store, preprocessing=name, n=100) for name in ("raw", "gcn")]
    shelf = RunShelf()
    shelf.read(store)
    reads: list[str] = []
    original = Run.evaluation
    monkeypatch.setattr(Run, "evaluation", lambda run: reads.append(run.id) or original(run))
    shelf.read(store)
    assert reads == []
    path = runs[0].path / "evaluation.json"
    data = json.loads(path.read_text())
    data["splits"]["test"]["accuracy"] = 0.123
    path.write_text(json.dumps(data))
    os.utime(path, ns=(1, 1))
    found = shelf.read(store)
    assert set(reads) == {runs[0].id}
    assert {run.id: run.accuracy for run in found}[runs[0].id] == 0.123


def test_a_run_that_went_away_is_forgotten(store: RunStore) -> None:
    run = make_run(store, n=100)
    shelf = RunShelf()
    assert len(shelf.read(store)) == 1
    store.delete(run)
    assert shelf.read(store) == []


def test_a_run_is_lost_as_soon_as_nobody_holds_it_though_no_file_changed(store: RunStore) -> None:
    run = make_unfinished(store, "running")
    shelf = RunShelf()
    with run.lock():
        assert [each.state for each in shelf.read(store)] == ["running"]
    (lost,) = shelf.read(store)
    assert lost.state == "lost"
    assert "epoch 3 of 20" in lost.problem


def damage_evaluation(run: Run) -> None:
    (run.path / "evaluation.json").write_text('{"splits": ')


def misshape_evaluation(run: Run) -> None:
    (run.path / "evaluation.json").write_text('{"splits": []}')


def remove_spec(run: Run) -> None:
    (run.path / "spec.json").unlink()


def empty_status(run: Run) -> None:
    (run.path / "status.json").write_bytes(b"")


def put_a_folder_in_place_of_the_status(run: Run) -> None:
    (run.path / "status.json").unlink()
    (run.path / "status.json").mkdir()


DAMAGES = [damage_evaluation, misshape_evaluation, remove_spec, empty_status, put_a_folder_in_place_of_the_status]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_run_is_listed_with_its_reason_and_breaks_nothing(
    store: RunStore, damage: Callable[[Run], None]
) -> None:
    healthy, broken = make_run(store, n=100), make_run(store, preprocessing="gcn", n=100)
    damage(broken)
    runs = RunShelf().read(store)
    assert {run.id: run.state for run in runs} == {healthy.id: "finished", broken.id: "damaged"}
    assert runs[-1].problem
    table = unranked(runs)
    assert list(table["id"]) == [broken.id]
    assert all(table["what to do"])


def test_a_broken_environment_does_not_take_the_result_away(store: RunStore) -> None:
    run = make_run(store, n=100)
    (run.path / "environment.json").write_text("[1]")
    (found,) = RunShelf().read(store)
    assert found.state == "finished"
    assert found.fact("wall_s") is None
    assert "epochs" in describe(found)


def test_labels_say_what_differs_and_are_never_alike(store: RunStore) -> None:
    make_run(store, preprocessing="raw", n=100, accuracy=0.6)
    make_run(store, preprocessing="gcn", n=100, accuracy=0.5)
    simple = labels(RunShelf().read(store))
    assert all("seed" not in label and "official" not in label for label in simple.values())
    make_unfinished(store, "failed", seed=1)
    make_unfinished(store, "failed", seed=1, epochs=21)  # the same but for the recipe's epochs
    several = labels(RunShelf().read(store))
    assert len(set(several.values())) == 4
    assert any(label.startswith("mini_xception · raw · failed · seed 1 · ") for label in several.values())


def test_a_run_is_found_by_its_name_its_hash_and_its_beginning(store: RunStore) -> None:
    run = make_run(store, preprocessing="gcn", n=100)
    make_run(store, preprocessing="gcn+hist_eq", n=100)
    runs = RunShelf().read(store)
    for name in (run.id, run.id.rsplit("__", 1)[-1], "mini_xception__gcn__"):
        assert find(runs, name).id == run.id  # type: ignore[union-attr]
    assert find(runs, "mini_xception__gcn") is None
    assert find(runs, "nothing") is None


def test_the_map_has_every_pair_and_the_best_run_of_each(store: RunStore) -> None:
    make_run(store, preprocessing="raw", n=200, accuracy=0.5)
    best = make_run(store, preprocessing="raw", n=200, accuracy=0.7, seed=1)
    make_run(store, preprocessing="gcn+hist_eq", n=200, accuracy=0.6)
    make_run(store, architecture="linear", preprocessing="gcn", n=200, accuracy=0.3)
    cells = accuracy_cells(best_first(RunShelf().read(store)))
    assert list(cells["preprocessing"]) == ["raw", "gcn", "gcn+hist_eq"] * 2
    assert list(dict.fromkeys(cells["architecture"])) == ["mini_xception", "linear"]
    assert list(cells["runs"]) == [2, 0, 1, 0, 1, 0]
    assert run_of_pair(cells, "mini_xception", "raw") == best.id
    assert run_of_pair(cells, "linear", "raw") is None


def test_drawn_faces_are_always_called_so() -> None:
    assert board_label(("synthetic", "official")) == "synthetic (drawn faces), official"
    assert board_label(("fer2013", "official")) == "fer2013, official"


@pytest.mark.parametrize("state", ["failed", "cancelled", "queued", "lost"])
def test_the_advice_for_a_stopped_run_is_the_command_of_its_own_spec(store: RunStore, state: str) -> None:
    make_unfinished(store, "running" if state == "lost" else state, preprocessing="gcn(lam=10)+hist_eq", seed=4)
    (run,) = RunShelf().read(store)
    assert run.state == state
    step = advice(run)
    assert step.sentence
    assert "--preprocessing 'gcn(lam=10)+hist_eq'" in step.command
    assert "--epochs 20" in step.command
    assert "--seed 4" in step.command


def test_the_train_command_names_the_same_spec(store: RunStore) -> None:
    import shlex

    from typer.testing import CliRunner

    from fer_core.cli import train as command
    from fer_core.cli.app import app

    seen = []
    spec = make_spec(preprocessing="gcn", dataset="synthetic", seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "load_dataset", lambda name: None)
        patch.setattr(command, "_train_shown", lambda made, *rest: seen.append(made))
        patch.setattr(command, "_print_result", lambda run: None)
        result = CliRunner().invoke(app, shlex.split(train_command(spec).split(" fer_core ")[1]))
    assert result.exit_code == 0, result.output
    (made,) = seen
    for name in ("architecture", "preprocessing", "dataset", "protocol", "seed"):
        assert getattr(made, name) == getattr(spec, name)
    for name in ("name", "epochs", "batch_size", "learning_rate", "precision"):
        assert getattr(made.recipe, name) == getattr(spec.recipe, name)


def test_a_damaged_run_with_predictions_is_to_be_evaluated_again(store: RunStore) -> None:
    run = make_run(store, n=100)
    damage_evaluation(run)
    (found,) = RunShelf().read(store)
    assert advice(found).command.endswith(f"-m fer_core evaluate {run.id}")
