"""What the workers' tests train."""

from dataclasses import replace

from fer_core.config import RunSpec
from fer_core.training import get_recipe

# some seconds on one slow thread, with a checkpoint every few hundred milliseconds
LONG = RunSpec(
    "linear", "raw", "synthetic", "official",
    get_recipe("modern", "linear", epochs=12, batch_size=16, precision="float32", augmentation="flip+rotate(10)"),
)  # fmt: skip
SHORT, ENDLESS = (replace(LONG, recipe=replace(LONG.recipe, epochs=epochs)) for epochs in (1, 5000))
