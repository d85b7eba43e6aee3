"""Which runs answer a published figure, and what is said of both."""

import pytest

from dashboard.labels import run_address
from dashboard.papers.comparisons import (
    Comparison,
    compare,
    comparison_table,
    elsewhere,
    find_answer,
    shown_table,
)
from dashboard.summaries import RunShelf, RunSummary
from fer_core.labels import EMOTIONS
from fer_core.papers import Published, published
from fer_core.runs import RunStore
from tests.dashboard.runs import make_fold_run, make_run, make_unfinished

SIX = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
OWN = {"dataset": "fer2013", "protocol": "random_80_20"}


def runs_of(store: RunStore) -> list[RunSummary]:
    return RunShelf().read(store)


def figure_of(system: str) -> Published:
    (found,) = [figure for figure in published() if figure.system == system]
    return found


def compared(store: RunStore, system: str) -> Comparison:
    (found,) = [each for each in compare(published(), runs_of(store)) if each.system == system]
    return found


def beyond(store: RunStore) -> list[Comparison]:
    return [each for each in compare(published(), runs_of(store)) if each.is_beyond]


def test_without_runs_every_comparable_figure_is_not_run_and_the_others_say_why() -> None:
    found = compare(published(), [])
    assert {each.verdict for each in found} == {"not run", "not comparable"}
    for each in found:
        assert each.answer is None
        assert each.remark
        assert (each.verdict == "not comparable") == (not each.figure.comparable)
    remarks = {each.system: each.remark for each in found}
    assert remarks["deep CNN"] == "not trained yet under this protocol"
    assert remarks["ResNet-50 frozen"] == "needs ImageNet weights"
    assert remarks["mini_xception + raw (table 3)"].startswith("Table 3 draws its 20 % of the images anew")


def test_ours_is_the_mean_over_the_seeds_and_not_the_best(store: RunStore) -> None:
    made = [make_run(store, accuracy=accuracy, seed=seed, **OWN) for seed, accuracy in enumerate((0.5, 0.6, 0.7))]
    tests = [run.evaluation()["splits"]["test"] for run in made]
    answer = find_answer(figure_of("mini_xception + raw"), runs_of(store))
    assert answer is not None
    assert answer.accuracy == pytest.approx(sum(test["accuracy"] for test in tests) / 3)
    assert answer.interval == pytest.approx(
        [sum(test["accuracy_interval"][end] for test in tests) / 3 for end in (0, 1)]
    )
    assert answer.run.id == made[1].id, "the run nearest to the mean"
    assert "mean of 3 seeds" in compared(store, "mini_xception + raw").remark


def test_between_specs_validation_decides_and_not_the_test(store: RunStore) -> None:
    lucky = make_run(store, accuracy=0.7, **OWN)
    chosen = make_run(store, accuracy=0.5, epochs=21, **OWN)
    for run, valid in ((lucky, 0.4), (chosen, 0.6)):
        evaluation = run.evaluation()
        evaluation["splits"]["valid"]["accuracy"] = valid
        run.write_json("evaluation.json", evaluation)
    answer = find_answer(figure_of("mini_xception + raw"), runs_of(store))
    assert answer is not None
    assert [run.id for run in answer.runs] == [chosen.id]


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.75, "reached"), (0.64, "within the interval"), (0.4, "below")])
def test_the_verdict_is_that_of_our_interval(store: RunStore, accuracy: float, verdict: str) -> None:
    make_run(store, accuracy=accuracy, **OWN)
    found = compared(store, "mini_xception + raw")
    assert found.verdict == verdict
    row = shown_table([found]).iloc[0]
    assert (":green-badge" in row["Verdict"]) == (verdict == "reached")
    assert row["Δ (points)"].startswith("+" if verdict == "reached" else "−")


def test_a_run_by_another_protocol_is_a_pointer_without_a_verdict(store: RunStore) -> None:
    run = make_run(store, dataset="fer2013", accuracy=0.75)
    found = compared(store, "mini_xception + raw")
    assert found.verdict == "not run"
    assert found.answer is None
    accuracy = 100 * run.evaluation()["splits"]["test"]["accuracy"]
    linked = f"[{accuracy:.1f}\N{NO-BREAK SPACE}%]({run_address(run.id)})"
    assert found.remark == f"not trained yet under this protocol; official protocol: {linked}"


def test_a_pointer_says_what_else_differs(store: RunStore) -> None:
    make_run(store, dataset="fer2013", emotions=SIX)
    assert "fer2013 · official · without disgust: [" in compared(store, "mini_xception + raw").remark.replace("\\", "")


def test_neither_drawn_faces_nor_runs_that_started_from_others_are_pointers(store: RunStore) -> None:
    make_run(store, dataset="synthetic")
    make_run(store, dataset="fer2013", init_from="mini_xception__raw__fer2013-official__s0__00000000")
    assert elsewhere(figure_of("mini_xception + raw"), runs_of(store)) == []


