"""What the Network page draws: pictures, tables and charts without Streamlit."""

import numpy as np
import pandas as pd
import pytest

from dashboard.network import charts, images, tables
from fer_core.architectures import build
from fer_core.interpretation import LayerRow, layer_table
from fer_core.labels import EMOTIONS

SEQUENTIAL = ["#FFFFFF", "#CCCCFF", "#9999FF", "#0000FF", "#0000CC", "#000099"]
DIVERGING = ["#FF0000", "#CC0000", "#808080", "#0000CC", "#0000FF"]


@pytest.fixture(scope="module")
def rows() -> list[LayerRow]:
    return layer_table(build("mini_xception"), 1, 48)


def test_maps_that_are_never_negative_begin_with_the_colour_of_zero() -> None:
    (picture,) = images.map_pictures(np.array([[[0.0, 2.0]]]), SEQUENTIAL, DIVERGING)
    assert picture.tolist() == [[[255, 255, 255], [0, 0, 0x99]]]


def test_signed_maps_have_zero_in_the_middle_and_a_scale_of_their_own_or_a_common_one() -> None:
    maps = np.array([[[-1.0, 0.0]], [[-4.0, 4.0]]])
    own = images.map_pictures(maps, SEQUENTIAL, DIVERGING)
    assert own[0][0].tolist()[0] == [255, 0, 0]
    assert np.abs(own[0][0][1].astype(int) - 128).max() <= 2
    common = images.map_pictures(maps, SEQUENTIAL, DIVERGING, 4.0)
    assert common[1][0].tolist() == own[1][0].tolist()
    assert common[0][0].tolist() != own[0][0].tolist()


def test_a_sheet_holds_every_picture_in_rows_and_is_transparent_between() -> None:
    red = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    sheet = images.sheet([red] * 5, [""] * 5, 10, 3, "light")
    fine, gap = images.FINE * 10, images.FINE * images.GAP
    assert sheet.shape == (2 * fine + gap, 3 * fine + 2 * gap, 4)
    assert (sheet[:fine, :fine] == (255, 0, 0, 255)).all()
    assert not sheet[:fine, fine : fine + gap].any()
    assert not sheet[fine + gap :, 2 * (fine + gap) :].any(), "there is no sixth"


def test_labels_stand_below_their_pictures() -> None:
    white = np.full((2, 2, 3), 255, np.uint8)
    sheet = images.sheet([white], ["#12"], 40, 1, "dark")
    below = sheet[2 * 40 :]
    assert below.shape[0] == images.FINE * images.LABEL_HEIGHT
    assert below[:, :, 3].any()


def test_heat_over_a_face_hides_it_only_where_it_is_strong() -> None:
    face = np.full((4, 4), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0], heat[3, 3] = 1, -1
    picture = images.overlay(face, heat, SEQUENTIAL, DIVERGING)
    assert (picture[1:3, 1:3] == 100).all()
    assert picture[0, 0, 2] > 150 > picture[0, 0, 0], "for: blue"
    assert picture[3, 3, 0] > 150 > picture[3, 3, 2], "against: red"


def test_a_dense_layer_s_values_fill_rows_in_their_order() -> None:
    picture = images.vector_picture(np.arange(1, 8, dtype=np.float32))
    assert picture.tolist() == [[1, 2, 3, 4], [5, 6, 7, 0]]


def test_a_mean_is_stretched_to_its_whole_range_and_an_even_one_stays() -> None:
    assert images.stretched(np.array([[0.4, 0.5, 0.6]])).round(6).tolist() == [[0, 0.5, 1]]
    assert images.stretched(np.full((2, 2), 0.3)).tolist() == [[0.3, 0.3], [0.3, 0.3]]


def test_phog_s_strokes_lie_along_the_edges() -> None:
    level = np.zeros((1, 1, 8))
    level[0, 0, [0, 7]] = 1  # brightens to the right: the edge stands upright
    (picture,) = images.pyramid([level], 80, "#000000", np.full((8, 8), 255, np.uint8))
    dark = (picture == 0).all(axis=2)
    rows, columns = np.nonzero(dark)
    assert np.ptp(rows) > np.ptp(columns)


