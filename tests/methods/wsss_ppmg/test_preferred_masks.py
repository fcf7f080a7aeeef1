"""train.masks=prefer beside the method's own settings."""

from pathlib import Path

from wsss_cli.context import Context
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_ppmg.config import Train


def test_raw_coco_ids_are_no_masks_ids() -> None:
    sample = Sample("a", Path("a.jpg"), 9, 9, (1,), mask=Path("a.png"), splits=("train",))
    info = DatasetInfo("x", "folder", ("cat",), {"train": "train", "val": "val", "seeds": "train"}, "")
    context = Context(
        Prepared(Path(), info, (sample,)), 1, {"pseudo": Path("pseudo")}, {"pseudo": {"labels": ["a.png"]}}
    )
    for masks, raw, refused in (("prefer", True, 1), ("ignore", True, 0), ("prefer", False, 0)):
        told = [str(error) for error in Train(masks=masks, raw_coco_ids=raw).problems(context, "train")]
        assert sum("train.raw_coco_ids is of every label map" in text for text in told) == refused
