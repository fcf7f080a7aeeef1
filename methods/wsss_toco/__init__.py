"""ToCo: Token Contrast for Weakly-Supervised Semantic Segmentation (Ru et al., CVPR 2023)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage

METHOD = Method(
    name="toco",
    title="Token contrast: a single-stage vision transformer",
    paper="Ru, Zheng, Zhan, Du, CVPR 2023",
    supervision="tags",
    stages=(
        Stage("train", "wsss_toco.stages:train", "wsss_toco.config:Train"),
        Stage("seeds", "wsss_toco.stages:seeds", "wsss_cli.single_stage.config:Seeds", ("train",), (CAMS,)),
        Stage("pseudo", "wsss_toco.stages:pseudo", "wsss_cli.single_stage.config:Pseudo", ("seeds",), (LABELS,)),
    ),
    predictor="wsss_toco.stages:predictor",
    infer="wsss_cli.single_stage.config:Infer",
    propose="wsss_toco.choices:propose",
)
