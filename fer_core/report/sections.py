"""The sections of a model card; each takes what it tells of and gives Markdown without a heading."""

import inspect
from typing import Any

from fer_core.architectures import ARCHITECTURES
from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.architectures.ensemble import read_members
from fer_core.config import RunSpec, to_json
from fer_core.datasets import PROTOCOLS
from fer_core.errors import FerError
from fer_core.report.markdown import NONE, number, percent, table, with_interval
from fer_core.runs import Run, read_robustness, read_tta

Json = dict[str, Any]


def data(spec: RunSpec, evaluation: Json, environment: Json) -> str:
    """Dataset, protocol, counts, and how many test images were trained on as exact copies."""
    valid, test = (evaluation["splits"][split] for split in ("valid", "test"))
    counts = [
        ("training", number(environment.get("train_images")), "the weights"),
        ("validation", number(valid.get("images", valid["n"])), "the epoch, the temperature, every choice"),
        ("test", number(test.get("images", test["n"])), "nothing; it is read after training"),
    ]
    folds = environment.get("folds")
    folded = (
        f"\n\n{folds} folds, a network each; the figures pool their answers, each on images that it has not seen, and "
        f"the counts of training images are of one of them. The weights are of fold {environment['weights_fold']}."
        if folds
        else ""
    )
    parts = [
        f"Dataset: **{spec.dataset}**. Protocol: **{spec.protocol}**. {_protocol(spec.protocol)}".strip(),
        table(("split", "images", "decides"), counts, aligned="left") + folded,
        _copies(test),
    ]
    return "\n\n".join(part for part in parts if part)


def _protocol(name: str) -> str:
    try:
        text = inspect.getdoc(PROTOCOLS.get(name)) or ""
    except FerError:
        return ""  # of an earlier version, or somebody's own
    return text.splitlines()[0] if text else ""


def _copies(test: Json) -> str:
    if "clean_n" not in test:
        return "Whether test images have exact copies among the training images was not recorded."
    copies = test["n"] - test["clean_n"]
    if not copies:
        return "No test image has an exact copy among the training images."
    clean = with_interval(test["clean_accuracy"], test["clean_accuracy_interval"])
    if "copied_images" in test:  # repeated folds: an image may have a copy in one training and none in another
        return (
            f"**Known leakage**: {test['copied_images']:,} of {test['images']:,} test images have an exact copy among "
            f"the training images of a fold that tests them ({copies:,} of {test['n']:,} predictions). "
            f"On all others, of {test.get('clean_images', test['clean_n']):,} images, the accuracy is {clean}."
        )
    return (
        f"**Known leakage**: {copies:,} of {test['n']:,} test images have an exact copy among the training images. "
        f"On the {test['clean_n']:,} others the accuracy is {clean}."
    )


def preprocessing(spec: RunSpec, environment: Json) -> str:
    """The pipeline and what the network is given."""
    if environment.get("inputs") == "descriptors":
        return "The network reads a table of descriptors, and no pixels."
    size, channels = environment.get("image_size", NONE), environment.get("channels", 1)
    colour = "RGB" if channels == 3 else "gray"
    if spec.architecture == ENSEMBLE:
        return (
            f"Images, {colour}, {size} × {size} pixels, which each member prepares by its own pipeline (below); "
            "training and prediction share the code."
        )
    steps = "none but scaling to [−1, 1]" if spec.preprocessing == "raw" else f"`{spec.preprocessing}`, then [−1, 1]"
    return f"Images, {colour}, {size} × {size} pixels. Steps: {steps}; training and prediction share the code."


def network(spec: RunSpec, environment: Json) -> str:
    """Architecture, its source, its arguments and its size."""
    is_ensemble = spec.architecture == ENSEMBLE
    arguments = {} if is_ensemble else spec.architecture_arguments
    start = f"`{spec.init_from}`" if spec.init_from else "its architecture's own initial weights"
    rows = [
        ("architecture", spec.architecture),
        *_known(spec.architecture),
        *((f"argument {name}", value) for name, value in arguments.items()),
        ("parameters", number(environment.get("parameters"))),
        ("of which trained", number(environment.get("trainable_parameters"))),
        *([] if is_ensemble else [("starts from", start)]),
    ]
    told = table(("", "value"), rows, aligned="left")
    return f"{told}\n\n{_members(spec)}" if is_ensemble else told


def _members(spec: RunSpec) -> str:
    """The runs that an ensemble averages."""
    rows = [
        (f"`{each.run}`", f"`{each.preprocessing}`", f"{each.temperature:.3f}", f"{each.weight:.4f}")
        for each in read_members(spec.architecture_arguments)
    ]
    columns = ("member", "preprocessing", "temperature", "weight")
    return (
        f"{table(columns, rows)}\n\nThe answer is the weighted mean of the members' probabilities, each at its own "
        "temperature. The weights have the lowest log loss on the validation split."
    )


def _known(architecture: str) -> list[tuple[str, str]]:
    try:
        known = ARCHITECTURES.get(architecture)
    except FerError:
        return []  # of an earlier version, or somebody's own
    return [("what it is", known.summary), ("source", known.source)]


