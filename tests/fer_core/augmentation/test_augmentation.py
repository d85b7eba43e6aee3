"""Chains of random steps: reading, composing, reproducing."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.augmentation import AUGMENTATIONS, Augmentation, GeometricStep, RandomStep, describe_augmentations
from fer_core.chain import Argument
from fer_core.errors import FerError

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.mps.is_available() else [])]
every_step = pytest.mark.parametrize("name", AUGMENTATIONS.names())
EVERYTHING = "+".join(AUGMENTATIONS.names())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augment(text: str, faces: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return Augmentation.parse(text)(faces, generator(seed))


@pytest.fixture(params=[1, 3], ids=["gray", "colour"])
def faces(request: pytest.FixtureRequest) -> torch.Tensor:
    """Noise smoothed by a 5x5 mean, float32 (32, C, 40, 48) within [-1, 1]."""
    noise = torch.rand(32, request.param, 40, 48, generator=generator(9)).mul_(2).sub_(1)
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2).mul_(3).clamp_(-1, 1)


@every_step
@pytest.mark.parametrize("device", DEVICES)
def test_a_step_keeps_shape_type_device_and_range(name: str, device: str, faces: torch.Tensor) -> None:
    result = augment(name, faces.to(device))
    assert (result.shape, result.dtype, result.device.type) == (faces.shape, torch.float32, device)
    assert result.min() >= -1
    assert result.max() <= 1
    assert not torch.equal(result.cpu(), faces)


@every_step
def test_a_step_leaves_its_input_and_the_global_random_state_alone(name: str, faces: torch.Tensor) -> None:
    before, state = faces.clone(), torch.get_rng_state()
    augment(name, faces)
    assert torch.equal(faces, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("text", [*AUGMENTATIONS.names(), EVERYTHING])
def test_a_restored_generator_repeats_the_faces(text: str, faces: torch.Tensor) -> None:
    augmentation, source = Augmentation.parse(text), generator(3)
    augmentation(faces, source)
    state = source.get_state()
    first, second = augmentation(faces, source), augmentation(faces, source)
    restored = torch.Generator()
    restored.set_state(state)
    assert torch.equal(augmentation(faces, restored), first)
    assert torch.equal(augmentation(faces, restored), second)
    assert not torch.equal(first, second)


@every_step
def test_every_face_draws_for_itself(name: str, faces: torch.Tensor) -> None:
    same = faces[:1].repeat(64, 1, 1, 1)
    assert len(augment(name, same).flatten(1).unique(dim=0)) > 1


@every_step
def test_no_faces_and_tiny_faces_pass(name: str) -> None:
    for shape in ((0, 1, 48, 48), (2, 3, 1, 1), (2, 1, 2, 5)):
        assert augment(name, torch.zeros(shape)).shape == shape


@pytest.mark.skipif(len(DEVICES) == 1, reason="no second device on this machine to compare the CPU with")
def test_a_cpu_generator_gives_the_same_faces_on_every_device(faces: torch.Tensor) -> None:
    for name in AUGMENTATIONS.names():
        expected = augment(name, faces)
        for device in DEVICES[1:]:
            torch.testing.assert_close(augment(name, faces.to(device)).cpu(), expected, atol=1e-4, rtol=0)


NOTHING = "rotate(0)+shift(0)+zoom(0)+shear(0)"


@pytest.mark.parametrize(
    "text", ["", " ", "flip(0)", NOTHING, "brightness(0)+contrast(0)", "cutout(0)", "erase(0)", "noise(0)"]
)
def test_ranges_of_zero_leave_the_faces_as_they_are(text: str, faces: torch.Tensor) -> None:
    torch.testing.assert_close(augment(text, faces), faces, atol=1e-5, rtol=0)


def test_flip_mirrors_exactly_and_half_of_the_faces(faces: torch.Tensor) -> None:
    assert torch.equal(augment("flip(1)", faces), faces.flip(-1))
    many = faces[:1].repeat(1000, 1, 1, 1)
    mirrored = (augment("flip", many) == many.flip(-1)).flatten(1).all(1)
    kept = (augment("flip", many) == many).flatten(1).all(1)
    assert torch.equal(mirrored, ~kept)
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_two_flips_in_a_chain_cancel(faces: torch.Tensor) -> None:
    assert torch.equal(augment("flip(1)+flip(1)", faces), faces)


def fix_draws(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Let every uniform draw come out at `share` of its range."""

    def constant(count: int, **_: object) -> torch.Tensor:
        return torch.full((count,), share)

    monkeypatch.setattr(torch, "rand", constant)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rotate(90)", lambda faces: faces.rot90(1, (-2, -1))),
        ("rotate(180)", lambda faces: faces.rot90(2, (-2, -1))),
        ("shift(0.25)", lambda faces: shifted(faces)),
        ("flip+rotate(90)", lambda faces: faces.rot90(1, (-2, -1))),
        ("rotate(90)+shift(0.25)", lambda faces: shifted(faces.rot90(1, (-2, -1)))),
        ("shift(0.25)+rotate(90)", lambda faces: shifted(faces).rot90(1, (-2, -1))),
    ],
)
def test_geometric_steps_are_what_they_say(
    text: str, expected: Callable[[torch.Tensor], torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = torch.rand(3, 1, 16, 16, generator=generator(1))
    fix_draws(monkeypatch, 1.0)  # the largest angle and shift; no flip, as 1 is not below p
    torch.testing.assert_close(augment(text, faces), expected(faces), atol=1e-4, rtol=0)


def shifted(faces: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(faces, (0, 4, 0, 4), "replicate")[..., 4:, 4:]


def test_zoom_enlarges_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = torch.arange(9.0).sub_(4).div_(4).expand(1, 1, 9, 9)
    fix_draws(monkeypatch, 1.0)
    torch.testing.assert_close(augment("zoom(0.5)", faces), faces / 1.5, atol=1e-5, rtol=0)


def test_shear_slants_columns_and_keeps_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = torch.arange(33.0).sub_(16).div_(16).expand(1, 1, 33, 33)
    fix_draws(monkeypatch, 1.0)
    slanted = augment("shear(45)", faces)
    torch.testing.assert_close(slanted[0, 0, 16], faces[0, 0, 16], atol=1e-5, rtol=0)
    torch.testing.assert_close(slanted[0, 0, 20, :28], faces[0, 0, 16, 4:32], atol=1e-5, rtol=0)


def test_a_rotation_turns_faces_that_are_not_square_without_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    face = torch.zeros(1, 1, 21, 61)
    face[..., 10, 26:35] = 1.0  # a bar of 9 pixels in the middle
    fix_draws(monkeypatch, 1.0)
    turned = augment("rotate(90)", face)[0, 0]
    assert turned[6:15, 30].min() > 0.99
    assert turned.sum().item() == pytest.approx(9, abs=0.01)


@pytest.mark.parametrize("name", [n for n in AUGMENTATIONS.names() if issubclass(AUGMENTATIONS.get(n), GeometricStep)])
def test_geometric_steps_invent_no_grey_levels(name: str, faces: torch.Tensor) -> None:
    constant = torch.linspace(-1, 1, len(faces)).view(-1, 1, 1, 1).expand_as(faces)
    torch.testing.assert_close(augment(name, constant), constant, atol=1e-5, rtol=0)


def test_brightness_adds_one_value_up_to_its_share_of_the_range(faces: torch.Tensor) -> None:
    dim = faces * 0.2
    added = (augment("brightness(0.2)", dim) - dim).flatten(1)
    torch.testing.assert_close(added.amax(1), added.amin(1))
    assert 0.2 < added.abs().max() <= 0.4


def test_contrast_keeps_the_mean_and_scales_the_deviation(faces: torch.Tensor) -> None:
    dim = faces * 0.2
    result = augment("contrast(0.5)", dim)
    torch.testing.assert_close(result.mean((1, 2, 3)), dim.mean((1, 2, 3)))
    factors = result.std((1, 2, 3)) / dim.std((1, 2, 3))
    assert 0.5 <= factors.min() < 0.8
    assert 1.2 < factors.max() <= 1.5


def test_noise_has_the_deviation_it_is_given() -> None:
    noise = augment("noise(0.1)", torch.zeros(64, 1, 48, 48))
    assert noise.std().item() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean().item()) < 0.001


def test_cutout_covers_one_square_in_every_face() -> None:
    covered = augment("cutout(10)", torch.ones(200, 3, 40, 48)) == 0
    assert torch.equal(covered.any(1), covered.all(1))  # all channels alike
    rows, columns = covered[:, 0].any(2).sum(1), covered[:, 0].any(1).sum(1)
    assert torch.equal(covered[:, 0].sum((1, 2)), rows * columns)
    assert rows.max() == columns.max() == 10
    assert rows.min() >= 5  # the centre is a pixel of the face


def test_erase_covers_rectangles_of_a_fiftieth_to_a_fifth_in_half_of_the_faces() -> None:
    faces = torch.linspace(0.001, 0.002, 48).expand(400, 1, 48, 48)
    covered = (augment("erase", faces) != faces)[:, 0]
    shares = covered.float().mean((1, 2))
    assert (shares > 0).float().mean().item() == pytest.approx(0.5, abs=0.08)
    assert 0.015 < shares[shares > 0].min() < shares.max() < 0.22
    assert torch.equal(covered.sum((1, 2)), covered.any(2).sum(1) * covered.any(1).sum(1))


def values(argument: Argument) -> st.SearchStrategy[int | float]:
    if argument.kind is int:
        return st.integers(int(argument.low), int(argument.high))
    return st.floats(argument.low, argument.high)


@st.composite
def random_steps(draw: st.DrawFn) -> RandomStep:
    kind = AUGMENTATIONS.get(draw(st.sampled_from(AUGMENTATIONS.names())))
    return kind(**{each.name: draw(values(each)) for each in kind.arguments() if draw(st.booleans())})


@given(st.lists(random_steps(), max_size=5))
@settings(deadline=None)
def test_an_augmentation_read_from_its_own_text_is_the_same(chain: list[RandomStep]) -> None:
    augmentation = Augmentation(tuple(chain))
    assert Augmentation.parse(str(augmentation)) == augmentation


@given(st.lists(random_steps(), max_size=5), st.integers(0, 2**31))
@settings(deadline=None, max_examples=50)
def test_whatever_the_arguments_faces_stay_finite_and_in_range(chain: list[RandomStep], seed: int) -> None:
    faces = torch.rand(4, 1, 12, 10, generator=generator(2)) * 2 - 1
    result = Augmentation(tuple(chain))(faces, generator(seed))
    assert bool(((result >= -1.00001) & (result <= 1.00001)).all())  # NaN fails both


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flop", r"unknown augmentation 'flop' \(did you mean 'flip'\?\); choose from brightness, contrast, cutout"),
        ("rotate(angle=3)", r"rotate has no argument 'angle'; choose from degrees"),
        ("rotate(-3)", r"rotate: degrees must be between 0 and 180, got -3"),
        ("cutout(1.5)", r"cutout: size must be a whole number, got '1.5'"),
        ("flip+", r"empty augmentation; choose from brightness"),
        ("flip, rotate", r"cannot read augmentation 'flip, rotate'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_possible(text: str, message: str) -> None:
    with pytest.raises(FerError, match=message):
        Augmentation.parse(text)


def test_the_canonical_text_keeps_order_and_only_what_is_not_default() -> None:
    assert str(Augmentation.parse(" flip + rotate(10)+shift( fraction=0.125 )")) == "flip+rotate+shift(fraction=0.125)"
    assert str(Augmentation.parse("")) == ""


def test_the_description_lists_every_step() -> None:
    described = describe_augmentations()
    assert [each.name for each in described] == AUGMENTATIONS.names()
    assert all(each.summary and each.arguments for each in described)
