"""A method that learns the colours of dots, and the pictures of dots to learn them from."""

from wsss_cli.dataset import Dataset
from wsss_cli.method import CAMS, LABELS, Method, Stage, StageOption

RATE = StageOption("--lr", "lr", "learning rate")

METHOD = Method(
    name="toy",
    title="Colours of dots",
    paper="none",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_toy.stages:seeds", "wsss_toy.config:Seeds", writes=(CAMS,)),
        Stage("pseudo", "wsss_toy.stages:pseudo", "wsss_toy.config:Pseudo", needs=("seeds",), writes=(LABELS,)),
        Stage("train", "wsss_toy.stages:train", "wsss_toy.config:Train", needs=("pseudo",), options=(RATE,)),
    ),
    predictor="wsss_toy.stages:predictor",
    full=("labels=masks",),
)

DATASET = Dataset(
    name="dots", title="Pictures of coloured dots", prepare="wsss_toy.dots:prepare", config="wsss_toy.options:Options"
)
