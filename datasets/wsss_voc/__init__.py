"""PASCAL VOC 2012 with SBD: downloaded, from archives, or from a devkit on disk."""

from wsss_cli.dataset import Dataset

DATASET = Dataset(
    name="voc",
    title="PASCAL VOC 2012 segmentation with SBD: downloaded, from archives, or from a devkit on disk",
    prepare="wsss_voc.prepare:prepare",
    config="wsss_voc.config:Options",
)
