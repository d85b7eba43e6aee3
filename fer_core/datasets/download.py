"""Fetch a public dataset with kagglehub."""

from importlib import import_module
from pathlib import Path

from fer_core.datasets.errors import DatasetError
from fer_core.registry import Registry

# Name of the prepared dataset -> Kaggle's owner/name.
DOWNLOADS: Registry[str] = Registry("downloadable dataset")
DOWNLOADS.add("fer2013", "msambare/fer2013")


def download(name: str) -> Path:
    """Folder with the files of the dataset `name`, fetched from Kaggle or from kagglehub's own cache.

    Raises UnknownNameError for a name that cannot be downloaded, and DatasetError where there is
    no kagglehub, no network or no permission.
    """
    handle = DOWNLOADS.get(name)
    try:
        kagglehub = import_module("kagglehub")
    except ImportError as error:
        raise DatasetError(f"downloading needs kagglehub ({error}): run `pip install kagglehub`") from error
    try:
        return Path(kagglehub.dataset_download(handle))
    except Exception as error:  # kagglehub lets errors of many libraries through; each becomes the user's sentence
        raise DatasetError(_advice(name, handle, error)) from error


def _advice(name: str, handle: str, error: Exception) -> str:
    offline = "Connection" in type(error).__name__ or "Timeout" in type(error).__name__
    reason = "no connection" if offline else " ".join(str(error).split())[:160] or type(error).__name__
    return (
        f"Kaggle's {handle} could not be downloaded ({reason}): check the network and "
        f"Kaggle's credentials, or fetch the zip in a browser and run "
        f"`python -m fer_core data prepare archive.zip --name {name}`"
    )
