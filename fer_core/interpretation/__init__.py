"""What a network is made of, and what its layers see."""

from fer_core.interpretation.layers import LayerRow, layer_table

__all__ = ["LayerRow", "layer_table"]
