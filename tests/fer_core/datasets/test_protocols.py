from dataclasses import replace

import numpy as np
import pytest

from fer_core.datasets import ProtocolError, get_splits, load_dataset, prepare, served_protocols
from fer_core.datasets.protocols import PROTOCOLS, Split
from fer_core.registry import UnknownNameError


@pytest.mark.parametrize("protocol", PROTOCOLS.names())
def test_every_protocol_gives_disjoint_filled_splits_the_same_for_one_seed(protocol):
    dataset = load_dataset("synthetic")
    for first, again in zip(get_splits(dataset, protocol, 3), get_splits(dataset, protocol, 3), strict=True):
        parts = (first.train, first.valid, first.test)
        rows = np.concatenate(parts)
        assert all(part.dtype == np.int64 and len(part) for part in parts)
        assert len(np.unique(rows)) == len(rows)
        assert np.array_equal(first.train, again.train)
        assert np.array_equal(first.test, again.test)


def test_the_official_protocol_is_the_dataset_s_own_split():
    dataset = load_dataset("synthetic")
    (split,) = get_splits(dataset, "official", 0)
    assert split.fold == ""
    assert set(dataset.split[split.valid]) == {"valid"}
    assert [len(part) for part in (split.train, split.valid, split.test)] == [1400, 350, 350]


def test_an_unknown_protocol_is_refused_with_the_choices():
    with pytest.raises(UnknownNameError, match=r"unknown protocol 'oficial' \(did you mean 'official'\?\)"):
        get_splits(load_dataset("synthetic"), "oficial", 0)


def test_a_dataset_without_official_split_says_which_protocols_it_can_serve(make, tmp_path, data_dir, monkeypatch):
    files = {f"{name}/1.png": make.png(make.face(1)) for name in ("happy", "sad")}
    dataset = prepare(make.folder(tmp_path / "own", files), None, data_dir)
    with pytest.raises(ProtocolError, match="'official' cannot serve 'own': it has no official train or valid or test"):
        get_splits(dataset, "official", 0)

    def halves(_dataset, _seed):
        return [Split("", *(np.array([row]) for row in (0, 1, 1)))]

    monkeypatch.setitem(PROTOCOLS._entries, "halves", halves)
    assert served_protocols(dataset) == ["halves"]
    with pytest.raises(ProtocolError, match="served by: halves"):
        get_splits(dataset, "official", 0)


def test_a_dataset_without_validation_images_cannot_serve_the_official_protocol():
    dataset = load_dataset("synthetic")
    without = replace(dataset, split=np.where(dataset.split == "valid", "", dataset.split))
    with pytest.raises(ProtocolError, match="no official valid images"):
        get_splits(without, "official", 0)
