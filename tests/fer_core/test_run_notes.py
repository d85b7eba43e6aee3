"""Tags, notes and the archive beside a run; deleting and restoring; the commands for them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fer_core.cli.app import app
from fer_core.errors import FerError
from fer_core.runs import Run, RunError, RunIndex, RunStore, change_notes, read_notes, tags_of
from tests.dashboard.runs import make_run, make_unfinished


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run(store: RunStore) -> Run:
    return make_run(store, n=100)


def command(store: RunStore, *words: str) -> str:
    result = CliRunner().invoke(app, ["runs", *words, "--runs", str(store.root)])
    if isinstance(result.exception, FerError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_notes_are_kept_beside_the_run_and_change_alone_what_they_name(store: RunStore, run: Run) -> None:
    assert read_notes(run).tags == ()
    change_notes(run, tags=[" small ", "as  paper 1", "small", ""], by="ada")
    change_notes(run, note=" worth a look ")
    notes = read_notes(run)
    assert notes.tags == ("small", "as paper 1")
    assert (notes.note, notes.archived) == ("worth a look", False)
    assert notes.updated
    (summary,) = RunIndex(store).read()
    assert summary.notes == notes


def test_a_note_does_not_make_a_result_another(store: RunStore, run: Run) -> None:
    (before,) = RunIndex(store).read()
    change_notes(run, note="later")
    (after,) = RunIndex(store).read()
    assert after.stamp == before.stamp, "or its network would be loaded again"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tags": ["x" * 31]}, "at most 30 characters"),
        ({"tags": ["a,b"]}, "no comma"),
        ({"tags": [str(number) for number in range(13)]}, "at most 12 tags"),
        ({"note": "x" * 2001}, "at most 2,000 characters"),
        ({"colour": "red"}, "choose from tags, note, archived"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(run: Run, changes: dict[str, object], reason: str) -> None:
    change_notes(run, tags=["kept"])
    with pytest.raises(RunError, match=reason):
        change_notes(run, **changes)
    assert read_notes(run).tags == ("kept",)


def test_damaged_notes_take_no_result_away_and_are_not_written_over(store: RunStore, run: Run) -> None:
    (run.path / "notes.json").write_text('{"tags": ["a"')
    (summary,) = RunIndex(store).read()
    assert (summary.state, summary.notes.tags) == ("finished", ())
    with pytest.raises(RunError, match=r"notes\.json cannot be read"):
        change_notes(run, tags=["b"])
    assert (run.path / "notes.json").read_text() == '{"tags": ["a"'


def test_a_tag_is_kept_once_in_its_order() -> None:
    assert tags_of(["b", "a", " b"]) == ("b", "a")


def test_a_deleted_run_is_restored_as_it_was(store: RunStore, run: Run) -> None:
    files = {path.name: path.read_bytes() for path in run.path.iterdir()}
    store.delete(run)
    assert store.list() == []
    (trashed,) = store.trash()
    assert trashed.id == run.id
    assert store.restore(trashed).id == run.id
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == files
    assert store.trash() == []


def test_a_run_that_was_made_again_is_not_written_over_by_the_deleted_one(store: RunStore, run: Run) -> None:
    store.delete(run)
    again = make_run(store, n=100, accuracy=0.3)
    assert again.id == run.id
    accuracy = again.evaluation()["splits"]["test"]["accuracy"]
    with pytest.raises(RunError, match="exists again"):
        store.restore(store.trash()[0])
    assert again.evaluation()["splits"]["test"]["accuracy"] == accuracy
    assert len(store.trash()) == 1


def test_what_is_gone_from_the_trash_cannot_be_restored(store: RunStore, run: Run) -> None:
    store.delete(run)
    (trashed,) = store.trash()
    store.restore(trashed)
    with pytest.raises(RunError, match="no longer in the trash"):
        store.restore(trashed)


def test_a_run_that_is_trained_cannot_be_deleted(store: RunStore) -> None:
    run = make_unfinished(store, "running")
    with run.lock(), pytest.raises(RunError, match="stop it first"):
        store.delete(run)
    assert store.trash() == []


def test_the_commands_tag_note_archive_delete_and_restore(store: RunStore, run: Run) -> None:
    other = make_run(store, preprocessing="gcn", n=100)
    command(store, "tag", run.id, "small", "first")
    assert "first" in command(store, "tag", run.id, "small", "--remove")
    command(store, "note", run.id, "a note")
    command(store, "archive", run.id, other.id)
    assert (read_notes(run).tags, read_notes(run).note, read_notes(run).archived) == (("first",), "a note", True)
    command(store, "archive", "--undo", run.id)
    assert [read_notes(each).archived for each in (run, other)] == [False, True]
    command(store, "delete", other.id)
    (told,) = json.loads(command(store, "trash", "--json"))
    assert told["id"] == other.id
    command(store, "restore", other.id.rsplit("__", 1)[-1])
    assert other.path.is_dir()
    with pytest.raises(RunError, match="in the trash"):
        command(store, "restore", "nothing")


def test_latency_is_measured_on_one_thread_and_listed(store: RunStore) -> None:
    import torch

    run, without = make_run(store, "linear", n=100, weights=True), make_run(store, n=100)
    threads = torch.get_num_threads()
    assert " ms" in command(store, "latency", run.id, "--faces", "10")
    assert torch.get_num_threads() == threads
    (summary, _) = RunIndex(store).read()
    assert summary.id == run.id
    assert summary.latency_ms is not None
    assert summary.latency_ms > 0
    assert summary.latency["threads"] == 1
    with pytest.raises(FerError, match="no weights"):
        command(store, "latency", without.id)


@pytest.mark.parametrize("words", [("delete", ""), ("note", " ", "text"), ("archive", ""), ("show", "")])
def test_an_empty_name_is_no_run_though_there_be_but_one(store: RunStore, run: Run, words: tuple[str, ...]) -> None:
    with pytest.raises(RunError, match="names no run; give a run's name, its beginning or its hash"):
        command(store, *words)
    assert [each.id for each in store.list()] == [run.id]
    assert read_notes(run).note == ""
    store.delete(run)
    with pytest.raises(RunError, match="names no run"):
        command(store, "restore", "")
    assert store.list() == []


def test_the_whole_name_of_a_deleted_run_means_that_run(store: RunStore, run: Run) -> None:
    longer = run.path.rename(store.root / f"{run.id}_again")
    run = make_run(store, n=100)
    store.delete(Run(longer))
    store.delete(run)
    assert store.trashed(run.id).id == run.id
    with pytest.raises(RunError, match="2 deleted runs match"):
        store.trashed(run.id[:-1])


@pytest.mark.parametrize("tag", ["", " "])
def test_blanks_are_no_tag(store: RunStore, run: Run, tag: str) -> None:
    with pytest.raises(RunError, match="is no tag"):
        command(store, "tag", run.id, "good", tag)
    assert read_notes(run).tags == ()


def test_what_was_written_about_a_run_is_listed_and_shown(store: RunStore, run: Run) -> None:
    other = make_run(store, preprocessing="gcn", n=100, accuracy=0.4)
    change_notes(run, tags=["small", "[odd]"], note="look again", archived=True)
    first, last = json.loads(command(store, "list", "--json"))
    assert (first["id"], first["archived"]) == (other.id, False)
    assert (last["id"], last["archived"], last["tags"], last["note"]) == (
        run.id,
        True,
        ["small", "[odd]"],
        "look again",
    )
    assert command(store, "list").splitlines()[-1].endswith("archived")
    shown = command(store, "show", run.id)
    for line in ("archived: left out of rankings", "tags: small, [odd]", "note: look again"):
        assert line in shown
    assert json.loads(command(store, "show", run.id, "--json"))["tags"] == ["small", "[odd]"]
    assert "archived" not in command(store, "show", other.id)
