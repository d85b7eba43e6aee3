"""Options that several commands share; without torch, so that light commands start at once."""

from pathlib import Path
from typing import Annotated

import typer


def path(text: str) -> Path:
    """A path as it is typed, for `parser=`; raises BadParameter for an empty one, which Path takes for this folder."""
    if not text:
        raise typer.BadParameter("the path is empty; name a file or folder, or . for the current folder")
    return Path(text)


def whole_number(text: str) -> int:
    """A whole number as it is typed, for `parser=`; raises BadParameter for anything else."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def number(text: str) -> float:
    """A number as it is typed, for `parser=`; raises BadParameter for anything else."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


Architecture = Annotated[str, typer.Option("--architecture", "-a", help="See `list architectures`.")]
Preprocessing = Annotated[str, typer.Option("--preprocessing", "-p", help="Steps joined by +, e.g. gcn+hist_eq.")]
DatasetName = Annotated[str, typer.Option("--dataset", "-d", help="A prepared dataset, or synthetic.")]
Protocol = Annotated[str, typer.Option(help="How the dataset is split; see `list protocols`.")]
RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="paper, modern, or another; see `list recipes`.")]
Epochs = Annotated[
    int | None, typer.Option(parser=whole_number, metavar="N", help="Instead of the recipe's number of epochs.")
]
BatchSize = Annotated[int | None, typer.Option(parser=whole_number, metavar="N", help="Instead of the recipe's.")]
LearningRate = Annotated[float | None, typer.Option(parser=number, metavar="X", help="Instead of the recipe's.")]
Precision = Annotated[str | None, typer.Option(help="auto, float32 or bfloat16, instead of the recipe's.")]
Hyperparameters = Annotated[
    list[str] | None, typer.Option("--hyperparameter", "-H", help="name=value, instead of the recipe's; repeatable.")
]
Arguments = Annotated[
    list[str] | None, typer.Option("--argument", "-A", help="name=value, of the architecture; repeatable.")
]
Weights = Annotated[
    str | None, typer.Option(help="Where a network of torchvision starts from: none, imagenet or a file.")
]
InitFrom = Annotated[
    str | None, typer.Option(help="Start from the weights of this run, whose network may be narrower.")
]
Without = Annotated[str, typer.Option(help="Emotions to leave out, joined by commas.")]
Device = Annotated[str, typer.Option(help="auto, cuda, cuda:N, mps or cpu.")]
RunsFolder = Annotated[Path | None, typer.Option("--runs", parser=path, help="Folder of the runs.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads of a training; fewer for several at once.")]
Queue = Annotated[bool, typer.Option("--queue", help="Leave it to a worker instead of training here.")]
