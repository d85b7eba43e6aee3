"""Runs as lists and pickers show them."""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.accuracy_map import accuracy_cells, best_pair, chosen, run_of_pair
from dashboard.advice import advice, paper_command
from dashboard.labels import board_label, describe, kind_name, labels, network_name, short_name
from dashboard.queue_state import how
from dashboard.summaries import Board, RunShelf, RunSummary, best_first, boards, find, position, summarize
from dashboard.tables import leaderboard, on_board, unranked
from fer_core.cli import train as command
from fer_core.cli.app import app
from fer_core.labels import EMOTIONS
from fer_core.papers import Published, answers, published
from fer_core.runs import Run, RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_fold_run, make_run, make_spec, make_unfinished


def test_finished_runs_come_best_first_and_drawn_faces_after_real_ones(store: RunStore) -> None:
    make_run(store, preprocessing="raw", dataset="synthetic", accuracy=0.95)
    make_run(store, preprocessing="gcn", dataset="fer2013", accuracy=0.4)
    make_run(store, preprocessing="raw", dataset="fer2013", accuracy=0.7)
    make_unfinished(store, "failed", dataset="fer2013", preprocessing="clahe")
    runs = RunShelf().read(store)
    order = [(run.board, run.spec.preprocessing) for run in runs if run.board and run.spec]
    assert order == [
        (Board("fer2013", "official"), "raw"),
        (Board("fer2013", "official"), "gcn"),
        (Board("synthetic", "official"), "raw"),
        (Board("fer2013", "official"), "clahe"),
    ]
    assert boards(runs) == [Board("fer2013", "official"), Board("synthetic", "official")]


def test_two_protocols_never_share_a_ranking(store: RunStore) -> None:
    official = make_run(store, dataset="fer2013", accuracy=0.5)
    make_run(store, dataset="fer2013", accuracy=0.6, protocol="random_80_20")
    runs = RunShelf().read(store)
    ranked = on_board(runs, Board("fer2013", "official"))
    assert [run.id for run in ranked] == [official.id]
    assert list(leaderboard(ranked)["id"]) == [official.id]


def test_runs_that_tell_other_emotions_apart_are_another_ranking(store: RunStore) -> None:
    six = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
    seven = make_run(store, dataset="fer2013", accuracy=0.5)
    ranked = [make_run(store, dataset="fer2013", emotions=each, accuracy=0.6) for each in (six, six[::-1])]
    runs = RunShelf().read(store)
    without = Board("fer2013", "official", ("disgust",))
    assert boards(runs) == [without, Board("fer2013", "official")]
    assert {run.id for run in on_board(runs, without)} == {run.id for run in ranked}, "in whatever order"
    assert [run.id for run in on_board(runs, Board("fer2013", "official"))] == [seven.id]
    assert board_label(without) == "fer2013 · official · without disgust"


def test_the_official_split_is_the_first_ranking_though_another_has_more_runs(store: RunStore) -> None:
    make_run(store, dataset="fer2013")
    for seed in range(3):
        make_run(store, dataset="fer2013", protocol="random_80_20", seed=seed, n=100)
    assert boards(RunShelf().read(store))[0] == Board("fer2013", "official")


def test_repeated_folds_are_counted_by_their_images_and_epochs_by_fold(store: RunStore) -> None:
    make_fold_run(store, n=200, folds=2, repetitions=3, protocol="random_2fold", epochs=12)
    (run,) = RunShelf().read(store)
    assert (run.images, run.whole("n"), run.folds, run.epochs) == (200, 600, 6, 12)
    assert run.mean_accuracy == pytest.approx(run.accuracy)
    assert run.deviation is not None
    assert "12 epochs × 6 folds" in describe(run)
    table = leaderboard([run])
    assert list(table["epochs"]) == [12]
    assert list(accuracy_cells([run])["n"]) == [200]


def test_a_run_of_one_split_has_no_deviation(store: RunStore) -> None:
    make_run(store)
    (run,) = RunShelf().read(store)
    assert (run.folds, run.deviation, run.mean_accuracy) == (1, None, run.accuracy)


