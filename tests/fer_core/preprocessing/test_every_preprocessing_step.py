"""What holds for every registered step."""

import pytest
import torch

from fer_core.preprocessing import STEPS, Pipeline, base, describe_steps

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.mps.is_available() else [])]
WITHOUT_NOISE = [name for name in STEPS.names() if not STEPS.get(name).training_only]
every_step = pytest.mark.parametrize("name", STEPS.names())


@every_step
@pytest.mark.parametrize("device", DEVICES)
def test_a_step_keeps_shape_type_and_device(name: str, device: str, batch: torch.Tensor) -> None:
    images = batch.to(device)
    result = Pipeline.parse(name).apply(images, training=True)
    assert (result.shape, result.dtype, result.device) == (images.shape, torch.uint8, images.device)


@every_step
def test_a_step_changes_images_but_not_its_input(
    name: str, batch: torch.Tensor, request: pytest.FixtureRequest
) -> None:
    if name == "face_crop":
        batch = torch.from_numpy(request.getfixturevalue("astronaut_face"))
    before = batch.clone()
    result = Pipeline.parse(name).apply(batch, training=True)
    assert torch.equal(batch, before)
    assert not torch.equal(result, before)


@every_step
def test_the_same_images_and_seed_give_the_same_result(name: str, batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse(name)
    assert torch.equal(
        pipeline.apply(batch, training=True, seed=5), pipeline.apply(batch.clone(), training=True, seed=5)
    )


@every_step
def test_the_size_of_the_chunks_does_not_show(name: str, batch: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Pipeline.parse(name).apply(batch, training=True)
    monkeypatch.setattr(base, "VALUES_PER_CHUNK", 3 * batch[0].numel() + 1)
    assert torch.equal(Pipeline.parse(name).apply(batch, training=True), whole)


@pytest.mark.parametrize("name", WITHOUT_NOISE)
def test_an_image_comes_out_the_same_alone_and_in_a_batch(name: str, batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse(name)
    together = pipeline.apply(batch)
    alone = torch.cat([pipeline.apply(image[None]) for image in batch])
    assert torch.equal(together, alone)


@every_step
def test_a_step_takes_views_that_are_not_contiguous(name: str, batch: torch.Tensor) -> None:
    view = batch.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :, ::2, :36]
    pipeline = Pipeline.parse(name)
    assert torch.equal(pipeline.apply(view, training=True), pipeline.apply(view.contiguous(), training=True))


@every_step
@pytest.mark.parametrize("shape", [(0, 1, 48, 48), (2, 1, 1, 1), (2, 3, 5, 2), (1, 1, 3, 100)])
def test_a_step_takes_no_images_and_tiny_ones(name: str, shape: tuple[int, ...]) -> None:
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert Pipeline.parse(name).apply(images, training=True).shape == shape


@pytest.mark.parametrize("name", WITHOUT_NOISE)
def test_constant_images_stay_constant(name: str) -> None:
    images = torch.tensor([0, 7, 255], dtype=torch.uint8).view(3, 1, 1, 1).repeat(1, 1, 48, 48)
    result = Pipeline.parse(name).apply(images).flatten(1)
    assert torch.equal(result.amin(1), result.amax(1))


@pytest.mark.skipif(len(DEVICES) == 1, reason="no second device on this machine to compare the CPU with")
def test_every_device_gives_the_same_images(batch: torch.Tensor) -> None:
    for name in STEPS.names():
        pipeline = Pipeline.parse(name)
        expected = pipeline.apply(batch, training=True).int()
        for device in DEVICES[1:]:
            difference = pipeline.apply(batch.to(device), training=True).cpu().int() - expected
            assert difference.abs().max() <= 1, f"{name} on {device}"


def test_the_description_lists_raw_and_every_step_with_its_defaults() -> None:
    described = {each.name: each for each in describe_steps()}
    assert list(described) == ["raw", *STEPS.names()]
    assert all(each.summary for each in described.values())
    assert {each.name: each.default for each in described["gcn"].arguments} == {
        "s": 1.0,
        "lam": 10.0,
        "eps": 1e-8,
        "limit": 3.0,
    }
    assert [each.name for each in described.values() if each.training_only] == ["salt_pepper"]
