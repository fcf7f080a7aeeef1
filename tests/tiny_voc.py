"""A VOC devkit of a few generated images, in the official layout, for tests to use and to spoil."""

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from wsss_cli.data.labels import write_labels

SIZE = (48, 36)  # width, height
CLASSES = {"cat": 8, "dog": 12, "person": 15}  # VOC's ids
TRAIN, TRAIN_AUG, VAL = ("img_0", "img_1"), ("img_0", "img_1", "img_2", "img_3"), ("img_4", "img_5")

Object = tuple[str, Sequence[float | str]]  # name; xmin, ymin, xmax, ymax as VOC writes them, 1-based inclusive


def tiny_voc(folder: Path, masks: Iterable[str] = ("SegmentationClass", "SegmentationClassAug")) -> Path:
    """Build VOCdevkit/VOC2012 in `folder` with the lists above; returns the folder VOC2012."""
    devkit = folder / "VOCdevkit" / "VOC2012"
    for number in range(6):
        name = list(CLASSES)[number % 3]
        x, y = 5 + 3 * number, 4 + 2 * number
        write_annotation(devkit, f"img_{number}", [(name, (x + 1, y + 1, x + 16, y + 12))])
        write_image(devkit, f"img_{number}", (x, y, x + 16, y + 12))
        labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        labels[y : y + 12, x : x + 16] = CLASSES[name]
        labels[y - 1, x : x + 16] = 255
        for sub in masks:
            write_labels(devkit / sub / f"img_{number}.png", labels)
    for split, ids in (("train", TRAIN), ("train_aug", TRAIN_AUG), ("val", VAL)):
        write_list(devkit, split, ids)
    return devkit


def write_image(devkit: Path, id: str, box: tuple[int, int, int, int]) -> Path:
    """Noise with a brighter half-open box, as JPEG."""
    rng = np.random.default_rng(len(id))
    pixels = rng.integers(0, 100, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] += 120
    path = devkit / "JPEGImages" / f"{id}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)
    return path


def write_annotation(devkit: Path, id: str, objects: Iterable[Object], size: tuple[int, int] = SIZE) -> Path:
    """An XML as VOC's, with <size> and one <object> per item."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    rows = [
        f"<object><name>{name}</name><difficult>1</difficult><bndbox>"
        + "".join(f"<{c}>{v}</{c}>" for c, v in zip(corners, box, strict=True))
        + "</bndbox><part><name>head</name></part></object>"
        for name, box in objects
    ]
    path = devkit / "Annotations" / f"{id}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"<filename>{id}.jpg</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"
    path.write_text(f"<annotation>{head}{''.join(rows)}</annotation>", encoding="utf-8")
    return path


def write_list(devkit: Path, split: str, lines: Iterable[str]) -> Path:
    """ImageSets/Segmentation/<split>.txt."""
    path = devkit / "ImageSets" / "Segmentation" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def voc_archive(devkit: Path, path: Path) -> Path:
    """The devkit as VOCtrainval_11-May-2012.tar is built: everything below VOCdevkit/VOC2012."""
    with tarfile.open(path, "w") as tar:
        tar.add(devkit, "VOCdevkit/VOC2012")
    return path


def sbd_archive(path: Path, masks: Mapping[str, NDArray[np.uint8] | bytes], also: Iterable[str] = ()) -> Path:
    """As SBD's benchmark.tgz: dataset/cls/<id>.mat of masks (or of bytes as they are), train.txt and val.txt.

    also  ids on the lists without a file
    """
    ids = [*masks, *also]
    files = {
        "benchmark_code_RELEASE/demo/datadir/cls/2008_000051.mat": b"of the code's own demonstration",
        "dataset/train.txt": "".join(f"{id}\n" for id in ids[1:]).encode(),
        "dataset/val.txt": f"{ids[0]}\n".encode(),
        **{f"dataset/img/{id}.jpg": b"not needed" for id in ids},
        **{f"dataset/cls/{id}.mat": m if isinstance(m, bytes) else mat(m) for id, m in masks.items()},
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"benchmark_RELEASE/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def mat(labels: NDArray[np.uint8]) -> bytes:
    """A label map as SBD stores it: the struct GTcls of boundaries, segmentation and classes."""
    present = np.unique(labels[labels > 0])[:, None]
    struct = {"Boundaries": np.zeros((20, 1), object), "Segmentation": labels, "CategoriesPresent": present}
    file = io.BytesIO()
    savemat(file, {"GTcls": struct}, do_compression=True)
    return file.getvalue()
