"""Numbers as the dashboard writes them everywhere: fixed decimals, units, a dash where there is none."""

import re
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

NONE = "–"
SPACE = "\N{NO-BREAK SPACE}"
MARKUP = re.compile(r"[\\`*_\[\]{}<>#$~|]|:(?=\w)")  # a colon before a word begins a directive


def percent(share: float | None, decimals: int = 1) -> str:
    """0.6456 as `64.6 %`."""
    return NONE if share is None else f"{100 * share:.{decimals}f}{SPACE}%"


def interval(ends: tuple[float, float] | None) -> str:
    """(0.63, 0.661) as `63.0 – 66.1 %`."""
    if ends is None:
        return NONE
    low, high = ends
    return f"{100 * low:.1f}{SPACE}–{SPACE}{100 * high:.1f}{SPACE}%"


def spread(mean: float | None, deviation: float | None) -> str:
    """(0.5312, 0.0104) as `53.1 ± 1.0 %`."""
    return NONE if mean is None or deviation is None else f"{100 * mean:.1f}{SPACE}±{SPACE}{percent(deviation)}"


def points(difference: float | None) -> str:
    """0.021 as `+2.1`, −0.004 as `−0.4`: percentage points."""
    return NONE if difference is None else f"{100 * difference:+.1f}".replace("-", "−")


def p_text(p_value: float | None) -> str:
    """0.0312 as `0.031`, and what is smaller than a thousandth as that."""
    if p_value is None:
        return NONE
    return f"<{SPACE}0.001" if p_value < 0.001 else f"{p_value:.3f}"


def signed(value: Any) -> str:
    """2.13 as `+2.1`, −0.4 with a real minus: a number, of whatever type, that is percentage points already."""
    return points(value / 100)


def with_signs(table: pd.DataFrame, *names: str) -> Styler:
    """A table for `st.dataframe` whose columns `names`, of differences in points, have a sign: a real minus.

    They sort as the numbers they are. Their configuration has no `format`, which would take the place of this one and
    prints a hyphen.
    """
    return table.style.format(dict.fromkeys(names, signed), na_rep=NONE)


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return MARKUP.sub(r"\\\g<0>", text)


def count(number: int | None) -> str:
    """58423 as `58,423`."""
    return NONE if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    """(1, `run`) as `1 run`, (7, `run`) as `7 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """The two largest units: `42 s`, `23 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds is None:
        return NONE
    whole = max(0, round(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for position, (name, size) in enumerate(units):
        if whole >= size:
            parts = [f"{whole // size}{SPACE}{name}"]
            if position + 1 < len(units):
                smaller, smaller_size = units[position + 1]
                rest = whole % size // smaller_size
                parts += [f"{rest}{SPACE}{smaller}"] if rest else []
            return " ".join(parts)
    return f"0{SPACE}s"


def megabytes(size: int | None) -> str:
    """Bytes as `812 MB`."""
    return NONE if size is None else f"{size / 1e6:,.0f}{SPACE}MB"


FACTS = {
    "recipe.name": "recipe",
    "wall_s": "time",
    "members_wall_s": "time of the members",
    "peak_memory_bytes": "peak memory",
    "images_per_s": "images per second",
    "init_from": "starts from",
}  # what a key of a JSON file is called, where its own words do not say it


def fact_name(key: str) -> str:
    """`learning_rate` as `learning rate`, `wall_s` as `time`: a key of a spec or an environment in words."""
    return FACTS.get(key, key.removeprefix("recipe.").replace("_", " "))


def fact_text(key: str, value: Any) -> str:
    """The value of such a key: with its unit, long numbers with separators, lists with commas, a dash for none."""
    if value is None or value == "":
        return NONE
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "seed" or not isinstance(value, int | float):
        return str(value)
    if key.endswith("wall_s"):
        return duration(value)
    if key == "peak_memory_bytes":
        return megabytes(int(value))
    if key == "images_per_s":
        return f"{value:,.0f}"
    return count(value) if isinstance(value, int) else f"{value:.6g}"


def sentence(text: str) -> str:
    """`the loss is not finite` as `The loss is not finite.`; a name at the beginning stays as it is."""
    stripped = text.strip()
    first = stripped.partition(" ")[0]
    start = stripped[:1].upper() if first.isalpha() else stripped[:1]
    return start + stripped[1:] + ("" if stripped.endswith((".", "!", "?")) else ".")
