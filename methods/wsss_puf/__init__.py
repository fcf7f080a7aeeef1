"""PUF: Progressive Feature Self-Reinforcement for Weakly Supervised Semantic Segmentation (He et al., AAAI 2024)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage, StageOption

WEIGHTS = StageOption(
    "--weights",
    "weights",
    "the network that is asked, of the two that training keeps",
    ("student", "teacher"),
    scored=True,
)

METHOD = Method(
    name="puf",
    title="Progressive feature self-reinforcement",
    paper="He, Cheng, Fang, Feng, Mu, Song, AAAI 2024",
    supervision="tags",
    stages=(
        Stage("train", "wsss_puf.stages:train", "wsss_puf.config:Train"),
        Stage(
            "seeds",
            "wsss_puf.stages:seeds",
            "wsss_puf.config:Seeds",
            needs=("train",),
            writes=(CAMS,),
            options=(WEIGHTS,),
        ),
        Stage(
            "pseudo",
            "wsss_puf.stages:pseudo",
            "wsss_cli.single_stage.config:Pseudo",
            needs=("seeds",),
            writes=(LABELS,),
        ),
    ),
    predictor="wsss_puf.stages:predictor",
    infer="wsss_puf.config:Infer",
    infer_options=(WEIGHTS,),
    propose="wsss_puf.choices:propose",
)
