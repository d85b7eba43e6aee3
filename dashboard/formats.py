"""Numbers as the dashboard writes them everywhere: fixed decimals, units, a dash where there is none."""

import re

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


def sentence(text: str) -> str:
    """`the loss is not finite` as `The loss is not finite.`; a name at the beginning stays as it is."""
    stripped = text.strip()
    first = stripped.partition(" ")[0]
    start = stripped[:1].upper() if first.isalpha() else stripped[:1]
    return start + stripped[1:] + ("" if stripped.endswith((".", "!", "?")) else ".")
