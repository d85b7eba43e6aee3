"""What the faces of a dataset look like on average, and their light."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import About
from dashboard.data import charts, tables
from dashboard.data.figures import figure
from dashboard.data.form import choose_split
from dashboard.formats import count, plain, plural
from dashboard.linked import segments
from dashboard.pictures import gray, mixed, npz, png
from dashboard.theme import ramps

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.datasets import FaceSums

MEAN, DIFFERENCE = "Mean", "Difference from all"
SIDE = 192  # pixels that a mean face is drawn with


@st.fragment
def averages(about: About) -> None:
    """Mean faces, and how bright and how contrasted the images are, of a split."""
    with ui.errors_shown():
        if about.is_table:
            st.info(f"{plain(about.name)} holds descriptors of faces and no pictures; there is nothing to average.")
            return
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            split = choose_split(about, "averages_split")
            kind = segments("Faces", "mean_kind", [MEAN, DIFFERENCE])
        mean_faces(about, cache.face_sums(about.name), split, kind)
        light(about, split)
        sizes(about)


def mean_faces(about: About, sums: "FaceSums", split: str | None, kind: str) -> None:
    """The mean of all faces, then that of each emotion, or how it differs."""
    emotions = list(tables.totals(about.counts, split))
    means = {name: sums.mean(split, None if name == "all" else name) for name in ("all", *emotions)}
    if kind == DIFFERENCE:
        pictures, limit = _differences(means)
        title = f"How the mean of each emotion differs from that of {plural(sums.count(split), 'face')}"
        note = f"Blue is brighter than the mean of all, orange darker; full colour is {limit:.0f} of 255 grey levels."
    else:
        pictures = {name: mean.round().astype(np.uint8) for name, mean in means.items()}
        title = f"The mean of {plural(sums.count(split), 'face')}, and of each emotion"
        note = "What all faces of an emotion share stays sharp; what differs between them blurs."
    ui.figure_title(title, note)
    with st.grid(8, min_column_width=110, gap="small"):
        for name, picture in pictures.items():
            with st.container(gap="xsmall"):
                st.image(_enlarged(picture), width="stretch", alt=f"Mean face, {name}")
                number = sums.count(split, None if name == "all" else name)
                st.markdown(f"**{name}**  \n:small[{count(number)}]")
    files = {name.replace(" ", "_"): mean.astype(np.float32) for name, mean in means.items()}
    with st.container(horizontal=True, gap="small"):
        ui.save_button("PNG", f"{about.name}_mean_faces", "png", lambda: png(_sheet(pictures)))
        ui.save_button("NPZ", f"{about.name}_mean_faces", "npz", lambda: npz(files))


def _sheet(pictures: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([_enlarged(picture) for picture in pictures.values()], axis=1)


def _differences(means: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float]:
    """Each emotion's mean less that of all, in grey levels, on the theme's diverging ramp; and the ramp's end."""
    levels = {name: _gray(mean) for name, mean in means.items()}
    changes = {name: level - levels["all"] for name, level in levels.items() if name != "all"}
    limit = max(1.0, max(float(np.abs(change).max()) for change in changes.values()))
    _, diverging = ramps()
    return {name: mixed(diverging, (change / limit + 1) / 2) for name, change in changes.items()}, limit


def _gray(mean: np.ndarray) -> np.ndarray:
    level: np.ndarray = mean if mean.ndim == 2 else gray(mean.round().astype(np.uint8)).astype(float)
    return level


def _enlarged(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def light(about: About, split: str | None) -> None:
    """How bright and how contrasted the images are: two histograms, and the emotions side by side."""
    measured, labelled = cache.levels(about.name), cache.labelled(about.name)
    chosen = np.ones(len(labelled), bool) if split is None else labelled["split"].to_numpy() == split
    brightness, contrast = measured.brightness[chosen], measured.contrast[chosen]
    with st.grid(2, min_column_width=320, gap="medium"):
        for name, values, ends, title in (
            ("brightness", brightness, tables.BRIGHTNESS_ENDS, "mean grey level of an image"),
            ("contrast", contrast, tables.CONTRAST_ENDS, "standard deviation of an image's grey levels"),
        ):
            with st.container():
                mean, spread = float(values.mean()), float(values.std())
                bins = tables.histogram(values, ends).assign(mean=mean)
                heading = f"{name.capitalize()}: {mean:.0f} ± {spread:.0f} grey levels"
                draw = partial(charts.histogram, title=title)
                figure(heading, bins, draw, "Share of images.", f"{about.name}_{name}")
    table = tables.level_table(labelled["label"].to_numpy()[chosen], brightness, contrast)
    ui.figure_title(_brightest(table), "Means over the images; ± is their standard deviation. 0 is black, 255 white.")
    st.dataframe(table, hide_index=True, column_config=_columns(), height="content", alt="Light of each emotion")
    ui.download(table, f"{about.name}_light")


def _brightest(table: pd.DataFrame) -> str:
    """What the light differs by between emotions, which a network could read instead of the expression."""
    emotions = table[table["emotion"] != "all"].sort_values("brightness")
    low, high = emotions.iloc[0], emotions.iloc[-1]
    gap = float(high["brightness"] - low["brightness"])
    return f"{str(high['emotion']).capitalize()} is the brightest, {low['emotion']} the darkest: {gap:.1f} levels apart"


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "emotion": st.column_config.TextColumn("Emotion", pinned=True),
        "images": number("Images", format="%,d"),
        "brightness": number("Brightness", format="%.1f", help="Mean grey level, 0 to 255."),
        "brightness_spread": number("± between images", format="%.1f"),
        "contrast": number("Contrast", format="%.1f", help="Standard deviation of the grey levels of an image."),
        "contrast_spread": number("± between images ", format="%.1f"),
    }


def sizes(about: About) -> None:
    """Images are of one size once they are prepared; what the pictures were before, where the preparation says it."""
    before = [each for each in about.conversions if "resized" in each or "cropped" in each]
    size = tables.size_text(about.shape, about.is_table)
    if len(about.sizes) > 1:
        _originals(about)
    elif len(about.sizes) == 1:
        width, height, _ = about.sizes[0]
        before = [f"all {width} × {height}", *before]
    told = f" Before: {'; '.join(before)}." if before else ""
    unknown = " Prepare the dataset again to see the sizes of the originals." if before and not about.sizes else ""
    st.caption(plain(f"All {count(about.images)} images are {size} as they are prepared here.{told}{unknown}"))


def _originals(about: About) -> None:
    """How large the pictures were that the dataset was prepared from."""
    bins, table = tables.side_bins(about.sizes), tables.size_table(about.sizes)
    draw = partial(charts.histogram, title="shorter side of the original, pixels")
    title = tables.size_finding(about.sizes, about.shape)
    figure(title, bins, draw, "Share of images.", f"{about.name}_sizes")
    config = {
        "width": st.column_config.NumberColumn("Width", format="%d"),
        "height": st.column_config.NumberColumn("Height", format="%d"),
        "images": st.column_config.NumberColumn("Images", format="%,d"),
        "share": st.column_config.NumberColumn("Share (%)", format="%.1f"),
    }
    with st.expander("Every size as a table"):
        st.dataframe(table, hide_index=True, column_config=config, alt="Sizes of the originals")
        ui.download(table, f"{about.name}_original_sizes")
