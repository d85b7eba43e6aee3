"""The Live page: what it says, which runs it shows, and what it gives to the browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from skimage.data import astronaut
from streamlit.testing.v1 import AppTest

from dashboard.formats import percent
from dashboard.live import assets, component, exports, tickets
from dashboard.summaries import RunSummary, best_first, stamp_of, summarize
from fer_core.errors import FerError
from fer_core.palette import EMOTION_COLORS
from fer_core.runs import Run, RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts
from tests.dashboard.test_photos import encoded

Open = Callable[..., AppTest]


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for dashboard/static/, with what set-up puts there."""
    folder = tmp_path / "static"
    (folder / "vendor").mkdir(parents=True)
    for name in assets.VENDOR_FILES:
        (folder / "vendor" / name).write_bytes(b"installed")
    monkeypatch.setattr(assets, "STATIC", folder)
    for module in (assets, component):
        monkeypatch.setattr(module, "VENDOR", folder / "vendor")
    monkeypatch.setattr(exports, "EXPORTS", folder / "exports")
    return folder


@pytest.fixture
def export_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for the export, which takes seconds, and notes each run that is exported."""
    calls: list[str] = []

    def export_run(run: Run, folder: Path) -> list[Any]:
        calls.append(run.id)
        path = folder / f"{run.id}.onnx"
        path.write_bytes(b"a graph")
        return [type("Exported", (), {"path": path})]

    monkeypatch.setattr("fer_core.export.export_run", export_run)
    return calls


def summary(run: Run) -> RunSummary:
    return summarize(run, stamp_of(run.path, ("spec.json", *exports.DECIDING, "status.json")))


def component_json(app: AppTest) -> dict[str, Any]:
    """What the page gives to the scripts."""
    (found,) = app.get("bidi_component")
    return dict(json.loads(found.proto.json))


def test_without_a_network_it_says_how_to_get_one(store: RunStore, open_page: Open, static: Path) -> None:
    make_run(store)
    app = open_page("live")
    assert_sound(app)
    assert "No network to try" in texts(app)
    assert "-m fer_core train" in app.code[0].value


def test_it_says_once_where_frames_go_and_what_an_expression_is_not(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    make_run(store, architecture="linear", weights=True)
    app = open_page("live")
    assert_sound(app)
    assert texts(app).count("Frames never leave the browser") == 1
    assert texts(app).count("not a feeling") == 1


def test_the_browser_gets_the_best_run_and_colours_as_everywhere(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    run = make_run(store, architecture="linear", weights=True)
    data = component_json(open_page("live"))
    (shown,) = data["runs"]
    assert shown["id"] == run.id
    assert shown["emotions"] == list(run.spec.emotions)
    assert shown["size"] == 48
    assert shown["letter"] == ""
    assert data["colors"] == EMOTION_COLORS
    assert data["way"] == "browser"
    assert data["vendor"] == "/app/static/vendor"
    assert data["networks"][run.id].startswith(f"/app/static/exports/{run.id}-")
    assert (static / data["scripts"].removeprefix("/app/static/") / "main.js").is_file()
    assert export_calls == [run.id]


def test_a_link_shows_two_runs_on_the_same_face(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    runs = [make_run(store, architecture="linear", weights=True, accuracy=0.3 + 0.1 * n, seed=n) for n in range(3)]
    app = open_page("live", run=runs[0].id, second=runs[1].id)
    assert_sound(app)
    shown = component_json(app)["runs"]
    assert [(each["letter"], each["id"]) for each in shown] == [("A", runs[0].id), ("B", runs[1].id)]
    assert shown[0]["label"] != shown[1]["label"]
    app.selectbox(key="second_picker").select(runs[2].id).run()
    assert runs[2].id in app.query_params["second"]
    assert [each["id"] for each in component_json(app)["runs"]] == [runs[0].id, runs[2].id]
    app.selectbox(key="second_picker").set_value(None).run()
    assert "second" not in app.query_params
    assert [each["id"] for each in component_json(app)["runs"]] == [runs[0].id]


def test_a_run_that_has_no_onnx_form_is_read_by_the_server_and_the_page_says_so(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    run = make_run(store, architecture="linear", preprocessing="face_crop", weights=True)
    app = open_page("live")
    assert_sound(app)
    told = app.warning[0].value.replace("\\", "")
    assert "its step face_crop searches with OpenCV's cascade" in told
    assert "linear · face_crop · " in told
    assert run.id not in told
    assert app.segmented_control(key="read").value == "Live on the server"
    assert app.segmented_control(key="read").options == ["Live on the server", "Snapshot"]
    assert "So the server reads the frames here" in app.warning[0].value
    assert "never leave" not in texts(app)
    assert texts(app).count("Frames go to the computer that runs this dashboard") == 1
    data = component_json(app)
    assert data["way"] == "server"
    assert data["socket"] == "/fer/live"
    assert [each.id for each in tickets.admitted(data["ticket"]) or ()] == [run.id]
    assert component_json(app.run())["ticket"] == data["ticket"], "one for a session, as long as the choice is the same"
    assert export_calls == []


def test_the_browser_reads_again_once_a_run_is_chosen_that_it_can_read(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    cropped = make_run(store, architecture="linear", preprocessing="face_crop", weights=True, accuracy=0.3)
    plain = make_run(store, architecture="linear", weights=True, accuracy=0.6)
    app = open_page("live", run=plain.id)
    ways = []
    for run in (cropped, plain, cropped):
        app.selectbox(key="run_picker").select(run.id).run()
        assert_sound(app)
        ways.append((app.segmented_control(key="read").value, component_json(app)["way"]))
    assert ways == [("Live on the server", "server"), ("Live", "browser"), ("Live on the server", "server")]
    app.selectbox(key="second_picker").select(plain.id).run()
    assert app.segmented_control(key="read").value == "Live on the server", "one of them cannot"


def test_a_link_to_the_live_camera_of_a_run_that_no_browser_reads_shows_the_server_as_chosen(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    make_run(store, architecture="linear", preprocessing="face_crop", weights=True)
    app = open_page("live", read="Live")
    assert_sound(app)
    assert app.segmented_control(key="read").value == "Live on the server"
    assert len(app.warning) == 1


def test_every_choice_of_runs_has_a_ticket_of_its_own(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    runs = [make_run(store, architecture="linear", weights=True, seed=seed) for seed in range(2)]
    app = open_page("live", run=runs[0].id, read="Live on the server")
    first = component_json(app)["ticket"]
    app.selectbox(key="second_picker").select(runs[1].id).run()
    second = component_json(app)["ticket"]
    assert second != first
    assert [each.id for each in tickets.admitted(second) or ()] == [run.id for run in runs]
    assert export_calls == []


def test_a_snapshot_is_read_by_every_run(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    make_run(store, architecture="linear", preprocessing="face_crop", weights=True)
    app = open_page("live", read="Snapshot")
    assert not app.warning
    assert texts(app).count("stays in its memory") == 1
    app.camera_input(key="live_snapshot").set_value(("shot.jpg", encoded(astronaut(), "JPEG"), "image/jpeg")).run()
    assert_sound(app)
    assert texts(app).count("**1 · ") == 1
    assert len(app.get("vega_lite_chart")) == 1
    assert export_calls == []


def test_a_snapshot_without_a_face_says_what_to_do(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    make_run(store, architecture="linear", weights=True)
    app = open_page("live", read="Snapshot")
    assert not app.get("bidi_component")
    blank = encoded(astronaut()[:60, :60], "JPEG")
    app.camera_input(key="live_snapshot").set_value(("shot.jpg", blank, "image/jpeg")).run()
    assert_sound(app)
    assert app.info[0].value.startswith("No face was found")


def test_without_the_browsers_part_it_says_how_to_install_it(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    make_run(store, architecture="linear", weights=True)
    (assets.VENDOR / "detector.onnx").unlink()
    app = open_page("live")
    assert_sound(app)
    assert "`make camera` installs it" in app.warning[0].value
    assert component_json(app)["way"] == "server"
    assert export_calls == []


def test_a_run_is_exported_once_and_again_after_it_changed(
    store: RunStore, static: Path, export_calls: list[str]
) -> None:
    run = make_run(store, architecture="linear", weights=True)
    first = exports.exported(summary(run))
    assert exports.exported(summary(run)) == first
    assert export_calls == [run.id]
    weights = run.path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    second = exports.exported(summary(run))
    assert export_calls == [run.id, run.id]
    assert [path for path in exports.EXPORTS.iterdir() if path.suffix == ".onnx"] == [second]
    assert second != first


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:3]),
        lambda path: path.write_bytes(b"b" + path.read_bytes()[1:]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: path.with_name(f"{path.name}.sha256").unlink(),
        lambda path: path.with_name(f"{path.name}.sha256").write_bytes(b"\xff\0"),
    ],
    ids=["cut short", "altered", "emptied", "removed", "written but not finished", "damaged checksum"],
)
def test_a_damaged_export_is_noticed_and_made_anew(
    store: RunStore, static: Path, export_calls: list[str], damage: Callable[[Path], object]
) -> None:
    run = summary(make_run(store, architecture="linear", weights=True))
    path = exports.exported(run)
    assert exports.is_exported(run)
    damage(path)
    assert not exports.is_exported(run)
    assert exports.exported(run) == path
    assert path.read_bytes() == b"a graph"
    assert exports.is_exported(run)
    assert export_calls == [run.id, run.id]


def test_an_export_that_fails_leaves_nothing_that_a_browser_could_load(
    store: RunStore, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: Run, folder: Path) -> None:
        (folder / f"{run.id}.onnx").write_bytes(b"half a gr")
        raise FerError("no space left")

    monkeypatch.setattr("fer_core.export.export_run", fail)
    run = summary(make_run(store, architecture="linear", weights=True))
    with pytest.raises(FerError, match="no space left"):
        exports.exported(run)
    assert not exports.is_exported(run)
    assert [each.name for each in exports.EXPORTS.iterdir()] == [".lock"]


def test_only_the_files_that_were_used_last_are_kept(
    store: RunStore, static: Path, export_calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_KEPT", 2)
    runs = [summary(make_run(store, architecture="linear", weights=True, seed=seed)) for seed in range(3)]
    written = [exports.exported(run) for run in runs]
    assert [path.exists() for path in written] == [False, True, True]
    assert len(list(exports.EXPORTS.glob("*.sha256"))) == 2


def test_a_run_without_an_onnx_form_is_refused_with_its_reason(store: RunStore, static: Path) -> None:
    run = summary(make_run(store, architecture="linear", preprocessing="face_crop", weights=True))
    with pytest.raises(FerError, match="its step face_crop"):
        exports.exported(run)
    missing = summary(make_run(store, architecture="linear"))
    assert "has no weights here" in exports.refusal(missing)
    colour = make_run(store, architecture="linear", weights=True, seed=5)
    colour.write_json("environment.json", colour.environment() | {"channels": 3})
    assert "takes colour faces" in exports.refusal(summary(colour))
    assert exports.refusal(summary(make_run(store, architecture="linear", weights=True, seed=6))) == ""


def test_changed_scripts_get_another_address_and_the_old_ones_go(
    static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "main.js").write_text("export const answer = 1\n")
    monkeypatch.setattr(assets, "SCRIPTS", scripts)
    first = assets.published_scripts()
    assert (first / "main.js").read_text() == "export const answer = 1\n"
    assert assets.published_scripts() == first
    (scripts / "main.js").write_text("export const answer = 2\n")
    second = assets.published_scripts()
    assert second != first
    assert [each.name for each in second.parent.iterdir()] == [second.name]


def test_addresses_hold_the_path_that_the_server_is_at(static: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assets.address(static / "vendor" / "a.onnx") == "/app/static/vendor/a.onnx"
    monkeypatch.setattr("streamlit.get_option", lambda name: "/faces/")
    assert assets.address(static / "vendor") == "/faces/app/static/vendor"


def test_every_file_that_a_script_imports_is_there() -> None:
    for script in assets.SCRIPTS.glob("*.js"):
        for line in script.read_text().splitlines():
            if line.startswith("import ") and ' from "' in line:
                assert (assets.SCRIPTS / line.split(' from "./')[1].rstrip('"')).is_file(), f"{script.name}: {line}"


def test_the_best_runs_come_first_in_both_lists(
    store: RunStore, open_page: Open, static: Path, export_calls: list[str]
) -> None:
    runs = [make_run(store, architecture="linear", weights=True, accuracy=0.3 + 0.1 * n, seed=n) for n in range(3)]
    app = open_page("live")
    expected = [run.id for run in best_first([summary(run) for run in runs])]
    assert app.selectbox(key="run_picker").value == expected[0]
    assert [option.split(" · ")[2] for option in app.selectbox(key="second_picker").options] == [
        percent(summary(run).accuracy) for run in [runs[1], runs[0]]
    ]


def test_an_ensemble_is_too_much_for_every_frame_and_a_single_network_comes_first(
    store: RunStore, open_page: Open, static: Path
) -> None:
    members = [make_run(store, name, weights=True, accuracy=0.5) for name in ("linear", "mini_xception")]
    ensemble = make_ensemble(members, store)
    assert summary(ensemble).can_predict
    assert "an ensemble of 2 networks" in exports.refusal(summary(ensemble))
    app = open_page("live", read="Snapshot")
    assert_sound(app)
    choice = app.selectbox(key="run_picker")
    assert choice.value in {member.id for member in members}
    assert "ensemble" in choice.options[-1]
