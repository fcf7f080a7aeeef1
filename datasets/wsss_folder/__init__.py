"""Your own images with whatever annotations there are."""

from wsss_cli.dataset import Dataset

DATASET = Dataset(
    name="folder",
    title="your own images: tags, class folders, COCO, YOLO, VOC, Label Studio, CVAT, labelme, Supervisely, GeoJSON",
    prepare="wsss_folder.prepare:prepare",
    config="wsss_folder.config:Options",
    own="wsss_folder.automatic:options",
)
