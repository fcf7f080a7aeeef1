"""BECO: Boundary-enhanced Co-training for Weakly Supervised Semantic Segmentation (Rong et al., CVPR 2023)."""

from wsss_cli.method import CAMS, CONFIDENCE, LABELS, Method, Stage, StageOption
from wsss_irn import WALKED

CONFIDENCE_MASKS = StageOption(
    "--confidence", "confidence", "with --pseudo: learn where this folder of masks trusts them", metavar="DIR"
)

METHOD = Method(
    name="beco",
    title="Boundary-enhanced co-training",
    paper="Rong, Tu, Wang, Li, CVPR 2023",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_irn.stages:seeds", "wsss_irn.config:Seeds", writes=(CAMS,)),
        Stage(
            "pseudo",
            "wsss_irn.stages:pseudo",
            "wsss_beco.config:Pseudo",
            needs=("seeds",),
            writes=(LABELS, CONFIDENCE, WALKED),
        ),
        Stage(
            "train", "wsss_beco.stages:train", "wsss_beco.config:Train", needs=("pseudo",), options=(CONFIDENCE_MASKS,)
        ),
    ),
    predictor="wsss_beco.stages:predictor",
    infer="wsss_beco.config:Infer",
    infer_needs=("train", "seeds"),
    full=("labels=masks",),
    propose="wsss_beco.choices:propose",
)
