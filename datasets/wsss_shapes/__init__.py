"""Generated scenes that show what weak supervision is about, in seconds and without a download."""

from wsss_cli.dataset import Dataset

DATASET = Dataset(
    name="shapes",
    title="generated scenes of six textured classes: no download, learnt in minutes",
    prepare="wsss_shapes.prepare:prepare",
    config="wsss_shapes.config:Options",
)