def test_a_resnet_from_random_weights_points_to_itself(store: RunStore) -> None:
    figure = figure_of("ResNet-18 fine-tuned")
    make_fold_run(store, "resnet18", "sfew_frames", folds=2, protocol=figure.protocol, recipe="fine_tuned")
    found = compared(store, "ResNet-18 fine-tuned")
    assert found.remark.startswith("needs ImageNet weights; from random weights: [")


@pytest.mark.parametrize(
    ("state", "message", "shown"),
    [
        ("failed", "the loss is not finite", "its training failed: the loss is not finite"),
        ("cancelled", "stopped by hand", "its training stopped: stopped by hand"),
        ("queued", "", "waits to be trained"),
        ("running", "", "nothing trains it any more; it stopped after epoch 3 of 20"),
    ],
)
def test_a_figure_whose_run_has_no_result_says_how_far_it_is(
    store: RunStore, state: str, message: str, shown: str
) -> None:
    make_unfinished(store, state, message, **OWN)
    assert compared(store, "mini_xception + raw").remark == shown


def test_a_run_that_is_trained_now_shows_its_epoch(store: RunStore) -> None:
    with make_unfinished(store, "running", **OWN).lock():
        assert compared(store, "mini_xception + raw").remark == "is being trained: epoch 3 of 20"


def test_a_message_of_a_run_is_no_markdown(store: RunStore) -> None:
    make_unfinished(store, "failed", "no [file](x) *here*", **OWN)
    assert r"no \[file\](x) \*here\*" in compared(store, "mini_xception + raw").remark


def test_runs_that_started_from_faces_stand_beside_paper_3_s_best_figure(store: RunStore) -> None:
    start = "six_conv_cnn__raw__fer2013-official__s0__00000000"
    run = make_fold_run(store, "six_conv_cnn", "sfew", accuracy=0.6, folds=2, protocol="spi_2fold", init_from=start)
    make_fold_run(store, "six_conv_cnn", "sfew", accuracy=0.3, folds=2, protocol="random_2fold", init_from=start)
    first, second = beyond(store)
    assert [first.verdict, second.verdict] == ["reached", "below"]
    assert first.figure.value == 0.4474
    assert first.system == "six_conv_cnn + raw, from fer2013"
    table = comparison_table([first, second])
    assert list(table["paper"]) == ["beyond", "beyond"]
    assert list(table["protocol"]) == ["spi_2fold", "random_2fold"]
    assert table["id"].iloc[0] == run.id


def test_another_imagenet_network_says_beside_which_it_stands(store: RunStore) -> None:
    run = make_fold_run(
        store,
        "efficientnet_lite0",
        "sfew_frames",
        accuracy=0.35,
        folds=2,
        protocol="random_2fold",
        recipe="frozen",
        architecture_arguments={"weights": "imagenet"},
    )
    (found,) = beyond(store)
    assert found.answer is not None
    assert found.answer.run.id == run.id
    assert found.system == "efficientnet_lite0 + raw, from ImageNet"
    assert found.remark.startswith("beside ResNet-101 frozen, paper 3's best frozen network")


def test_the_table_has_a_row_for_every_figure_with_numbers_in_percent(store: RunStore) -> None:
    make_run(store, accuracy=0.6, **OWN)
    found = compare(published(), runs_of(store))
    table = comparison_table(found)
    assert len(table) == len(shown_table(found)) == len(published())
    row = table.set_index("system").loc["mini_xception + raw"]
    assert row["published"] == pytest.approx(64.56)
    assert row["delta"] == pytest.approx(row["ours"] - row["published"])
    assert row["low"] < row["ours"] < row["high"]
    assert table["ours"].notna().sum() == 1


def test_a_link_leads_to_the_run_whatever_its_name(store: RunStore) -> None:
    run = make_run(store, preprocessing="gcn+hist_eq", accuracy=0.6, **OWN)
    row = shown_table([compared(store, "mini_xception + gcn+hist_eq")]).iloc[0]
    assert f"](run?run={run.id.replace('+', '%2B')})" in row["Ours (%)"]


def test_the_epochs_of_folds_are_those_of_one_fold(store: RunStore) -> None:
    make_fold_run(store, protocol="kfold5", emotions=SIX, epochs=12)
    found = compared(store, "two-block CNN in five folds")
    assert found.answer is not None
    assert found.answer.run.epochs == 12
    assert "5 folds" in found.remark
    assert comparison_table([found])["protocol"].iloc[0] == "kfold5, without disgust"


def test_a_run_whose_interval_cannot_be_read_answers_no_figure(store: RunStore) -> None:
    run = make_run(store, accuracy=0.6, **OWN)
    evaluation = run.evaluation()
    evaluation["splits"]["test"]["accuracy_interval"] = None
    run.write_json("evaluation.json", evaluation)
    assert compared(store, "mini_xception + raw").answer is None
