"""PUF: Progressive Feature Self-Reinforcement for Weakly Supervised Semantic Segmentation (He et al., AAAI 2024)."""

from wsss_cli.method import Method, Stage

METHOD = Method(
    name="puf",
    title="Progressive feature self-reinforcement",
    paper="He, Cheng, Fang, Feng, Mu, Song, AAAI 2024",
    supervision="tags",
    stages=(
        Stage("train", "wsss_puf.stages:train", "wsss_puf.config:Train"),
        Stage("seeds", "wsss_puf.stages:seeds", "wsss_puf.config:Seeds", needs=("train",), writes=("cam",)),
        Stage(
            "pseudo",
            "wsss_puf.stages:pseudo",
            "wsss_cli.single_stage.config:Pseudo",
            needs=("seeds",),
            writes=("labels",),
        ),
    ),
    predictor="wsss_puf.stages:predictor",
    infer="wsss_puf.config:Infer",
)
