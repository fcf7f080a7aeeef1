"""IRN: Weakly Supervised Learning of Instance Segmentation with Inter-pixel Relations (Ahn, Cho, Kwak, CVPR 2019)."""

from wsss_cli.method import CAMS, CONFIDENCE, INSTANCES, LABELS, Artefact, Method, Stage

WALKED = Artefact("scores", "walked", background="pseudo.walk.background", read="wsss_irn.walking:read_walked")

METHOD = Method(
    name="irn",
    title="Inter-pixel relation network",
    paper="Ahn, Cho, Kwak, CVPR 2019",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_irn.stages:seeds", "wsss_irn.config:Seeds", writes=(CAMS,)),
        Stage(
            "pseudo",
            "wsss_irn.stages:pseudo",
            "wsss_irn.config:Pseudo",
            needs=("seeds",),
            writes=(LABELS, CONFIDENCE, INSTANCES, WALKED),
        ),
        Stage("train", "wsss_irn.stages:train", "wsss_irn.config:Train", needs=("pseudo",)),
    ),
    predictor="wsss_irn.stages:predictor",
    infer="wsss_cli.classifier.gate:Infer",
    infer_needs=("train", "seeds"),
    full=("labels=masks",),
    propose="wsss_irn.choices:propose",
)
