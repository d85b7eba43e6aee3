"""Runs in words: the shortest label that tells them apart, and the one line that says what one is."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from dashboard.formats import count, duration, percent, plural
from dashboard.summaries import Board, RunSummary
from fer_core.config import RunSpec

LABEL_PARTS = ("board", "recipe", "setting", "seed")


def labels(runs: Sequence[RunSummary]) -> dict[str, str]:
    """A short label for each run's id: what differs between the runs, and no two alike."""
    several = {name: len({_part(run, name) for run in runs}) > 1 for name in LABEL_PARTS}
    texts = {run.id: _label(run, [name for name, differs in several.items() if differs]) for run in runs}
    counts = Counter(texts.values())
    return {name: text if counts[text] == 1 else f"{text} · {name.rsplit('__', 1)[-1]}" for name, text in texts.items()}


def _label(run: RunSummary, names: Sequence[str]) -> str:
    if run.spec is None:
        return f"{run.id} · {run.state}"
    result = percent(run.accuracy) if run.state == "finished" else run.state
    parts = [run.spec.architecture, run.spec.preprocessing, result, *(_part(run, name) for name in names)]
    return " · ".join(part for part in parts if part)


def _part(run: RunSummary, name: str) -> str:
    if run.spec is None:
        return ""
    parts = {
        "board": board_label(run.board),
        "recipe": run.spec.recipe.name,
        "setting": setting(run.spec),
        "seed": f"seed {run.spec.seed}",
    }
    return parts[name]


def setting(spec: RunSpec) -> str:
    """What a spec sets beyond names and recipe: `filters 32, kernel 5`, where it starts from, and who taught it."""
    arguments = [
        f"{len(value)} {name}" if isinstance(value, list) else f"{name} {value}"
        for name, value in sorted(spec.architecture_arguments.items())
    ]
    start = [f"from {start_name(spec.init_from)}"] if spec.init_from else []
    teacher = [f"taught by {spec.recipe.teacher.split('__')[0]}"] if spec.recipe.teacher else []
    return ", ".join([*arguments, *start, *teacher])


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
    trained = plural(run.epochs, "epoch") if run.epochs else ""
    trained += f" × {run.folds} folds" if trained and run.folds > 1 else ""
    if run.fact("wall_s") is not None:
        trained += f" in {duration(run.fact('wall_s'))}"
    parts = [
        f"{spec.architecture} on {spec.preprocessing} faces of {board_label(run.board)}",
        f"{spec.recipe.name} recipe, seed {spec.seed}",
        setting(spec),
        f"{count(run.whole('parameters'))} parameters" if run.fact("parameters") is not None else "",
        f"{trained} on {run.device}" if trained and run.device else trained,
    ]
    return " · ".join(part for part in parts if part)


def board_label(board: Board | None) -> str:
    """`fer2013 · train_vs_rest · without disgust`; drawn faces are always called so."""
    if board is None:
        return ""
    dataset = f"{board.dataset} (drawn faces)" if board.dataset == "synthetic" else board.dataset
    without = f"without {', '.join(board.left_out)}" if board.left_out else ""
    return " · ".join(part for part in (dataset, board.protocol, without) if part)
