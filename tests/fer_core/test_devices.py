"""By how many threads PyTorch computes."""

import threading

import torch
from threadpoolctl import threadpool_info

from fer_core.devices import one_thread


def test_one_thread_holds_for_its_own_thread_alone():
    before, told = torch.get_num_threads(), []
    with one_thread():
        assert torch.get_num_threads() == 1
        other = threading.Thread(target=lambda: told.append(torch.get_num_threads()))
        other.start()
        other.join()
    assert told == [before]
    assert torch.get_num_threads() == before


def test_two_at_once_leave_every_library_its_threads():
    """The first to begin ends first: the other must not put back the single thread that it found."""
    before = threads_of_libraries()
    entered, may_end = threading.Event(), threading.Event()

    def second():
        with one_thread():
            entered.set()
            may_end.wait(60)

    other = threading.Thread(target=second)
    with one_thread():
        other.start()
        assert entered.wait(60)
    may_end.set()
    other.join()
    assert threads_of_libraries() == before


def threads_of_libraries():
    return {library["filepath"]: library["num_threads"] for library in threadpool_info()}
