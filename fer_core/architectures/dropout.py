"""Dropout that is cheap on a CPU."""

import torch
from torch import Tensor, nn

LEVELS = 2**16  # of the random numbers that are compared with the probability


class Dropout(nn.Dropout):
    """`nn.Dropout` in its results, several times faster on a CPU.

    PyTorch draws a CPU's Bernoulli variables one by one, 40 % of a training step of `deep_cnn`. Here
    one draw of 64 bits decides about four activations, with a probability rounded to 1/65536. Elsewhere,
    and when nothing is to be drawn, it is `nn.Dropout` itself.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is nn.Module's)
        """Activations of any shape -> the same shape, some set to zero and the rest scaled up, in training only."""
        if not self.training or input.device.type != "cpu" or not 0 < self.p < 1:
            return super().forward(input)
        return input * keep_factors(input, self.p)


def keep_factors(like: Tensor, p: float) -> Tensor:
    """0 with probability `p`, else 1 / (1 - p): shape, dtype and memory layout of `like`, a dense CPU tensor."""
    dropped = min(max(round(p * LEVELS), 1), LEVELS - 1)
    draws = -(-like.numel() // 4)
    bits = torch.empty(draws, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = bits[: like.numel()].ge_(dropped - LEVELS // 2)
    factors = kept.to(like.dtype).mul_(LEVELS / (LEVELS - dropped))
    return factors.as_strided(like.shape, torch.empty_like(like, device="meta").stride())
