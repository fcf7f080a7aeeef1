"""Outlines in the coordinates of a map, on pictures that say where they lie.

tool_files/rasterio: three GeoTIFFs of 40 x 30 pixels of 2 m in UTM zone 33 by rasterio 1.4.4 (GDAL 3.10.3), one whose
coordinates are of pixels' centres and one turned by 30 degrees; a roof and a road by geopandas 1.2.0, in UTM and in
degrees.
"""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from drawn_labels import write_export
from tiny_folder import Folder, pascal, sample, write, write_image
from tool_files import FILES
from wsss_cli.data.georeference import Georeference, epsg_of, georeference, lay, reprojected
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.export.source import Source, find_source
from wsss_folder.catalogue import Found
from wsss_folder.geo_map import Feature, Layer
from wsss_folder.geojson import Pictures, read_geojson
from wsss_folder.matching import Finder
from wsss_folder.record import NAMELESS

GEO = FILES / "rasterio"
UTM = 32633
ROOF, ROAD = Box(2, 5, 5, 15, 20), Box(1, 0, 0, 3, 30)  # classes are sorted: road, roof


def copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)


def write_tiff(path: Path, matrix: tuple[float, ...] = (2, 0, 500000, 0, -2, 5000000), epsg: int = UTM) -> Path:
    a, b, c, d, e, f = matrix
    tags = {34264: (a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)}
    info = {tag: tuple(map(float, values)) for tag, values in tags.items()}
    keys = {34735: (1, 1, 0, 1, 3072, 0, 1, epsg)} if epsg else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (90, 90, 90)).save(path, tiffinfo=info | keys)  # type: ignore[arg-type]
    return path


def square(x: float, y: float, side: float, **properties: Any) -> dict[str, Any]:
    corners = [[x, y], [x + side, y], [x + side, y - side], [x, y - side], [x, y]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [corners]}}


def collection(*features: Mapping[str, Any], crs: str | None = f"urn:ogc:def:crs:EPSG::{UTM}") -> str:
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", **named, "features": features})


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("area", (2, 0, 500000, 0, -2, 5000000)),
        ("point", (2, 0, 500000, 0, -2, 5000000)),
        ("turned", (3**0.5, -1, 500000, -1, -(3**0.5), 5000000)),
    ],
)
def test_where_files_of_rasterio_lie(name: str, matrix: tuple[float, ...]) -> None:
    found = georeference(GEO / f"{name}.tif")
    assert found is not None and (found.size, found.epsg) == ((40, 30), UTM)
    assert found.matrix == pytest.approx(matrix, rel=1e-12, abs=1e-9)
    x, y = matrix[2] + 3 * matrix[0] + 7 * matrix[1], matrix[5] + 3 * matrix[3] + 7 * matrix[4]
    assert found.pixels(np.array([[x, y]]))[0] == pytest.approx((3, 7), abs=1e-6)


@pytest.mark.parametrize("name", ["a.jgw", "a.jpgw", "a.wld", "a.jgW", "a.WLD"])
def test_a_world_file(tmp_path: Path, name: str) -> None:
    """Its last two numbers are the centre of the first pixel."""
    write_image(tmp_path / "a.jpg", (40, 30))
    write(tmp_path / name, "2.0\n0.0\n0.0\n-3.0\n1001.0\n4998.5\n")
    assert georeference(tmp_path / "a.jpg") == Georeference((2, 0, 1000, 0, -3, 5000), (40, 30), 0)
    write(tmp_path / name, "2.0\n0.0\n")
    assert georeference(tmp_path / "a.jpg") is None


def test_pictures_that_say_nothing(tmp_path: Path) -> None:
    assert georeference(write_image(tmp_path / "a.png")) is None
    assert georeference(write_tiff(tmp_path / "flat.tif", (0, 0, 5, 0, 0, 5))) is None
    found = georeference(write_tiff(tmp_path / "own.tif", epsg=32767))  # a coordinate system of its own
    assert found is not None and found.epsg == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("urn:ogc:def:crs:EPSG::32633", 32633),
        ("urn:ogc:def:crs:EPSG:6.18:3857", 3857),
        ("EPSG:4326", 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
        ("my own", 0),
    ],
)
def test_names_of_coordinate_systems(name: str, code: int) -> None:
    assert epsg_of(name) == code


