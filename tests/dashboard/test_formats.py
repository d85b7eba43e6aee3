"""Numbers as the dashboard writes them."""

import pandas as pd
import pytest

from dashboard.formats import (
    count,
    duration,
    fact_name,
    fact_text,
    interval,
    percent,
    plain,
    plural,
    points,
    sentence,
    spread,
    with_signs,
)

NBSP = "\N{NO-BREAK SPACE}"


def test_shares_have_one_decimal_and_a_unit() -> None:
    assert percent(0.6456) == f"64.6{NBSP}%"
    assert percent(1.0, 0) == f"100{NBSP}%"
    assert interval((0.63, 0.661)) == f"63.0{NBSP}–{NBSP}66.1{NBSP}%"


def test_a_mean_has_its_deviation_and_a_difference_its_sign() -> None:
    assert spread(0.5312, 0.0104) == f"53.1{NBSP}±{NBSP}1.0{NBSP}%"
    assert [points(each) for each in (0.021, -0.004, 0.0)] == ["+2.1", "−0.4", "+0.0"]


def test_differences_in_a_table_have_a_real_minus_and_stay_numbers() -> None:
    styled = with_signs(pd.DataFrame({"run": ["A", "B", "C"], "lead": [None, -0.32, 1.0]}), "lead")
    shown = styled.to_html()
    assert [text in shown for text in (">–<", ">−0.3<", ">+1.0<")] == [True] * 3
    assert styled.data["lead"].dtype == float


def test_text_with_markdown_in_it_is_shown_as_it_is() -> None:
    assert plain("mini_xception: [a](b) :red[c]") == r"mini\_xception: \[a\](b) \:red\[c\]"
    assert plain("MLP on LPQ + PHOG, 20 %") == "MLP on LPQ + PHOG, 20 %"


def test_what_is_not_known_is_a_dash() -> None:
    unknown = {percent(None), interval(None), count(None), duration(None), points(None), spread(None, 0.1)}
    assert unknown == {"–"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (42, "42 s"),
        (1385, "23 min 5 s"),
        (7800, "2 h 10 min"),
        (7205, "2 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds).replace(NBSP, " ") == text


def test_counts_and_plurals() -> None:
    assert count(2_489_095) == "2,489,095"
    assert [plural(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


def test_a_message_becomes_a_sentence_but_a_name_keeps_its_case() -> None:
    assert sentence("the loss is not finite") == "The loss is not finite."
    assert sentence("linear__raw/spec.json is damaged") == "linear__raw/spec.json is damaged."
    assert sentence("Done!") == "Done!"


@pytest.mark.parametrize(
    ("key", "value", "name", "text"),
    [
        ("wall_s", 3433.577, "time", f"57{NBSP}min 14{NBSP}s"),
        ("peak_memory_bytes", 1_316_126_720, "peak memory", f"1,316{NBSP}MB"),
        ("images_per_s", 416.728, "images per second", "417"),
        ("parameters", 58_423, "parameters", "58,423"),
        ("recipe.learning_rate", 0.0015, "learning rate", "0.0015"),
        ("seed", 12_345, "seed", "12345"),
        ("members", [], "members", "–"),
        ("nesterov", True, "nesterov", "yes"),
    ],
)
def test_a_fact_has_a_name_and_a_unit(key: str, value: object, name: str, text: str) -> None:
    assert (fact_name(key), fact_text(key, value)) == (name, text)
