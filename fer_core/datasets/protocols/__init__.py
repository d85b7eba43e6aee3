"""Protocols: which images to train on, to choose by, and to test on.

A protocol is a function (dataset, seed) -> list of splits, one per fold; a new one is one new file here
with one function under `@PROTOCOLS.register("name")`. It raises ProtocolError, with the reason, for a
dataset that it cannot serve.
"""

from fer_core.datasets.protocols.base import (
    PROTOCOLS,
    Protocol,
    Split,
    get_splits,
    refused_protocols,
    served_protocols,
)
from fer_core.registry import import_submodules

__all__ = ["PROTOCOLS", "Protocol", "Split", "get_splits", "refused_protocols", "served_protocols"]

import_submodules(__name__, list(__path__))
