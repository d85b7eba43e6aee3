"""Every st.cache_*: what is read or computed once and shared between reruns and viewers; a file for each subject.

Modules that import torch, which takes seconds, are imported by the functions that need them.
"""

from dashboard.cache.datasets import check_choice, check_specs, datasets, protocols, workload
from dashboard.cache.networks import default_arguments, layers
from dashboard.cache.photos import faces, photo, sample_photo
from dashboard.cache.preprocessing import fitted, pipeline, preprocessed, probabilities, steps, trace
from dashboard.cache.results import environment, evaluation, has_removals, live_metrics, log, metrics, removals, runs
from dashboard.cache.samples import (
    count_samples,
    dataset_splits,
    face_in,
    faces_in,
    image_datasets,
    sample,
    samples_of_each_emotion,
)
from dashboard.cache.training import catalogue, device_name, load, machines, queue

__all__ = [
    "catalogue",
    "check_choice",
    "check_specs",
    "count_samples",
    "dataset_splits",
    "datasets",
    "default_arguments",
    "device_name",
    "environment",
    "evaluation",
    "face_in",
    "faces",
    "faces_in",
    "fitted",
    "has_removals",
    "image_datasets",
    "layers",
    "live_metrics",
    "load",
    "log",
    "machines",
    "metrics",
    "photo",
    "pipeline",
    "preprocessed",
    "probabilities",
    "protocols",
    "queue",
    "removals",
    "runs",
    "sample",
    "sample_photo",
    "samples_of_each_emotion",
    "steps",
    "trace",
    "workload",
]
