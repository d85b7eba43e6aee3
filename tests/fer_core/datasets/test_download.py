import sys
from types import SimpleNamespace

import pytest

from fer_core.datasets import DatasetError
from fer_core.datasets.download import download
from fer_core.registry import UnknownNameError


def test_fer2013_is_fetched_by_its_kaggle_name(monkeypatch, tmp_path):
    asked = []
    fake = SimpleNamespace(dataset_download=lambda handle: asked.append(handle) or str(tmp_path))
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    assert download("fer2013") == tmp_path
    assert asked == ["msambare/fer2013"]


def test_no_network_is_told_in_one_sentence_with_a_way_out(monkeypatch):
    def offline(_handle: str) -> str:
        raise ConnectionError("Max retries\nexceeded")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=offline))
    with pytest.raises(DatasetError, match=r"no connection.*data prepare archive\.zip --name fer2013") as caught:
        download("fer2013")
    assert "\n" not in str(caught.value)


def test_missing_credentials_keep_kaggle_s_own_reason(monkeypatch):
    def refuse(_handle: str) -> str:
        raise RuntimeError("User is not authenticated")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=refuse))
    with pytest.raises(DatasetError, match="User is not authenticated.*credentials"):
        download("fer2013")


def test_a_missing_kagglehub_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DatasetError, match="pip install kagglehub"):
        download("fer2013")


def test_a_dataset_that_cannot_be_downloaded_is_refused_with_the_choices():
    with pytest.raises(UnknownNameError, match="choose from fer2013"):
        download("imagenet")
