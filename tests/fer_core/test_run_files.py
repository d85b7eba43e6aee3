"""What a power cut or a damaged disk leaves of a run's files, and what is said about it."""

import errno
import os
import stat

import numpy as np
import pytest
import torch

from fer_core.config import Recipe, RunSpec
from fer_core.jobs import JobQueue
from fer_core.jobs.trainer import train_queued
from fer_core.runs import RunError, RunStore
from fer_core.runs.checkpoints import pack_checkpoint
from fer_core.training import train_run

RECIPE = Recipe("test", epochs=1, batch_size=64, optimizer="adamw", learning_rate=3e-3, precision="float32")
SPEC = RunSpec("linear", "raw", "synthetic", "official", RECIPE)
STATE = {"model": {"kernel": torch.ones(64, 64)}, "folds": [], "epoch": 1}
WHOLE = bytes(pack_checkpoint(STATE))
LARGE = bytes(pack_checkpoint({"model": {"kernel": torch.ones(300, 300)}}))
DAMAGED = "checkpoint.pt is damaged or not a checkpoint; delete it to train from the start"


@pytest.fixture
def run(tmp_path):
    return RunStore(tmp_path / "runs").create(SPEC)


@pytest.fixture
def disk(monkeypatch):
    """What reaches the disk, in order: the bytes of a content, the new name, and the folder's names."""
    seen, fsync, replace = [], os.fsync, os.replace

    def record_fsync(handle):
        about = os.fstat(handle)
        seen.append("folder" if stat.S_ISDIR(about.st_mode) else about.st_size)
        fsync(handle)

    def record_replace(source, target):
        seen.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    return seen


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("checkpoint.pt", lambda run: run.save_checkpoint(STATE)),
        ("weights.safetensors", lambda run: run.save_weights(STATE["model"])),
        ("predictions.npz", lambda run: run.save_predictions({"test_labels": np.arange(9)})),
        ("metrics.jsonl", lambda run: run.rewrite_metrics([{"epoch": 1}])),
        ("evaluation.json", lambda run: run.write_json("evaluation.json", {"splits": {}})),
        ("bdr.json", lambda run: run.write_data("bdr.json", {"folds": []})),
        ("status.json", lambda run: run.update_status(state="finished")),
    ],
)
def test_the_whole_content_is_on_the_disk_before_it_takes_the_name_and_the_name_after(run, disk, name, write):
    write(run)
    assert disk == [(run.path / name).stat().st_size, name, "folder"]


def test_the_spec_and_the_first_status_of_a_new_run_are_on_the_disk_before_it_has_its_name(tmp_path, disk):
    path = RunStore(tmp_path).create(SPEC).path
    sizes = [(path / name).stat().st_size for name in ("spec.json", "status.json")]
    assert disk == [sizes[0], "spec.json", "folder", sizes[1], "status.json", "folder"]


def test_a_status_that_merely_tells_how_far_it_is_waits_for_its_content_alone(run, disk):
    run.update_status(epoch=3, message="epoch 4: 128/28709 images")
    assert disk == [(run.path / "status.json").stat().st_size, "status.json"]


@pytest.mark.parametrize("refused", ["open", "fsync"])
def test_where_a_folder_cannot_be_asked_for_its_names_the_file_is_written_all_the_same(run, monkeypatch, refused):
    original = getattr(os, refused)

    def refuse_folders(what, *arguments):
        if os.path.isdir(what):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return original(what, *arguments)

    monkeypatch.setattr(os, refused, refuse_folders)
    run.save_checkpoint(STATE)
    assert run.checkpoint()["epoch"] == 1


def test_a_disk_that_turns_out_to_be_full_leaves_the_old_checkpoint_and_no_other_file(run, monkeypatch):
    run.save_checkpoint(STATE)
    before = sorted(run.path.iterdir())

    def no_room(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        run.save_checkpoint(STATE | {"epoch": 2})
    assert sorted(run.path.iterdir()) == before
    assert run.checkpoint()["epoch"] == 1


def test_a_checkpoint_reads_back_as_it_was_saved(run):
    assert run.checkpoint() is None
    run.save_checkpoint(STATE)
    read = run.checkpoint()
    torch.testing.assert_close(read["model"]["kernel"], STATE["model"]["kernel"], rtol=0, atol=0)
    assert (read["folds"], read["epoch"]) == ([], 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(len(WHOLE)),
        WHOLE[: len(WHOLE) // 2],
        LARGE[: len(LARGE) // 2],
        bytes(4096) + WHOLE[4096:],
        WHOLE[:4096] + bytes(len(WHOLE) - 4096),
        b"PK\x03\x04 cut",
        b"hello world",
        b"\x80",
    ],
    ids=["empty", "zeros", "half", "half of a large one", "zeros first", "zeros last", "cut zip", "text", "a byte"],
)
def test_a_damaged_checkpoint_is_an_error_in_one_sentence_that_says_what_is_possible(run, content):
    (run.path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(RunError) as caught:
        run.checkpoint()
    assert str(caught.value) == f"{run.id}/{DAMAGED}"


def test_a_file_of_torch_that_is_no_checkpoint_is_refused_as_a_damaged_one(run):
    torch.save([1, 2], run.path / "checkpoint.pt")
    with pytest.raises(RunError, match=DAMAGED):
        run.checkpoint()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "cannot be read: Permission denied; resume once it can, or delete it to train from the start",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
            "does not fit into the free memory; resume once there is more",
        ),
        (MemoryError(), "does not fit into the free memory; resume once there is more"),
    ],
)
def test_a_checkpoint_that_is_whole_but_cannot_be_read_now_is_not_called_damaged(run, monkeypatch, error, sentence):
    def fail(*arguments, **options):
        raise error

    run.save_checkpoint(STATE)
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(RunError) as caught:
        run.checkpoint()
    assert str(caught.value) == f"{run.id}/checkpoint.pt {sentence}"


def test_a_training_with_a_damaged_checkpoint_fails_with_that_sentence_and_begins_anew_without_it(run):
    (run.path / "checkpoint.pt").touch()
    for _ in range(2):
        with pytest.raises(RunError, match=DAMAGED):
            train_run(SPEC, RunStore(run.path.parent), device="cpu")
    assert (run.state, run.status.message) == ("failed", f"{run.id}/{DAMAGED}")
    assert run.log().endswith(f"failed: {run.id}/{DAMAGED}\n")
    assert "Traceback" not in run.log()
    (run.path / "checkpoint.pt").unlink()
    assert train_run(SPEC, RunStore(run.path.parent), device="cpu").state == "finished"


def test_the_queue_marks_a_run_with_a_damaged_checkpoint_as_failed_with_that_sentence(run):
    (run.path / "checkpoint.pt").touch()
    queue = JobQueue(RunStore(run.path.parent))
    queue.resume(run)
    with pytest.raises(RunError, match=DAMAGED):
        train_queued(run, "cpu")
    assert (run.state, run.status.message) == ("failed", f"{run.id}/{DAMAGED}")
    assert "Traceback" not in run.log()
    assert queue.entries() == []
