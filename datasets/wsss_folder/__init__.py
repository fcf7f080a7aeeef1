"""Your own images with whatever annotations there are."""

from wsss_cli.dataset import Dataset

DATASET = Dataset(
    name="folder",
    title="your own images: tags CSV, class folders, COCO, YOLO, Pascal XML, Label Studio, CVAT, labelme, VIA, masks",
    prepare="wsss_folder.prepare:prepare",
    config="wsss_folder.config:Options",
    own="wsss_folder.automatic:options",
)
