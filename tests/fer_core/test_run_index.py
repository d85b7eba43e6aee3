"""The index of a folder of runs: never the truth, and never in the way."""

import contextlib
import json
import multiprocessing
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from fer_core.runs import ROBUSTNESS_FILE, Run, RunIndex, RunStore, change_notes
from fer_core.runs import index as index_module
from fer_core.runs.index_file import FORMAT, IndexFile, index_path
from tests.dashboard.robustness_reports import report
from tests.dashboard.runs import make_run, make_unfinished


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """Two finished runs, one that failed, and a folder that is none."""
    store = RunStore(tmp_path / "runs")
    for preprocessing in ("raw", "gcn"):
        make_run(store, preprocessing=preprocessing, n=100)
    make_unfinished(store, "failed", preprocessing="clahe")
    (store.root / "photos").mkdir()
    settle(store)
    return store


def settle(store: RunStore) -> None:
    """Let the folders be old, as those of finished runs are."""
    for folder in store.root.iterdir():
        os.utime(folder, ns=(1, 1_700_000_000_000_000_000))


def index_of(store: RunStore) -> RunIndex:
    """As a server that has just started."""
    return RunIndex(store, worth_a_file=1)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reads: list[str] = []
    original = Run.read_json
    monkeypatch.setattr(Run, "read_json", lambda run, name: reads.append(f"{run.id}/{name}") or original(run, name))
    return reads


def test_a_new_process_takes_from_the_file_what_did_not_change(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index_of(store).read()
    reads = count_reads(monkeypatch)
    assert index_of(store).read() == first
    assert reads == []


def test_what_comes_out_of_the_file_is_what_the_folders_say(store: RunStore) -> None:
    finished = make_run(
        store, "two_block_cnn", n=100, architecture_arguments={"filters": 32}, init_from="x", milestones=(3, 5)
    )
    change_notes(store.list()[0], tags=["small"], note="a note", archived=True)
    finished.write_json(ROBUSTNESS_FILE, report(200, 200))
    index_of(store).read()
    again = index_of(store).read()
    shutil.rmtree(index_path(store.root).parent)
    assert again == RunIndex(store).read()
    assert [run.corruption_accuracy for run in again if run.robustness] == [pytest.approx(0.495)]
    assert [run.spec for run in again if run.spec] == [Run(run.path).spec for run in again if run.spec]


@pytest.mark.parametrize("name", ["spec.json", "status.json", "evaluation.json", "environment.json"])
def test_a_file_that_was_replaced_is_read_again_by_everyone(store: RunStore, name: str) -> None:
    index = index_of(store)
    index.read()
    run = store.get("mini_xception__raw")
    data = run.read_json(name)
    data |= {"seed": 5} if name == "spec.json" else {"device": "mine"} if name != "evaluation.json" else {}
    if name == "evaluation.json":
        data["splits"]["test"]["accuracy"] = 0.125
    run.write_json(name, data)
    for each in (index, index_of(store)):
        (found,) = [summary for summary in each.read() if summary.id == run.id]
        seen = {
            "spec.json": found.spec is not None and found.spec.seed == 5,
            "status.json": found.status.device == "mine",
            "evaluation.json": found.accuracy == 0.125,
            "environment.json": found.environment.get("device") == "mine",
        }
        assert seen[name]


def test_robustness_that_is_measured_later_is_seen_and_a_file_of_the_format_before_is_made_anew(
    store: RunStore,
) -> None:
    index = index_of(store)
    index.read()
    path = index_path(store.root)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {FORMAT - 1}")
        connection.execute("UPDATE runs SET facts = '{}'")
    run = store.get("mini_xception__raw")
    run.write_json(ROBUSTNESS_FILE, report(200, 200))
    for each in (index, index_of(store), index_of(store)):
        assert {found.id: found.corruption_accuracy for found in each.read()}[run.id] == pytest.approx(0.495)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT,)
        assert connection.execute("SELECT count(*) FROM runs WHERE facts LIKE '%0.495%'").fetchone() == (1,)


