from functools import cache

import numpy as np
import pytest
import torch

from fer_core.architectures.ensemble import NAME, Member
from fer_core.interpretation import Network


@cache
def untrained(architecture, **arguments):
    """An untrained network whose batch statistics are not the trivial ones; shared, since looks leave no trace."""
    network = Network.untrained(architecture, **arguments)
    generator = torch.Generator().manual_seed(1)
    for name, buffer in network.model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(0.1 * torch.randn(buffer.shape, generator=generator))
        elif name.endswith("running_var"):
            buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    return network


@pytest.fixture
def face():
    """A face's worth of smooth noise, as networks of 48×48 gray faces take it: (1, 1, 48, 48)."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.uniform(-1, 1, (1, 1, 12, 12)).astype(np.float32))
    return torch.nn.functional.interpolate(coarse, (48, 48), mode="bilinear")


def ensemble_arguments(members=(("linear", "raw", 0.3), ("mini_xception", "hist_eq", 0.7)), temperature=0.8):
    """The arguments of an ensemble of untrained networks, each (architecture, preprocessing, weight)."""
    return {
        "members": [
            Member(f"{name}__{pipeline}__drawn", name, pipeline, temperature, weight).to_json()
            for name, pipeline, weight in members
        ]
    }


@pytest.fixture
def ensemble():
    """An untrained ensemble of two networks, the second of which is the heavier one."""
    return Network.untrained(NAME, arguments=ensemble_arguments())
