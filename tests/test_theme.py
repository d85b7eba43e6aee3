"""Both appearances can be read, also by colour-blind readers, and Streamlit knows every option."""

import itertools
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
APPEARANCES = pytest.mark.parametrize("appearance", ["light", "dark"])

# Machado, Oliveira, Fernandes (2009): what remains of linear RGB at full severity
VISIONS = {
    "full": np.eye(3),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
}


def linear(colour: str) -> np.ndarray:
    """#RRGGBB as linear RGB in [0, 1]."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    darker, lighter = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other))
    return lighter / darker


def seen(colour: str, vision: np.ndarray) -> np.ndarray:
    """A colour in Lab, as an eye of this kind sees it."""
    light = np.clip(vision @ linear(colour), 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


@APPEARANCES
def test_text_can_be_read(appearance: str) -> None:
    theme = CONFIG["theme"][appearance]
    surfaces = [theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]]
    for surface in surfaces:
        assert contrast(theme["textColor"], surface) >= 7
        assert contrast(theme["linkColor"], surface) >= 4.5
    assert contrast(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"]) >= 4.5
    assert contrast(theme["primaryColor"], "#FFFFFF") >= 4.5  # the label of a button


@APPEARANCES
@pytest.mark.parametrize("vision", VISIONS)
def test_the_colours_of_runs_stay_apart(appearance: str, vision: str) -> None:
    colours = CONFIG["theme"][appearance]["chartCategoricalColors"]
    pairs = itertools.combinations([seen(colour, VISIONS[vision]) for colour in colours], 2)
    assert min(float(deltaE_ciede2000(one, other)) for one, other in pairs) >= 15


@APPEARANCES
def test_the_colours_of_runs_stand_out_from_the_page(appearance: str) -> None:
    theme = CONFIG["theme"][appearance]
    assert min(contrast(colour, theme["backgroundColor"]) for colour in theme["chartCategoricalColors"]) >= 3


@APPEARANCES
def test_scales_have_the_ten_colours_that_streamlit_asks_for(appearance: str) -> None:
    theme = CONFIG["theme"][appearance]
    assert len(theme["chartSequentialColors"]) == len(theme["chartDivergingColors"]) == 10


def test_nothing_is_reported_to_anybody() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorLinks"] is False


def test_streamlit_knows_every_option() -> None:
    command = [sys.executable, "-m", "streamlit", "config", "show"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "not a valid config option" not in shown.stdout + shown.stderr
