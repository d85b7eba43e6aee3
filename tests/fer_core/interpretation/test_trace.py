import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fer_core.architectures import build
from fer_core.interpretation import FACE, trace_steps, traced
from tests.fer_core.interpretation.conftest import untrained

TRACED = ["linear", "mini_xception", "conv_relu_ann", "two_block_cnn", "se_resnet", "resnet18"]


def by_name(steps):
    return {step.name: step for step in steps}


def test_functions_between_layers_are_steps_of_their_own():
    steps = trace_steps(build("mini_xception"), 1, 48)
    block = [step for step in steps if step.name.startswith("modules_.0.")]
    assert [step.name.removeprefix("modules_.0.") for step in block][-4:] == [
        "max_pool2d",
        "shortcut.0",
        "shortcut.1",
        "add",
    ]
    found = by_name(steps)
    pool = found["modules_.0.max_pool2d"]
    assert (pool.kind, pool.kernel, pool.output_shape) == ("MaxPool2d", "3×3, stride 2", (16, 22, 22))


def test_branches_meet_where_the_network_adds_them():
    steps = trace_steps(build("mini_xception"), 1, 48)
    add = by_name(steps)["modules_.0.add"]
    assert [steps[place].name for place in add.inputs] == ["modules_.0.max_pool2d", "modules_.0.shortcut.1"]
    assert steps[0].inputs == (FACE,)


def test_a_gate_joins_what_it_weighs():
    steps = trace_steps(build("se_resnet"), 1, 48)
    gate = by_name(steps)["3.body.5.mul"]
    assert [steps[place].name for place in gate.inputs] == ["3.body.4", "3.body.5.gate.3"]


@pytest.mark.parametrize("name", TRACED)
def test_multiplications_agree_with_pytorch_s_own_counter(name):
    model = build(name).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 1, 48, 48))
    assert 2 * sum(step.macs for step in trace_steps(model, 1, 48)) == counter.get_total_flops()


def positive(model):
    """Weights that let no influence cancel another, and nothing that a rectifier could cut off."""
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            parameter.data = 0.02 + parameter.data.abs() if name == "weight" else torch.zeros_like(parameter)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return model.double().eval()


@pytest.mark.parametrize("layer", ["stem.0", "modules_.0.max_pool2d", "modules_.0.shortcut.0", "modules_.1.add"])
def test_receptive_fields_are_where_gradients_reach(layer):
    model = positive(build("mini_xception"))
    for module in model.modules():
        module.inplace = False
    # a steep ramp towards the middle makes every maximum the one farthest from the face's corner
    random = torch.Generator().manual_seed(0)
    reached = torch.zeros(48, 48, dtype=torch.bool)
    for _ in range(60):
        face = (1 + torch.rand(1, 1, 48, 48, generator=random, dtype=torch.float64)).requires_grad_(True)
        with traced(model, face, [layer]) as trace:
            model(face)
        output = trace.outputs[layer]
        row = output.shape[-1] // 2
        (gradient,) = torch.autograd.grad(output[0, 0, row, row], face)
        reached |= gradient[0, 0] != 0
    rows = reached.any(1).nonzero()
    side = int(rows.max() - rows.min()) + 1
    assert side == by_name(trace_steps(model.float(), 1, 48))[layer].field.within(48)


def test_what_follows_a_gate_or_a_dense_layer_depends_on_the_whole_face():
    found = by_name(trace_steps(build("se_resnet"), 1, 48))
    assert found["2"].field.within(48) == 3
    assert found["3.body.5.mul"].field.within(48) == 48
    assert by_name(trace_steps(build("conv_relu_ann"), 1, 48))["1.0"].field.within(48) == 48


def test_an_enlarged_face_counts_in_its_own_pixels():
    steps = trace_steps(build("resnet18", input_size=96), 1, 48)
    found = by_name(steps)
    assert found["interpolate"].kind == "Resize"
    # 7 pixels of the enlarged face are 3.5 of the face, and resizing mixes two neighbours: 1 + 1 + 6 / 2
    assert found["network.conv1"].field.within(48) == 5


class Failing(nn.Sequential):
    def forward(self, faces):
        super().forward(faces)
        raise RuntimeError("on purpose")


def hooks(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_hooks_are_removed_even_after_an_error():
    model = Failing(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU()))
    face = torch.zeros(1, 1, 8, 8)
    seen = []
    model[1].register_forward_pre_hook(lambda *_: seen.append(hooks(model)))
    with pytest.raises(RuntimeError, match="on purpose"), traced(model, face):
        model(face)
    assert seen[0] > 1
    assert hooks(model) == 1, "the test's own"


def test_what_a_layer_gave_is_kept_as_it_was_before_a_rectifier_changed_it_in_place():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True))
    face = torch.randn(1, 1, 8, 8)
    with torch.no_grad(), traced(model, face, ["0", "1"]) as trace:
        model(face)
    assert (trace.outputs["0"] < 0).any()
    assert torch.equal(trace.outputs["1"], trace.outputs["0"].relu())


def test_a_layer_that_is_used_twice_has_two_names():
    shared = nn.Conv2d(1, 1, 3, padding=1)
    assert [step.name for step in trace_steps(nn.Sequential(shared, nn.ReLU(), shared), 1, 8)] == ["0", "1", "0#2"]


class Parted(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 7)

    def forward(self, faces):
        tokens = torch.cat(faces.flatten(1).view(-1, 8, 8).chunk(2, dim=1), dim=1)
        return self.last(self.attention(tokens, tokens, tokens, need_weights=False)[0].mean(1))


def test_functions_that_give_several_results_do_not_break_the_way():
    steps = trace_steps(Parted(), 1, 8)
    assert [step.kind for step in steps] == ["Concatenate", "Attention", "Mean", "Linear"]
    assert [step.inputs for step in steps] == [(FACE,), (0,), (1,), (2,)]


@pytest.mark.parametrize("name", [*TRACED, "lpq_phog_mlp"])
def test_the_last_step_gives_the_logits(name):
    network = untrained(name)
    face = torch.rand(1, 1, 48, 48) * 2 - 1
    last = network.steps[-1]
    outputs = network.outputs(face, [last.name])
    assert torch.equal(outputs[last.name], outputs[""])
