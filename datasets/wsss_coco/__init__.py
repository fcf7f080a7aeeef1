"""COCO, or any data set in the format of COCO's instances JSON."""

from wsss_cli.dataset import Dataset

DATASET = Dataset(
    name="coco",
    title="COCO 2014, or any other set of images with an instances JSON",
    prepare="wsss_coco.prepare:prepare",
    config="wsss_coco.config:Options",
    resumes=True,
)