def prepared_of(folder: Folder, **options: Any) -> Prepared:
    return folder.prepare(masks_from_shapes=True, val=0.5, **options)


def test_one_file_for_all_pictures(folder: Folder) -> None:
    """The roof lies in the upright ones and, cut, in the turned one; nothing lies in the one far away."""
    for name in ("area", "point", "turned"):
        copy(GEO / f"{name}.tif", folder.images / f"{name}.tif")
    write_tiff(folder.images / "far.tif", (2, 0, 600000, 0, -2, 5000000))
    copy(GEO / "utm.geojson", folder.path / "utm.geojson")
    prepared = prepared_of(folder)
    assert prepared.info.classes == ("road", "roof")
    assert {*sample(prepared, "area").boxes} == {*sample(prepared, "point").boxes} == {ROOF, ROAD}
    mask = read_labels(sample(prepared, "area").mask)
    assert (mask[5:20, 5:15] == 2).all() and (mask == 2).sum() == 150 and (mask[:, :3] == 1).all()
    assert (mask == 1).sum() == 90 and sample(prepared, "turned").tags == (1, 2)
    assert sample(prepared, "far").tags == () and sample(prepared, "far").mask is None
    assert any("outlines in the coordinates of a map, on which 4 images lie" in note for note in prepared.info.notes)
    assert any("1 without an annotation" in note for note in prepared.info.notes)


def test_a_file_for_each_picture(folder: Folder) -> None:
    """Each says all of its picture, so that an empty one says that it holds nothing."""
    for name in ("a", "b", "c"):
        write_tiff(folder.images / f"{name}.tif")
    write(folder.path / "geojson/a.geojson", collection(square(500010, 4999990, 20, label="roof")))
    write(folder.path / "geojson/b.geojson", collection())
    write(folder.path / "geojson/c.geojson", collection(square(0, 0, 5, label="roof")))  # in another place
    prepared = prepared_of(folder)
    assert [sample(prepared, name).boxes for name in "abc"] == [(Box(1, 5, 5, 15, 15),), (), ()]
    assert not any("not labelled" in note for note in prepared.info.notes)


def test_outlines_in_pixels_stay_in_pixels(folder: Folder) -> None:
    write_tiff(folder.images / "a.tif")
    write_tiff(folder.images / "b.tif")
    for name in "ab":
        text = collection(square(3, 14, 10, classification={"name": "roof"}), crs=None)
        write(folder.images / f"{name}.geojson", text)
    assert {s.boxes for s in prepared_of(folder).samples} == {(Box(1, 3, 4, 13, 14),)}


def test_coordinates_that_nothing_names_are_those_of_the_picture(folder: Folder) -> None:
    for name in "ab":
        write_tiff(folder.images / f"{name}.tif", epsg=UTM if name == "a" else 0)
    write(folder.path / "all.geojson", collection(square(500010, 4999990, 20, label="roof"), crs=None))
    assert {s.boxes for s in prepared_of(folder).samples} == {(Box(1, 5, 5, 15, 15),)}


