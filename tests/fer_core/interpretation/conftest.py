from functools import cache

import numpy as np
import pytest
import torch

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
