"""Runs in words: the shortest label that tells them apart, and the one line that says what one is."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from dashboard.formats import count, duration, percent, plural
from dashboard.summaries import Board, RunSummary
from fer_core.config import RunSpec

EACH_ITS_OWN = "each its own"  # of an ensemble's members
Alike = tuple[str, str, Board | None]  # architecture, preprocessing and test images


def labels(runs: Sequence[RunSummary]) -> dict[str, str]:
    """A short label for each run's id: its result first, then what tells it from runs like it; no two are alike.

    Test images come last, and only where they differ between the runs.
    """
    groups: dict[Alike, list[RunSummary]] = {}
    for run in runs:
        spec = run.spec
        kind = (spec.architecture, spec.preprocessing, run.board) if spec else ("", "", None)
        groups.setdefault(kind, []).append(run)
    told = {name: parts for group in groups.values() for name, parts in _told_apart(group).items()}
    has_boards = len({run.board for run in runs if run.board}) > 1
    texts = {run.id: _label(run, told[run.id], board_label(run.board) if has_boards else "") for run in runs}
    counts = Counter(texts.values())
    return {name: text if counts[text] == 1 else f"{text} · {hash_of(name)}" for name, text in texts.items()}


def _told_apart(group: Sequence[RunSummary]) -> dict[str, str]:
    """Of runs that are alike, what tells each from the others: as many of its `_parts` as that needs."""
    texts = {run.id: "" for run in group}
    for parts in zip(*(_parts(run) for run in group), strict=True):
        counts = Counter(texts.values())
        varied = Counter(before for before, _ in set(zip(texts.values(), parts, strict=True)))
        texts = {
            name: ", ".join(filter(None, (before, part))) if counts[before] > 1 and varied[before] > 1 else before
            for (name, before), part in zip(texts.items(), parts, strict=True)
        }
    return texts


def _parts(run: RunSummary) -> tuple[str, ...]:
    """What runs that are alike may differ in, in the order in which a label names it."""
    if run.spec is None:
        return ("",) * 6
    spec = run.spec
    arguments, start, teacher = setting_parts(spec)
    return (spec.recipe.name, arguments, _epochs(run), start, teacher, f"seed {spec.seed}")


def _label(run: RunSummary, told: str, board: str) -> str:
    if run.spec is None:
        return f"{run.id} · {run.state}"
    result = percent(run.accuracy) if run.state == "finished" else run.state
    return " · ".join(filter(None, (network_name(run), result, told, board)))


def network_name(run: RunSummary, joint: str = " · ") -> str:
    """`se_resnet · raw`, or with another `joint`; of an ensemble, whose members preprocess for themselves, its kind."""
    if run.spec is None:
        return run.id
    return run.spec.architecture if run.is_ensemble else f"{run.spec.architecture}{joint}{run.spec.preprocessing}"


def preprocessing_of(run: RunSummary) -> str:
    """The pipeline of a run as tables name it."""
    return EACH_ITS_OWN if run.is_ensemble else run.spec.preprocessing if run.spec else ""


def _epochs(run: RunSummary) -> str:
    if run.spec is None or run.is_ensemble:
        return ""  # not trained itself
    return plural(run.epochs if run.state == "finished" else run.spec.recipe.epochs, "epoch")


def setting(spec: RunSpec) -> str:
    """What a spec sets beyond names and recipe: `filters 32, kernel 5`, where it starts from, and who taught it."""
    return ", ".join(filter(None, setting_parts(spec)))


def setting_parts(spec: RunSpec) -> tuple[str, str, str]:
    """The arguments of its architecture, where it starts from, and who taught it; empty where it has none."""
    return (_arguments(spec), _start(spec), _teacher(spec))


def _arguments(spec: RunSpec) -> str:
    return ", ".join(
        f"{len(value)} {name}" if isinstance(value, list) else f"{name} {value}"
        for name, value in sorted(spec.architecture_arguments.items())
    )


def _start(spec: RunSpec) -> str:
    """`from se_resnet 07bf177a`, with the faces of that run where they are others: `(fer2013)`."""
    if not spec.init_from:
        return ""
    faces = start_name(spec.init_from)
    return f"from {short_name(spec.init_from)}" + (f" ({faces})" if faces not in (spec.dataset, spec.init_from) else "")


def _teacher(spec: RunSpec) -> str:
    return f"taught by {short_name(spec.recipe.teacher)}" if spec.recipe.teacher else ""


def short_name(run_id: str) -> str:
    """The architecture and the hash in a run's id, `se_resnet 07bf177a`; another name as it is."""
    parts = run_id.split("__")
    return f"{_architecture(parts)} {parts[-1]}" if len(parts) >= 5 else run_id


def kind_name(run_id: str, *, in_full: bool = False) -> str:
    """The architecture and the preprocessing in a run's id, `se_resnet · raw`; in full its hash, too."""
    parts = run_id.split("__")
    if len(parts) < 5:
        return run_id
    return " · ".join([_architecture(parts), parts[1], *([parts[-1]] if in_full else [])])


def _architecture(parts: Sequence[str]) -> str:
    return parts[0].replace("-", ":")  # a folder's name has a hyphen for the colon of `ensemble:weighted`


def hash_of(run_id: str) -> str:
    """The last part of a run's id, `e2d6f39a`, by which it is found again; another name as it is."""
    return run_id.rsplit("__", 1)[-1]


def start_name(run_id: str) -> str:
    """The faces that a run to start from was trained on, out of its id: `fer2013`; its architecture is the same."""
    parts = run_id.split("__")
    return parts[2].rpartition("-")[0] if len(parts) >= 5 else run_id


def run_address(run_id: str) -> str:
    """The address of a run's page, as seen from any other page."""
    return f"run?run={quote(run_id)}"


def describe(run: RunSummary) -> str:
    """What a run is, in one line."""
    if run.spec is None:
        return run.id
    spec = run.spec
    parameters = f"{count(run.whole('parameters'))} parameters" if run.fact("parameters") is not None else ""
    if run.is_ensemble:  # not trained itself, it has no recipe, no seed, no epochs; each member preprocesses for itself
        parts = [f"{spec.architecture} on faces of {board_label(run.board)}", setting(spec), parameters]
    else:
        parts = [
            f"{spec.architecture} on {_inputs(run)} of {board_label(run.board)}",
            f"{spec.recipe.name} recipe, seed {spec.seed}",
            setting(spec),
            parameters,
            _training(run),
        ]
    return " · ".join(part for part in parts if part)


def _inputs(run: RunSummary) -> str:
    """`hist_eq faces`; a table of descriptors has no pixels."""
    return "the descriptors" if run.environment.get("inputs") == "descriptors" else f"{preprocessing_of(run)} faces"


def _training(run: RunSummary) -> str:
    trained = plural(run.epochs, "epoch") if run.epochs else ""
    trained += f" × {run.folds} folds" if trained and run.folds > 1 else ""
    if run.fact("wall_s") is not None:
        trained += f" in {duration(run.fact('wall_s'))}"
    return f"{trained} on {run.device}" if trained and run.device else trained


def board_label(board: Board | None) -> str:
    """`fer2013 · train_vs_rest · without disgust`; drawn faces are always called so."""
    if board is None:
        return ""
    dataset = f"{board.dataset} (drawn faces)" if board.dataset == "synthetic" else board.dataset
    without = f"without {', '.join(board.left_out)}" if board.left_out else ""
    return " · ".join(part for part in (dataset, board.protocol, without) if part)