@pytest.mark.parametrize(
    ("done", "shown"),
    [(0, "epoch 1 of 20 in fold 1 of 5"), (20, "epoch 1 of 20 in fold 2 of 5"), (99, "epoch 20 of 20 in fold 5 of 5")],
)
def test_the_next_epoch_of_a_run_with_folds_is_counted_within_its_fold(store: RunStore, done: int, shown: str) -> None:
    run = make_unfinished(store, "running", epoch=1)
    run.update_status(epoch=done, epochs=100)
    with run.lock():
        (found,) = RunShelf().read(store)
        assert position(found, ahead=1) == shown


def test_settings_and_starts_are_part_of_a_label_where_they_differ(store: RunStore) -> None:
    make_run(store, "two_block_cnn", n=100, architecture_arguments={"kernel": 5, "filters": 32})
    make_run(store, "two_block_cnn", n=100, init_from="two_block_cnn__raw__fer2013-official__s0__00000000")
    make_run(store, "two_block_cnn", n=100, teacher="se_resnet__raw__fer2013-official__s0__00000000")
    runs = RunShelf().read(store)
    shown = list(labels(runs).values())
    start, teacher = "from two_block_cnn 00000000 (fer2013)", "taught by se_resnet 00000000"
    assert any(label.endswith("filters 32, kernel 5") for label in shown)
    assert any(label.endswith(start) for label in shown)
    assert set(leaderboard(runs)["setting"]) == {"filters 32, kernel 5", start, teacher}
    make_run(store, n=100)
    assert "setting" not in leaderboard(on_board(RunShelf().read(store), Board("synthetic", "official"))[:0])


def test_a_run_on_descriptors_reads_no_photos_though_its_weights_are_here(store: RunStore) -> None:
    run = make_run(store, architecture="linear", weights=True)
    run.write_json("environment.json", run.environment() | {"inputs": "descriptors"})
    (found,) = RunShelf().read(store)
    assert not found.can_predict
    assert "reads no photos" in found.obstacle


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
    assert "mini_xception · raw · failed · 21 epochs" in several.values()


def test_a_label_names_no_more_than_tells_a_run_apart_and_test_images_last(store: RunStore) -> None:
    first = make_run(store, n=100, epochs=44)
    make_run(store, n=100, epochs=3, init_from=first.id)
    make_run(store, n=100, epochs=44, init_from=first.id)
    make_run(store, "linear", n=100, recipe="paper1")
    make_run(store, "linear", n=100, protocol="random_80_20")
    shown = {text.split(" · ", 3)[3] for text in labels(RunShelf().read(store)).values()}
    board, other = "synthetic (drawn faces) · official", "synthetic (drawn faces) · random_80_20"
    hash8 = first.id.rpartition("__")[2]
    assert shown == {
        *(f"{told} · {board}" for told in ("44 epochs", "3 epochs", f"44 epochs, from mini_xception {hash8}")),
        board,
        other,
    }


def test_a_run_that_is_not_listed_is_named_out_of_its_id() -> None:
    run_id = "ensemble-weighted__raw__fer2013-official__s0__b797bf03"
    assert kind_name(run_id) == "ensemble:weighted · raw"
    assert kind_name(run_id, in_full=True) == "ensemble:weighted · raw · b797bf03"
    assert short_name(run_id) == "ensemble:weighted b797bf03"
    assert kind_name("notes") == short_name("notes") == "notes"


def test_a_run_is_found_by_its_name_its_hash_and_its_beginning(store: RunStore) -> None:
    run = make_run(store, preprocessing="gcn", n=100)
    make_run(store, preprocessing="gcn+hist_eq", n=100)
    runs = RunShelf().read(store)
    for name in (run.id, run.id.rsplit("__", 1)[-1], "mini_xception__gcn__"):
        assert find(runs, name).id == run.id  # type: ignore[union-attr]
    assert find(runs, "mini_xception__gcn") is None
    assert find(runs, "nothing") is None


def test_a_pair_is_shown_by_the_run_that_validation_chooses_not_by_the_luckiest_on_the_test_images() -> None:
    def run(name: str, accuracy: float, valid: float | None) -> RunSummary:
        told = {} if valid is None else {"accuracy": valid}
        return RunSummary(name, Path(name), (), "finished", spec=make_spec(), test={"accuracy": accuracy}, valid=told)

    lucky, chosen_run, untold = run("1", 0.66, 0.62), run("2", 0.64, 0.65), run("3", 0.63, None)
    cells = accuracy_cells([lucky, chosen_run, untold])
    assert (cells["id"].item(), cells["accuracy"].item()) == ("2", 0.64)
    assert chosen([untold, run("4", 0.6, None)]).id == "3"


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
    assert board_label(Board("synthetic", "official")) == "synthetic (drawn faces) · official"
    assert board_label(Board("fer2013", "official")) == "fer2013 · official"


