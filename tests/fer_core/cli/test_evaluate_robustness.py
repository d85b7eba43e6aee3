"""`evaluate --corruptions` and `--tta` on the command line."""

import json

from fer_core.datasets import load_dataset
from fer_core.runs import RunStore
from fer_core.training import make_spec, train_run


def test_worse_pictures_and_views_are_measured_printed_and_kept(command, tmp_path):
    spec = make_spec(
        "linear", "raw", dataset="synthetic", protocol="official", recipe="modern",
        hyperparameters={"epochs": 1, "precision": "float32"},
    )  # fmt: skip
    run = train_run(spec, RunStore(tmp_path), device="cpu", dataset=load_dataset("synthetic"))
    store = ("--runs", tmp_path)
    before = (run.path / "evaluation.json").read_bytes()
    status, out, _ = command("evaluate", "linear", "--corruptions", "--tta", "flip", "--limit", "40", "--json", *store)
    told = json.loads(out)
    assert status == 0
    assert told == {"robustness": run.read_json("robustness.json"), "tta": run.read_json("tta.json")}
    assert (run.path / "evaluation.json").read_bytes() == before
    status, out, _ = command("evaluate", "linear", "--tta", "ten_crop", "--limit", "40", *store)
    assert status == 0
    assert "ten_crop" in out
    assert list(run.read_json("tta.json")["kinds"]) == ["flip", "ten_crop"]
    status, out, _ = command("evaluate", "linear", "--corruptions", "--limit", "40", *store)
    assert status == 0
    assert "occlusion" in out
    kept = [(run.path / name).read_bytes() for name in ("robustness.json", "tta.json")]
    status, out, error = command(
        "evaluate", "linear", "--corruptions", "--tta", "flip", "--limit", "20", "--json", *store
    )
    assert (status, [each["images"] for each in json.loads(out).values()]) == (0, [20, 20])
    assert "robustness.json keeps its figures of 40 images, more than 20" in error
    assert "tta.json keeps its figures of 40 images" in error
    assert [(run.path / name).read_bytes() for name in ("robustness.json", "tta.json")] == kept
    status, _, error = command("evaluate", "linear", "--tta", "", *store)
    assert (status, "choose from flip, ten_crop" in error) == (2, True)
    status, _, error = command("evaluate", "linear", "--limit", "40", *store)
    assert status == 2
    assert "--limit goes with" in error
    status, _, error = command("evaluate", "linear", "--seed", "4", *store)
    assert status == 2
    assert "--seed goes with --corruptions" in error
    status, _, error = command("evaluate", "linear", "--tta", "spin", *store)
    assert status == 2
    assert "choose from flip, ten_crop" in error
