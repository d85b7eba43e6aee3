"""Whether freed memory stays with the process."""

import ctypes
import mmap

import pytest
import torch

from fer_core.config import RunSpec
from fer_core.heap import freed_memory_kept
from fer_core.runs import RunStore
from fer_core.training import get_recipe, train_run

LARGE, LARGEST = 2**27, 2**30  # bytes of arrays that glibc by itself has the system map; the second is never written
CPU = torch.device("cpu")


class MallInfo2(ctypes.Structure):
    """What mallinfo2(3) tells, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


@pytest.fixture(scope="module")
def told():
    """A function that asks glibc how its memory is laid out now."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        pytest.skip("needs glibc 2.33 or newer, whose mallinfo2 tells how memory is laid out")
    library.mallinfo2.restype = MallInfo2
    return library.mallinfo2


def mapped_for_a_large_array(told):
    """Bytes that the system maps where an array is asked for that no free place in the heap can hold."""
    before = told().hblkhd
    large = torch.empty(LARGEST, dtype=torch.uint8)
    after = told().hblkhd
    del large
    return after - before


def resident_bytes():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * mmap.PAGESIZE


def test_inside_a_large_array_lies_in_the_heap_which_keeps_its_room(told):
    with freed_memory_kept(CPU):
        assert mapped_for_a_large_array(told) == 0
        assert told().fordblks >= LARGEST  # what lies free


def test_afterwards_the_system_has_the_room_again_and_large_arrays_are_mapped(told):
    with freed_memory_kept(CPU):
        kept = torch.ones(LARGE, dtype=torch.uint8)
        with_it = resident_bytes()
        del kept
        assert resident_bytes() > with_it - LARGE / 2
    assert resident_bytes() < with_it - LARGE / 2
    assert mapped_for_a_large_array(told) >= LARGEST


def test_an_error_inside_changes_nothing_of_that(told):
    with pytest.raises(ValueError, match="inside"), freed_memory_kept(CPU):
        raise ValueError("inside")
    assert mapped_for_a_large_array(told) >= LARGEST


def test_for_another_device_nothing_changes(told):
    with freed_memory_kept(torch.device("meta")):
        assert mapped_for_a_large_array(told) >= LARGEST


class MapsOrNot:
    """An observer of a training that asks for a large array after every batch, and keeps what of it was mapped."""

    def __init__(self, told):
        self.told, self.mapped = told, []

    def batch_done(self, epoch, done, total, images_per_s):
        self.mapped.append(mapped_for_a_large_array(self.told))

    def interrupted(self, checkpoint):
        raise AssertionError("nobody stopped it")

    def epoch_done(self, record, checkpoint):
        pass


def test_a_training_on_the_cpu_keeps_what_is_freed(told, tmp_path):
    watcher = MapsOrNot(told)
    spec = RunSpec("linear", "raw", "synthetic", "official", get_recipe("modern", "linear", epochs=1))
    assert train_run(spec, RunStore(tmp_path), device="cpu", watcher=watcher).state == "finished"
    assert set(watcher.mapped) == {0}
