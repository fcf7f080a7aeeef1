"""BCM: Box-driven Class-wise Region Masking and Filling Rate Guided Loss for WSSS (Song et al., CVPR 2019)."""

from wsss_cli.method import INSTANCES, LABELS, Artefact, Method, Stage

METHOD = Method(
    name="bcm",
    title="Box-driven class-wise masking",
    paper="Song, Huang, Ouyang, Wang, CVPR 2019",
    supervision="boxes",
    stages=(
        Stage("seeds", "wsss_bcm.seeds:seeds", "wsss_bcm.config:Seeds", writes=(LABELS,)),
        Stage("train", "wsss_bcm.training:train", "wsss_bcm.config:Train", needs=("seeds",)),
        Stage(
            "pseudo",
            "wsss_bcm.pseudo:pseudo",
            "wsss_bcm.config:Pseudo",
            needs=("seeds", "train"),
            writes=(LABELS, Artefact("labels", "labels_prob", "seeds where unsure"), INSTANCES),
        ),
    ),
    predictor="wsss_bcm.training:predictor",
    infer="wsss_bcm.config:Infer",
    full=("labels=masks",),
    propose="wsss_bcm.choices:propose",
)
