"""Colours with a meaning, and the text colour that stays readable on them."""

EMOTION_COLORS: dict[str, str] = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#7B4FB5",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#CC79A7",
    "neutral": "#7F7F7F",
}
WHITE, BLACK = "#FFFFFF", "#000000"


def luminance(color: str) -> float:
    """Relative luminance in [0, 1] of `#rrggbb`; source: WCAG 2.2."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast ratio in [1, 21] of two `#rrggbb`; source: WCAG 2.2."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(color: str) -> str:
    """White or black, whichever is easier to read on `color`: on any colour one of them has at least 4.58."""
    return WHITE if contrast(color, WHITE) >= contrast(color, BLACK) else BLACK
