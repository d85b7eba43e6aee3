"""Pipelines: reading, writing, order, preview."""

import contextlib
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.chain import Argument
from fer_core.errors import FerError
from fer_core.preprocessing import STEPS, Pipeline, Step, scale_to_symmetric


def values(argument: Argument) -> st.SearchStrategy[int | float]:
    if argument.choices:
        return st.sampled_from(argument.choices)
    if argument.kind is int:
        return st.integers(int(argument.low), int(argument.high))
    return st.floats(argument.low, argument.high)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind = STEPS.get(draw(st.sampled_from(STEPS.names())))
    chosen = [each for each in kind.arguments() if draw(st.booleans())]
    return kind(**{each.name: draw(values(each)) for each in chosen})


@given(st.lists(steps(), max_size=4))
@settings(deadline=None)
def test_a_pipeline_read_from_its_own_text_is_the_same_pipeline(chain: list[Step]) -> None:
    pipeline = Pipeline(tuple(chain))
    again = Pipeline.parse(str(pipeline))
    assert again == pipeline
    assert str(again) == str(pipeline)


@given(st.text(alphabet="gcnhist_eq+(),.=0123456789e-raw ", max_size=24))
@settings(deadline=None)
def test_any_text_is_either_a_pipeline_or_refused_with_our_own_error(text: str) -> None:
    pipeline = Pipeline()
    with contextlib.suppress(FerError):
        pipeline = Pipeline.parse(text)
    assert Pipeline.parse(str(pipeline)) == pipeline


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("raw", "raw"),
        (" raw ", "raw"),
        ("gcn+hist_eq", "gcn+hist_eq"),
        ("hist_eq + gcn", "hist_eq+gcn"),
        ("gcn()", "gcn"),
        ("gcn(lam=10)", "gcn"),
        ("gcn(1, 5)", "gcn(lam=5)"),
        ("gcn( eps = 1e-3 , s=2 )", "gcn(s=2,eps=0.001)"),
        ("gcn(lam=1e+3)+hist_eq", "gcn(lam=1000)+hist_eq"),
        ("median(5)+median", "median(ksize=5)+median"),
    ],
)
def test_the_canonical_text_keeps_the_order_and_only_what_is_not_default(text: str, canonical: str) -> None:
    assert str(Pipeline.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hist_q", r"unknown step 'hist_q'.*choose from clahe, face_crop, gaussian, gcn, hist_eq, local_norm"),
        ("gcn(lamda=1)", r"gcn has no argument 'lamda'; choose from s, lam, eps, limit"),
        ("gcn(lam=-1)", r"gcn: lam must be between 0 and 1000000, got -1"),
        ("gcn(lam=much)", r"gcn: lam must be a number, got 'much'"),
        ("gcn(lam=nan)", r"gcn: lam must be a number, got 'nan'"),
        ("gcn(lam=1e999)", r"gcn: lam must be between 0 and 1000000, got inf"),
        ("gcn(lam=)", r"gcn: lam must be a number, got ''"),
        ("gcn(lam=1,lam=2)", r"gcn: lam is given twice"),
        ("gcn(s=1,2)", r"gcn: write '2' with its name"),
        ("gcn(1,2,3,4,5)", r"gcn takes at most 4 arguments \(s, lam, eps, limit\), got 5"),
        ("hist_eq(3)", r"hist_eq takes no arguments, got '3'"),
        ("hist_eq(a=3)", r"hist_eq takes no arguments, got 'a=3'"),
        ("median(4)", r"median: ksize must be one of 3, 5, 7, got 4"),
        ("median(3.5)", r"median: ksize must be a whole number, got '3.5'"),
        ("salt_pepper(amount=1.5)", r"salt_pepper: amount must be between 0 and 1, got 1.5"),
        ("gcn(lam=1+hist_eq", r"cannot read step 'gcn\(lam=1'"),
        ("gcn++hist_eq", r"empty step; choose from clahe"),
        ("gcn+", r"empty step; choose from clahe"),
        ("", r"the pipeline is empty; write raw for none, or steps from clahe"),
        ("raw+gcn", r"raw means no step and stands alone"),
        ("raw(1)", r"raw means no step and stands alone"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_possible(text: str, message: str) -> None:
    with pytest.raises(FerError, match=message):
        Pipeline.parse(text)


@pytest.mark.parametrize("value", [True, "10", math.nan, math.inf, -1.0])
def test_a_step_made_in_code_refuses_impossible_values(value: object) -> None:
    with pytest.raises(FerError, match="gcn: lam must be"):
        STEPS.get("gcn")(lam=value)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 1, 8, 8),
        torch.zeros(2, 8, 8, dtype=torch.uint8),
        torch.zeros(2, 4, 8, 8, dtype=torch.uint8),
        torch.zeros(2, 1, 0, 8, dtype=torch.uint8),
    ],
    ids=["float", "no channel", "four channels", "no rows"],
)
def test_other_than_uint8_gray_or_colour_batches_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(FerError, match=r"uint8 images of shape \(N, 1, H, W\) or \(N, 3, H, W\)"):
        Pipeline.parse("raw").apply(images)


def test_grey_levels_scale_to_minus_one_and_one() -> None:
    levels = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(scale_to_symmetric(levels), torch.tensor([-1.0, -0.6, 1.0]))


def test_calling_a_pipeline_scales_what_apply_gives(batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse("gcn+hist_eq")
    assert torch.equal(pipeline(batch), scale_to_symmetric(pipeline.apply(batch)))
    assert torch.equal(Pipeline.parse("raw")(batch), scale_to_symmetric(batch))


def test_steps_act_in_their_order(batch: torch.Tensor) -> None:
    gcn, hist_eq = Pipeline.parse("gcn"), Pipeline.parse("hist_eq")
    assert torch.equal(Pipeline.parse("gcn+hist_eq").apply(batch), hist_eq.apply(gcn.apply(batch)))
    assert not torch.equal(Pipeline.parse("gcn+hist_eq").apply(batch), Pipeline.parse("hist_eq+gcn").apply(batch))