@pytest.mark.parametrize("state", ["failed", "cancelled", "queued", "lost"])
def test_the_advice_for_a_stopped_run_is_to_resume_it(store: RunStore, state: str) -> None:
    make_unfinished(store, "running" if state == "lost" else state, preprocessing="gcn(lam=10)+hist_eq", seed=4)
    (run,) = RunShelf().read(store)
    assert run.state == state
    step = advice(run)
    assert step.sentence
    assert step.command.endswith(f"-m fer_core resume {shlex.quote(run.id)}")


def test_the_command_of_the_advice_trains_the_same_spec(store: RunStore) -> None:
    run = make_unfinished(store, "failed", preprocessing="gcn+hist_eq", seed=4)
    (found,) = RunShelf().read(store)
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "load_dataset", lambda name: None)
        patch.setattr(command, "train_shown", lambda made, *rest: seen.append(made))
        patch.setattr(command, "print_result", lambda made: None)
        typed = shlex.split(advice(found).command.split(" fer_core ")[1])
        result = CliRunner().invoke(app, [*typed, "--runs", str(store.root)])
    assert result.exit_code == 0, result.output
    assert seen == [run.spec]


@pytest.mark.parametrize("figure", [each for each in published() if each.comparable], ids=lambda each: each.system)
def test_the_command_of_a_paper_s_system_answers_its_figure(figure: Published) -> None:
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "load_dataset", lambda name: None)
        patch.setattr(command, "train_shown", lambda made, *rest: seen.append(made))
        patch.setattr(command, "print_result", lambda made: None)
        result = CliRunner().invoke(app, shlex.split(paper_command(figure).split(" fer_core ")[1]))
    assert result.exit_code == 0, result.output
    assert answers(seen[0], figure)


def test_a_damaged_run_with_predictions_is_to_be_evaluated_again(store: RunStore) -> None:
    run = make_run(store, n=100)
    damage_evaluation(run)
    (found,) = RunShelf().read(store)
    assert advice(found).command.endswith(f"-m fer_core evaluate {run.id}")


def test_an_ensemble_was_not_trained_and_claims_neither_epochs_nor_time(store: RunStore) -> None:
    first, second = make_run(store, "linear", accuracy=0.5), make_run(store, "mini_xception", accuracy=0.5)
    ensemble = make_ensemble([first, second], store)
    table = leaderboard(RunShelf().read(store)).set_index("id")
    assert table.loc[ensemble.id, ["epochs", "minutes"]].isna().all()
    assert table.loc[first.id, "epochs"] == 20


def test_the_time_in_all_is_there_where_a_run_builds_on_others(store: RunStore) -> None:
    first = make_run(store, n=40, epochs=6)
    assert "total" not in leaderboard(RunShelf().read(store))
    make_run(store, n=40, epochs=3, init_from=first.id)
    table = leaderboard(RunShelf().read(store)).set_index("epochs")
    assert list(table.loc[[6, 3], "minutes"]) == pytest.approx([6 * 35 / 60, 3 * 35 / 60])
    assert list(table.loc[[6, 3], "total"]) == pytest.approx([6 * 35 / 60, 9 * 35 / 60])


def test_an_ensemble_is_not_called_raw_nor_is_a_table_of_descriptors(store: RunStore) -> None:
    members = [make_run(store, "linear", name, accuracy=0.5) for name in ("raw", "hist_eq")]
    ensemble = summarize(make_ensemble(members, store), ())
    assert network_name(ensemble) == "ensemble:weighted"
    assert network_name(summarize(members[1], ()), " with ") == "linear with hist_eq"
    assert best_pair(ensemble).startswith("Validation chooses ensemble:weighted, which recognises ")
    assert " · raw" not in labels([ensemble])[ensemble.id]
    assert how(ensemble).endswith("2 members")
    assert how(summarize(members[0], ())).endswith("modern recipe · seed 0")
    members[0].write_json("environment.json", members[0].environment() | {"inputs": "descriptors"})
    assert describe(summarize(members[0], ())).startswith("linear on the descriptors of ")
