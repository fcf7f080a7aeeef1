"""LOC-BE: Local optimization cropping and boundary enhancement (Wang et al., CVIU 2025)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage

METHOD = Method(
    name="locbe",
    title="Local optimisation cropping and boundary enhancement",
    paper="Wang, Zeng, Wang, Zhou, CVIU 2025",
    supervision="tags",
    stages=(
        Stage("train", "wsss_locbe.stages:train", "wsss_locbe.config:Train"),
        Stage("seeds", "wsss_locbe.stages:seeds", "wsss_cli.single_stage.config:Seeds", ("train",), (CAMS,)),
        Stage(
            "pseudo",
            "wsss_cli.single_stage.dump:make_labels",
            "wsss_cli.single_stage.config:Pseudo",
            ("seeds",),
            (LABELS,),
        ),
    ),
    predictor="wsss_locbe.stages:predictor",
    infer="wsss_cli.single_stage.config:Infer",
    propose="wsss_locbe.choices:propose",
)