def training(spec: RunSpec, environment: Json) -> str:
    """Every hyperparameter, and how the training went; of an ensemble, which is not trained, how it was made."""
    if spec.architecture == ENSEMBLE:
        return _averaging(environment)
    recipe = to_json(spec)["recipe"]
    versions = ", ".join(f"{name} {version}" for name, version in environment.get("packages", {}).items())
    seconds = environment.get("wall_s")
    folds, kept = environment.get("folds"), environment.get("weights_fold")
    in_all = f" over {folds} folds" if folds else ""
    of_fold = f" of fold {kept}, whose weights are kept" if kept else ""
    facts = [
        ("seed", spec.seed),
        (f"epochs run{in_all}", number(environment.get("epochs_run"))),
        (f"best epoch{of_fold}, by validation", number(environment.get("best_epoch"))),
        ("device", environment.get("device_name", NONE)),
        ("precision", environment.get("precision") or NONE),
        ("wall time", NONE if seconds is None else f"{seconds / 60:.1f} min"),
        ("versions", versions or NONE),
        ("commit", environment.get("commit") or NONE),
    ]
    hyperparameters = ((f"`{name}`", _shown(value)) for name, value in recipe.items() if name != "name")
    return (
        f"Recipe **{spec.recipe.name}**:\n\n{table(('hyperparameter', 'value'), hyperparameters, aligned='left')}\n\n"
        + table(("", "value"), facts, aligned="left")
    )


def _averaging(environment: Json) -> str:
    seconds = environment.get("members_wall_s")
    facts = [
        ("its members' own trainings", NONE if seconds is None else f"{seconds / 60:.1f} min"),
        ("commit", environment.get("commit") or NONE),
    ]
    return "It was not trained; the cards of its members tell how these were.\n\n" + table(
        ("", "value"), facts, aligned="left"
    )


def _shown(value: Any) -> str:
    return "none" if value in ("", [], ()) else str(value)


def figures(evaluation: Json) -> str:
    """The overall figures of both splits, shares with their 95 % intervals."""
    valid, test = (evaluation["splits"][split] for split in ("valid", "test"))
    names = {
        "accuracy": "accuracy",
        "clean_accuracy": "accuracy on images without a copy in training",
        "flip_accuracy": "accuracy, averaged with the mirror image",
        "balanced_accuracy": "balanced accuracy",
        "macro_f1": "macro-F1",
    }
    rows = [
        (text, *(with_interval(split.get(key), split.get(f"{key}_interval")) for split in (valid, test)))
        for key, text in names.items()
        if key in test
    ]
    folds = evaluation.get("fold_accuracy")
    told = (
        f"\n\nMean and deviation over {folds['folds']} folds: {percent(folds['mean'])} ± {percent(folds['deviation'])}."
        if folds
        else ""
    )
    return table(("metric", "validation", "test"), rows) + "\n\nIntervals are of 95 % (Wilson)." + told


def per_emotion(evaluation: Json) -> str:
    """Precision, recall, F1, specificity and support of each emotion, and the confusion matrix, on the test split."""
    test, emotions = evaluation["splits"]["test"], evaluation["emotions"]
    keys = ("precision", "recall", "f1", "specificity")
    rows = [(each["emotion"], *(percent(each[key]) for key in keys), each["support"]) for each in test["per_class"]]
    matrix = [(name, *row) for name, row in zip(emotions, test["confusion_matrix"], strict=True)]
    counted = "images" if test.get("images", test["n"]) == test["n"] else "predictions, several of each image"
    return (
        table(("emotion", "precision", "recall", "F1", "specificity", "support"), rows)
        + f"\n\nSupport and confusion matrix count the test {counted}. A row of the matrix is the true emotion, a "
        "column the answer.\n\n" + table(("", *emotions), matrix)
    )


def calibration(evaluation: Json) -> str:
    """How far confidence and accuracy are apart, before and after temperature scaling."""
    test = evaluation["splits"]["test"]
    rows = [
        ("expected calibration error (15 bins)", percent(test["ece"]), percent(test["calibrated"]["ece"])),
        ("log loss (nats)", f"{test['log_loss']:.3f}", f"{test['calibrated']['log_loss']:.3f}"),
    ]
    told = f"Temperature {evaluation['temperature']:.3f}, fitted on validation; predictions are given calibrated."
    return f"{told}\n\n{table(('on the test split', 'as trained', 'calibrated'), rows)}"


def robustness(run: Run) -> str:
    """Accuracy on worse pictures and with several views, where they were measured."""
    parts = []
    worse, views = read_robustness(run), read_tta(run)
    if worse is not None:
        steps = next(iter(worse["corruptions"].values()))["severities"]
        rows = [
            (name, *(percent(step["accuracy"]) for step in each["severities"]))
            for name, each in worse["corruptions"].items()
        ]
        parts.append(
            f"Accuracy on worse pictures of {_subject(worse)}; untouched {_score(worse['clean'])}, mean over all below "
            f"{percent(worse['mean_corruption_accuracy'])}. Corruptions after Hendrycks and Dietterich (2019, arXiv "
            "1903.12261), scaled to small faces.\n\n"
            + table(("corruption", *(f"severity {step['severity']}" for step in steps)), rows)
        )
    if views is not None:
        rows = [("the face alone", 1, _score(views["clean"]))]
        rows += [(name, each["views"], _score(each)) for name, each in views["kinds"].items()]
        parts.append(
            f"Averaged over several views, on {_subject(views)}:\n\n" + table(("views", "number", "accuracy"), rows)
        )
    return "\n\n".join(parts) or "Not measured. Expect less on noisy, dark, turned and covered faces."


def _subject(report: Json) -> str:
    whole = report["images"] == report["of"]
    told = f"all {report['of']:,} test images" if whole else f"{report['images']:,} of {report['of']:,} test images"
    return f"{told} of fold {report['fold']}" if report.get("fold") else told


def _score(score: Json) -> str:
    return with_interval(score["accuracy"], score["accuracy_interval"])
