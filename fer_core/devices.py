"""Where, in which precision and by how many threads PyTorch computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

from fer_core.errors import FerError

DEVICES = ("auto", "cuda", "mps", "cpu")


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """The torch device for `auto`, `cpu`, `mps`, `cuda` or `cuda:N`; raises FerError if it is not there."""
    name = str(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, index = name.partition(":")
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind not in there or (index and not index.isdigit()):
        raise FerError(f"unknown device {name!r}; choose from {', '.join(DEVICES)} or cuda:N")
    if int(index or 0) >= there[kind]:
        choices = ", ".join(kind for kind, count in there.items() if count)
        raise FerError(f"device {name!r} is not on this machine; choose from {choices}")
    return torch.device(name)


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """The autocast dtype for a recipe's precision; `auto` takes bfloat16 where that is faster."""
    if precision == "float32":
        return torch.float32
    if precision == "bfloat16" or has_fast_bfloat16(device):
        return torch.bfloat16
    return torch.float32


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies faster in bfloat16 than in float32.

    Of CPUs, those with AMX, and AMD's with AVX-512: there bfloat16 products are twice as fast as float32's, and nine
    networks trained 1.3 to 2 times as fast. On Intel's processors without AMX they are half as fast: seven of eight
    networks trained 6 to 40 % faster in float32, and resnet18 4 % slower.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    found = torch.cpu.get_capabilities()
    is_amd = str(found.get("cpu_name", "")).startswith("AMD")
    return bool(found.get("amx_bf16") or (is_amd and found.get("avx512_bf16")))


def describe_device(device: torch.device) -> str:
    """What a person would call the device: the GPU's or the processor's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU (MPS)" if device.type == "mps" else "CPU"


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the calling thread alone compute what stands inside, and others as before.

    For few faces: where a training works on the same cores, the many short parallel parts of their layers or steps
    take five to a hundred times as long. `torch.set_num_threads` would hold for all threads, and where two do so
    at once, the one to end last leaves the other's single thread behind.
    """
    with _openmp().limit(limits=1):
        yield


@cache
def _openmp() -> ThreadpoolController:
    """The pool of PyTorch's threads: the limit of OpenMP's is a thread's own, that of others the process's."""
    return ThreadpoolController().select(user_api="openmp")


def cuda_generator(device: torch.device) -> torch.Generator:
    """The generator that dropout draws from on a CUDA device, which every CUDA graph recorded there registers."""
    torch.cuda.init()  # before that there is none
    return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]


def seed_generator(seed: int, device: torch.device) -> None:
    """Seed what draws weights (on the CPU) and dropout (on `device`).

    Not `torch.manual_seed`: until CUDA is in use it keeps a traceback of every call, a millisecond each.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        cuda_generator(device).manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def generator_state(device: torch.device) -> torch.Tensor:
    """Where the generator is that dropout draws from on `device`."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()


def set_generator_state(state: torch.Tensor, device: torch.device) -> None:
    """Put the generator that dropout draws from back to a `generator_state`."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)
