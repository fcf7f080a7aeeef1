"""A method that learns the colours of dots, and the pictures of dots to learn them from."""

from wsss_cli.dataset import Dataset
from wsss_cli.method import Method, Stage

METHOD = Method(
    name="toy",
    title="Colours of dots",
    paper="none",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_toy.stages:seeds", "wsss_toy.config:Seeds", writes=("cam",)),
        Stage("pseudo", "wsss_toy.stages:pseudo", "wsss_toy.config:Pseudo", needs=("seeds",), writes=("labels",)),
        Stage("train", "wsss_toy.stages:train", "wsss_toy.config:Train", needs=("pseudo",)),
    ),
    predictor="wsss_toy.stages:predictor",
)

DATASET = Dataset(
    name="dots", title="Pictures of coloured dots", prepare="wsss_toy.dots:prepare", config="wsss_toy.options:Options"
)
