"""The library's colours, under the name that charts and pages know them by."""

from fer_core.palette import BLACK, EMOTION_COLORS, WHITE, contrast, ink_on, luminance

__all__ = ["BLACK", "EMOTION_COLORS", "WHITE", "contrast", "ink_on", "luminance"]
