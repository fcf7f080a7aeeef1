"""PPMG: Pseudo-mask Matters in Weakly-supervised Semantic Segmentation (Li, Kuang, Liu, Chen, Zhang, ICCV 2021)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage

METHOD = Method(
    name="ppmg",
    title="Pseudo-mask matters",
    paper="Li, Kuang, Liu, Chen, Zhang, ICCV 2021",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_ppmg.stages:seeds", "wsss_ppmg.config:Seeds", writes=(CAMS,)),
        Stage("pseudo", "wsss_ppmg.stages:pseudo", "wsss_ppmg.config:Pseudo", needs=("seeds",), writes=(LABELS,)),
        Stage("train", "wsss_ppmg.stages:train", "wsss_ppmg.config:Train", needs=("pseudo",)),
    ),
    predictor="wsss_ppmg.stages:predictor",
    infer="wsss_ppmg.config:Infer",
    full=("labels=masks", "under_fitting.kind=off", "cyclic.enabled=false"),
    propose="wsss_ppmg.choices:propose",
)