def test_a_file_that_was_edited_in_place_is_found_in_turn(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "LOOKED_INTO", 1)
    index = index_of(store)
    index.read()
    run = store.get("mini_xception__raw")
    path, before = run.path / "evaluation.json", run.path.stat().st_mtime_ns
    data = json.loads(path.read_text())
    data["splits"]["test"]["accuracy"] = 0.125
    path.write_text(json.dumps(data))
    assert run.path.stat().st_mtime_ns == before, "the folder's own time says nothing"
    for _ in range(len(store.list())):
        found = {summary.id: summary.accuracy for summary in index.read()}
    assert found[run.id] == 0.125


def test_a_folder_that_changed_just_now_is_looked_into_whatever_its_time_says(store: RunStore) -> None:
    index = index_of(store)
    run = make_run(store, preprocessing="hist_eq", n=100)
    index.read()
    about = run.path.stat()
    evaluation = run.evaluation()
    evaluation["splits"]["test"]["accuracy"] = 0.125
    run.write_json("evaluation.json", evaluation)
    os.utime(run.path, ns=(about.st_atime_ns, about.st_mtime_ns))  # as within one tick of the clock
    assert {each.id: each.accuracy for each in index.read()}[run.id] == 0.125


def test_runs_that_come_and_go_are_seen_at_once_and_forgotten(store: RunStore) -> None:
    index = index_of(store)
    before = len(index.read())
    generation = index.generation
    run = make_run(store, preprocessing="hist_eq", n=100)
    assert len(index.read()) == before + 1
    assert index.generation > generation
    store.delete(run)
    assert len(index.read()) == before
    assert run.id not in IndexFile(index_path(store.root)).load()


def test_the_generation_stays_while_nothing_changes(store: RunStore) -> None:
    index = index_of(store)
    index.read()
    generation = index.generation
    for run in store.list():
        os.utime(run.path)  # a checkpoint was replaced, say: no file that is listed
    index.read()
    assert index.generation == generation


def destroy(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    place = data.index(b'"accuracy":')
    data[place + 11 : place + 14] = b"0.9"
    path.write_bytes(data)


def change_the_format(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(f"DROP TABLE runs; CREATE TABLE runs (x); PRAGMA user_version = {FORMAT + 1}")


def change_the_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE runs; CREATE TABLE runs (x)")


def say_nonsense(path: Path) -> None:
    rows = IndexFile(path).load()
    IndexFile(path).save({name: row._replace(facts='{"stamp": 3}') for name, row in rows.items()})


DAMAGES = [destroy, empty, cut, spoil_the_middle, change_the_format, change_the_table, say_nonsense]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_index_is_made_anew_from_the_folders(
    store: RunStore, damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = index_of(store).read()
    damage(index_path(store.root))
    assert index_of(store).read() == whole
    assert index_of(store).read() == whole
    reads = count_reads(monkeypatch)
    assert index_of(store).read() == whole
    assert reads == [], "the second look after the damage finds a whole file"


def test_a_small_folder_has_no_file(store: RunStore) -> None:
    RunIndex(store).read()
    assert not index_path(store.root).exists()


def test_where_nobody_may_write_the_index_lies_in_the_cache_of_the_user(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("fer_core.runs.index_file.os.access", lambda *_: False)
    first = index_of(store).read()
    assert not (store.root / ".index").exists()
    assert list((tmp_path / "cache" / "fer_core").glob("runs-*.sqlite"))
    assert index_of(store).read() == first
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert index_of(store).read() == first


def test_while_another_process_writes_the_runs_are_read_all_the_same(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.runs.index_file.PATIENCE_S", 0.05)
    whole = index_of(store).read()
    with sqlite3.connect(index_path(store.root)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert index_of(store).read() == whole
    assert index_path(store.root).exists(), "who waits in vain does not throw the file away"


def read_often(root: str) -> int:
    return len([index_of(RunStore(Path(root))).read() for _ in range(5)][-1])


def test_several_processes_share_the_file(store: RunStore) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        counts = pool.map(read_often, [str(store.root)] * 3)
    assert counts == [4, 4, 4]
    assert len(IndexFile(index_path(store.root)).load()) == 4


def test_a_training_is_not_written_down(store: RunStore) -> None:
    run = make_unfinished(store, "running", preprocessing="hist_eq")
    index_of(store).read()
    assert run.id not in IndexFile(index_path(store.root)).load()


def test_a_folder_of_runs_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert index_of(RunStore(tmp_path / "none")).read() == []
    assert not (tmp_path / "none").exists()