def test_degrees_need_pyproj(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        copy(GEO / "area.tif", folder.images / f"{name}.tif")
    copy(GEO / "degrees.geojson", folder.path / "degrees.geojson")
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with pytest.raises(WsssError, match="in EPSG:4326, the pictures in EPSG:32633, which only pyproj") as caught:
        folder.prepare()
    assert 'pip install "wsss[geo]"' in caught.value.remedy


def test_degrees_are_converted(folder: Folder) -> None:
    pytest.importorskip("pyproj")
    for name in "ab":
        copy(GEO / "area.tif", folder.images / f"{name}.tif")
    text = (GEO / "degrees.geojson").read_text()
    for said in (text, text.replace('"crs"', '"nothing"')):  # GeoJSON that names none is in degrees
        write(folder.path / "degrees.geojson", said)
        assert {*sample(prepared_of(folder), "a").boxes} == {ROOF, ROAD}


def test_what_pyproj_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def from_crs(source: int, target: int, always_xy: bool) -> Any:
        asked.append((source, target, always_xy))
        return SimpleNamespace(transform=lambda x, y: (x * 2, y + 1))

    monkeypatch.setitem(sys.modules, "pyproj", SimpleNamespace(Transformer=SimpleNamespace(from_crs=from_crs)))
    assert reprojected(np.array([[1.0, 2.0], [3.0, 4.0]]), 4326, 25833).tolist() == [[2, 3], [6, 5]]
    assert asked == [(4326, 25833, True)]


def test_a_lone_class_may_be_left_unsaid(folder: Folder) -> None:
    for name in "ab":
        write_tiff(folder.images / f"{name}.tif")
    path = write(folder.path / "buildings.geojson", collection(square(500010, 4999990, 20, id=7)))
    assert {s.boxes for s in prepared_of(folder, classes="building").samples} == {(Box(1, 5, 5, 15, 15),)}
    (record, _) = read_geojson(path, pictures(folder)).records
    assert record.unlabelled == NAMELESS and record.shapeless == 1


def pictures(folder: Folder) -> Pictures:
    found = [Found(path, path.name, path.stem) for path in sorted(folder.images.iterdir())]
    return Pictures(found, Finder([one.name for one in found]))


def test_no_picture_lies_on_the_map(folder: Folder) -> None:
    write_image(folder.images / "a.png")
    write(folder.path / "all.geojson", collection(square(500010, 4999990, 20, label="roof")))
    with pytest.raises(WsssError, match="of no image is known where on it it lies"):
        folder.prepare(geojson=folder.path / "all.geojson")


@pytest.mark.parametrize(
    ("corners", "area"),
    [
        ([[0, 0], [4, 0], [4, 3], [0, 3]], 12),
        ([[-5, -5], [45, -5], [45, 35], [-5, 35]], 1200),  # all of it
        ([[-10, 10], [10, 10], [10, 20], [-10, 20]], 100),
        ([[-10, -10], [10, -10], [-10, 10]], 0),  # touches the corner
        ([[-1, -1], [0.5, -1], [0.5, 0.5], [-1, 0.5]], 0),  # a quarter of a pixel
        ([[50, 0], [60, 0], [60, 10]], 0),
        ([[-20, 15], [20, -25], [60, 15], [20, 55]], 1200),  # a diamond around it
        ([[0, 0], [80, 0], [0, 60]], 1200),  # its hypotenuse goes through the far corner
        ([[20, 5], [60, 5], [60, 25], [20, 25], [20, 20], [50, 20], [50, 10], [20, 10]], 200),  # a C, open within
    ],
)
def test_outlines_are_cut_at_the_border(corners: list[list[float]], area: float) -> None:
    place = Georeference((1, 0, 0, 0, 1, 0), (40, 30), UTM)
    ring = np.array(corners, float)
    layer = Layer(Path("a.geojson"), (Feature("roof", ((ring,),), ring),), UTM)
    record = layer.record(Found(Path("a.tif"), "a.tif", "a"), place, "nothing")
    found = 0.0
    for thing in record.things:
        for polygon in thing.polygons:
            x, y = np.array(polygon[::2]), np.array(polygon[1::2])
            assert x.min() >= 0 and x.max() <= 40 and y.min() >= 0 and y.max() <= 30
            found += abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert found == pytest.approx(area) and record.unlabelled == ("" if area else "nothing")


def test_many_features_and_pictures_take_little_time() -> None:
    """The bounds of features are brought to the pictures' coordinates once, not for each picture."""
    corners = np.random.default_rng(0).random((20_000, 1, 2)) * 1e5 + np.array([[0, 0], [3, 0], [3, 3], [0, 3]])
    layer = Layer(Path("a.geojson"), tuple(Feature("roof", ((ring,),), ring) for ring in corners), UTM)
    began = time.process_time()
    found = 0
    for n in range(1000):
        place = Georeference((1, 0, n * 100.0, 0, -1, n * 100.0), (100, 100), UTM)
        found += len(layer.record(Found(Path("a.tif"), "a.tif", "a"), place, "").things)
    assert 5 < found < 100 and time.process_time() - began < 10


def test_points_and_holes(folder: Folder) -> None:
    hole = square(500010, 4999990, 20, label="roof")
    hole["geometry"]["coordinates"].append([[500014, 4999986], [500014, 4999982], [500020, 4999982], [500020, 4999986]])
    point: dict[str, Any] = {"type": "Feature", "properties": {"label": "tree"}}
    point["geometry"] = {"type": "Point", "coordinates": [500002, 4999998]}
    far = {**point, "geometry": {"type": "MultiPoint", "coordinates": [[9, 9], [8, 8, 7]]}}
    nowhere = {**point, "geometry": None}
    for name in "ab":
        write_tiff(folder.images / f"{name}.tif")
    path = write(folder.path / "all.geojson", collection(hole, point, far, nowhere))
    record, _ = read_geojson(path, pictures(folder)).records
    assert record.tags == ("tree",) and record.shapeless == 1 and len(record.things) == 1
    write(path, collection(hole))
    mask = read_labels(sample(prepared_of(folder), "a").mask)
    assert (mask == 1).sum() == 100 - 6 and (mask[7:9, 7:10] == 0).all()


def test_pictures_that_are_written_anew_lie_where_they_lay(folder: Folder) -> None:
    """16 bits are shown in 8; what was said of an earlier one in its place goes."""
    tags = {34264: (2.0, 0.0, 0.0, 500000.0, 0.0, -2.0, 0.0, 5000000.0, *[0.0] * 7, 1.0)}
    info: Any = tags | {34735: (1, 1, 0, 1, 3072, 0, 1, UTM)}
    folder.images.mkdir()
    Image.fromarray(np.full((30, 40), 3000, np.uint16)).save(folder.images / "a.tif", tiffinfo=info)
    Image.fromarray(np.full((30, 40), 3000, np.uint16)).save(folder.images / "b.tif")
    write(folder.path / "t.csv", "image,tags\na,roof\nb,roof\n")
    prepared = folder.prepare(tags=(folder.path / "t.csv",), white_level=4095, val=0.5)
    assert sample(prepared, "a").image.suffix == ".png"
    assert georeference(sample(prepared, "a").image) == georeference(folder.images / "a.tif")
    assert georeference(sample(prepared, "b").image) is None
    picture = sample(prepared, "a").image
    lay(picture, None)
    assert georeference(picture) is None and not list(picture.parent.glob("*.xml"))


WKT = 'PROJCS["WGS 84 / UTM zone 33N",GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]],AUTHORITY["EPSG","32633"]]'


@pytest.mark.parametrize(
    ("text", "epsg"),
    [
        (f"<PAMDataset><SRS>{WKT}</SRS><GeoTransform> 1.0e3, 2, 0, 5000, 0, -2</GeoTransform></PAMDataset>", UTM),
        ("<PAMDataset><GeoTransform>1000, 2, 0, 5000, 0, -2</GeoTransform></PAMDataset>", 0),
        ("<PAMDataset><Metadata/></PAMDataset>", None),
    ],
)
def test_what_gdal_writes_beside_a_picture(tmp_path: Path, text: str, epsg: int | None) -> None:
    write_image(tmp_path / "a.png", (40, 30))
    write(tmp_path / "a.png.aux.xml", text)
    found = georeference(tmp_path / "a.png")
    assert found == (None if epsg is None else Georeference((2, 0, 1000, 0, -2, 5000), (40, 30), epsg))


def exported(folder: Folder, names: Mapping[str, Path]) -> tuple[Source, Path]:
    """Label maps of pieces with holes on pictures of 40 x 30 pixels, exported as GeoJSON."""
    samples = []
    for n, (id, image) in enumerate(names.items()):
        values = ndimage.gaussian_filter(np.random.default_rng(n).random((30, 40)), 1)
        labels = np.digitize(values, np.quantile(values, [0.5, 0.8])).astype(np.uint8)
        write_labels(folder.path / "labels" / f"{id}.png", labels)
        samples.append(Sample(id, image, 40, 30, (1,), splits=("train",)))
    splits = {"train": "train", "val": "val", "seeds": "train"}
    data = Prepared(folder.path, DatasetInfo("toy", "toy", ("road", "roof"), splits, "drawn"), tuple(samples))
    source, _ = find_source(data, "train", folder.path / "labels", "drawn")
    return source, write_export(source, folder.path / "out", "geojson")


def test_what_is_exported_on_the_map_is_read_again(folder: Folder) -> None:
    names = {name: folder.images / f"{name}.tif" for name in ("area", "turned")}
    copy(GEO / "area.tif", names["area"])
    write_tiff(names["turned"], (3**0.5, -1, 700000, -1, -(3**0.5), 5000000))
    source, out = exported(folder, names)
    assert [path.name for path in out.iterdir()] == [f"EPSG_{UTM}.geojson"]
    prepared = prepared_of(folder, geojson=out / f"EPSG_{UTM}.geojson")
    for one in source.samples:
        assert (read_labels(sample(prepared, one.id).mask) == source.labels(one)).all()


def test_each_coordinate_system_has_a_file_and_pictures_without_one_too(folder: Folder) -> None:
    names = {name: folder.images / f"{name}.tif" for name in ("utm", "degrees", "own", "no")}
    write_tiff(names["utm"], (2, 0, 500000, 0, 2, 5000000))  # rows go north
    write_tiff(names["degrees"], (1e-5, 0, 15, 0, -1e-5, 45), epsg=4326)
    write_tiff(names["own"], epsg=0)
    write_image(names["no"], (40, 30))
    _, out = exported(folder, names)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert files == ["EPSG_32633.geojson", "EPSG_4326.geojson", "geojson/no.tif.geojson", "geojson/own.tif.geojson"]
    content = json.loads((out / "EPSG_4326.geojson").read_text())
    assert content["crs"]["properties"]["name"] == "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert {f["properties"]["image"] for f in content["features"]} == {"degrees"}
    for feature in [*content["features"], *json.loads((out / "EPSG_32633.geojson").read_text())["features"]]:
        outer = feature["geometry"]["coordinates"][0]
        x, y = np.array(outer[:-1]).T - np.array(outer[:1]).T
        assert outer[0] == outer[-1] and x @ np.roll(y, -1) > y @ np.roll(x, -1)  # counter-clockwise on the map


def test_what_gdal_writes_beside_pictures_is_no_annotation(folder: Folder) -> None:
    for name in ("a", "b"):
        write_tiff(folder.images / f"{name}.tif")
        write(folder.images / f"{name}.tif.aux.xml", "<PAMDataset><PAMRasterBand/></PAMDataset>")
        write(folder.images / f"{name}.xml", pascal(f"{name}.tif", [("roof", (5, 4, 20, 12))]))
    assert {s.boxes for s in folder.prepare(val=0.5).samples} == {(Box(1, 4, 3, 20, 12),)}


@pytest.mark.parametrize(
    "geometry", [None, {"type": "GeometryCollection", "geometries": [square(1, 1, 5)["geometry"]]}]
)
def test_a_feature_without_a_place_is_a_tag_in_pixels(tmp_path: Path, geometry: Any) -> None:
    """Its image gets no mask."""
    feature = {"type": "Feature", "properties": {"label": "cat"}, "geometry": geometry}
    (record,) = read_geojson(write(tmp_path / "a.geojson", json.dumps([feature]))).records
    assert record.tags == ("cat",) and record.shapeless == 1 and not record.unlabelled


@pytest.mark.parametrize(
    "coordinates",
    [[], [[]], [[[1, 1], [2, 2]]], "text", [[["x", 1], [2, 2], [3, 3]]], [[[10**400, 1], [2, 2], [3, 3]]]],
)
def test_polygons_that_cannot_be_read(tmp_path: Path, coordinates: Any) -> None:
    feature = {
        "type": "Feature",
        "properties": {"label": "cat"},
        "geometry": {"type": "Polygon", "coordinates": coordinates},
    }
    (record,) = read_geojson(write(tmp_path / "a.geojson", json.dumps([feature]))).records
    assert record.problem is not None and "a feature cannot be read" in record.problem.what


def test_coordinates_as_text_are_read(tmp_path: Path) -> None:
    feature = square(1, 9, 5, label="cat")
    feature["geometry"]["coordinates"] = [[[str(x), str(y)] for x, y in feature["geometry"]["coordinates"][0]]]
    (record,) = read_geojson(write(tmp_path / "a.geojson", json.dumps([feature]))).records
    assert record.problem is None and record.things[0].corners == (1, 4, 6, 9)


def test_degrees_on_pictures_in_degrees_are_no_pixels(folder: Folder) -> None:
    """A lake larger than a degree, whose numbers could be pixels of its picture."""
    for name in "ab":
        write_tiff(folder.images / f"{name}.tif", (0.25, 0, 5, 0, -0.25, 15), epsg=4326)
        write(folder.images / f"{name}.geojson", collection(square(6, 14, 2, label="lake"), crs=None))
    assert {s.boxes for s in prepared_of(folder).samples} == {(Box(1, 4, 4, 12, 12),)}


def test_pictures_with_world_files_take_the_coordinates_of_the_file(folder: Folder) -> None:
    for name in "ab":
        write_image(folder.images / f"{name}.jpg", (40, 30))
        write(folder.images / f"{name}.JGW".replace("JGW", "jgw"), "2\n0\n0\n-2\n500001\n4999999\n")
    write(folder.path / "roads.geojson", collection(square(500010, 4999990, 20, label="roof")))
    assert {s.boxes for s in prepared_of(folder).samples} == {(Box(1, 5, 5, 15, 15),)}


def test_a_turned_picture_is_nowhere(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    write(tmp_path / "a.jgw", "2\n0\n0\n-2\n500001\n4999999\n")
    assert georeference(tmp_path / "a.jpg") is None


@pytest.mark.parametrize("file", ["b.wld", "b.png.aux.xml", "b.png"])
def test_a_damaged_file_costs_no_other_image(folder: Folder, file: str) -> None:
    for name in "abc":
        write_image(folder.images / f"{name}.png", (40, 30))
        write(folder.path / f"geojson/{name}.geojson", collection(square(3, 14, 10, label="roof"), crs=None))
    write(folder.images / file, "<PAMDataset><GeoTransform>a,b,c,d,e,f</GeoTransform></PAMDataset>")
    prepared = folder.prepare(skip_bad=True, val=0.5)
    assert len(prepared.samples) == 3 - (file == "b.png")


def test_features_of_a_map_with_names_of_their_own(folder: Folder) -> None:
    for name in "ab":
        write_tiff(folder.images / f"{name}.tif")
    write(
        folder.path / "osm.geojson",
        collection(square(500010, 4999990, 20, name="City Hall"), square(500040, 4999990, 4)),
    )
    assert {len(s.boxes) for s in prepared_of(folder, classes="building").samples} == {2}


def test_codes_and_outlines_that_pyproj_does_not_convert(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_crs(source: int, target: int, always_xy: bool) -> Any:
        if source == 999999:
            raise RuntimeError("no such code")
        return SimpleNamespace(transform=lambda x, y: (np.where(x > 80, np.inf, x), y))

    monkeypatch.setitem(sys.modules, "pyproj", SimpleNamespace(Transformer=SimpleNamespace(from_crs=from_crs)))
    with pytest.raises(WsssError, match="pyproj does not convert EPSG:999999 to EPSG:32632: no such code"):
        reprojected(np.zeros((1, 2)), 999999, 32632)
    ring = np.array([[0.0, 0.0], [105, 0], [105, 50], [0, 50]])
    layer = Layer(Path("a.geojson"), (Feature("roof", ((ring,),), ring),), 4325)
    place = Georeference((1, 0, 0, 0, -1, 30), (40, 30), 32632)
    record = layer.record(Found(Path("a.tif"), "a.tif", "a"), place, "")
    assert record.problem is not None and "it reaches too far" in record.problem.what