def test_the_graph_has_a_box_for_each_layer_and_an_arc_for_each_way_around(rows: list[LayerRow]) -> None:
    nodes, arcs = tables.graph_nodes(rows), tables.graph_arcs(rows)
    assert len(nodes) == len(rows) == 52
    assert list(nodes["top"][:4]) == sorted(nodes["top"][:4], reverse=True), "smaller maps, lower boxes"
    names = {row.name: place for place, row in enumerate(rows)}
    around = f"{names['modules_.0.max_pool2d']}-{names['modules_.0.add']}"
    assert around in set(arcs["arc"])
    assert arcs["arc"].nunique() == 8, "in and out of each of four shortcuts"


def test_a_network_without_branches_has_no_arcs() -> None:
    plain = layer_table(build("conv_relu_ann"), 1, 48)
    arcs = tables.graph_arcs(plain)
    assert arcs.empty
    assert charts.graph(tables.graph_nodes(plain), arcs, "0.0").to_dict()


def test_the_chosen_layer_is_marked_in_the_graph(rows: list[LayerRow]) -> None:
    nodes, arcs = tables.graph_nodes(rows), tables.graph_arcs(rows)
    spec = charts.graph(nodes, arcs, "classifier").to_dict()
    marked = spec["datasets"][spec["layer"][2]["data"]["name"]]
    assert [node["name"] for node in marked] == ["classifier"]
    assert spec["params"][0]["name"] == "node"


@pytest.mark.parametrize(
    ("kind", "family"),
    [("Conv2d", "convolution"), ("Concatenate", "sum or gate"), ("BatchNorm1d", "normalisation"), ("Mean", "pooling"),
     ("ReLU6", "activation"), ("Linear", "dense"), ("Dropout", "other"), ("AdaptiveAvgPool2d", "pooling")],
)  # fmt: skip
def test_every_kind_of_layer_has_a_family(kind: str, family: str) -> None:
    assert tables.family(kind) == family


def test_a_layer_is_told_in_one_line(rows: list[LayerRow]) -> None:
    told = tables.layer_labels(rows)
    assert told["stem.0"] == "Layer stem.0 is no. 1 of 52 · Conv2d · 3×3 · gives 8 × 46 × 46 · 3·3·1·8 = 72 parameters"
    assert told["modules_.0.add"] == "Layer modules_.0.add is no. 17 of 52 · Add · gives 16 × 22 × 22"


def test_a_layer_without_weights_has_none_and_dashes(rows: list[LayerRow]) -> None:
    table = tables.layer_table(rows).set_index("name")
    assert table.loc["modules_.0.add", ["kernel", "parameters", "arithmetic", "macs"]].tolist() == ["–", 0, "–", 0]
    assert table["macs"].sum() == sum(row.macs for row in rows)
    assert not table.isna().any().any()


@pytest.mark.parametrize(
    ("strengths", "shown"),
    [([0.53, 0.4, 1.0], ["0.53", "0.40", "1.00"]), ([123.4, 7.0], ["123", "7"]), ([0.0], ["0"]), ([], [])],
)
def test_the_strengths_of_maps_have_the_same_decimals(strengths: list[float], shown: list[str]) -> None:
    assert tables.strength_texts(strengths) == shown


def test_neighbours_agree_where_classes_lie_apart() -> None:
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(0, 1, (30, 2)), random.normal(50, 1, (30, 2))])
    classes = np.repeat([0, 1], 30)
    assert tables.neighbours_agree(points, classes) == 1
    assert tables.neighbours_agree(points, np.arange(60) % 2) < 0.7


def test_mistaken_faces_have_another_shape_than_recognised_ones() -> None:
    points, ones = np.zeros((2, 2)), np.array([1, 1])
    table = tables.embedding_points(points, ones, np.array([1, 3]), np.array([4, 9]), EMOTIONS)
    assert table["outcome"].tolist() == ["recognised", "mistaken"]
    assert table["prediction"].tolist() == ["disgust", "happy"]
    spec = charts.embedding_scatter(table, "label", EMOTIONS).to_dict()
    assert spec["encoding"]["shape"]["field"] == "outcome"
    assert isinstance(table, pd.DataFrame)
