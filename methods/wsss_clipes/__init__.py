"""CLIP-ES: CLIP is Also an Efficient Segmenter (Lin et al., CVPR 2023)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage, StageOption

PROMPTS = StageOption(
    "--prompt-file",
    "names",
    "YAML, other words for classes: {class: words}",
    metavar="FILE",
    scored=True,
    later=True,
)

METHOD = Method(
    name="clipes",
    title="Masks from class names by frozen CLIP",
    paper="Lin, Chen, Wang, Wu, Li, Lin, Liu, He, CVPR 2023",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_clipes.stages:seeds", "wsss_clipes.config:Seeds", writes=(CAMS,), options=(PROMPTS,)),
        Stage("pseudo", "wsss_clipes.stages:pseudo", "wsss_clipes.config:Pseudo", ("seeds",), (LABELS,)),
        Stage("train", "wsss_cli.engine.segment:train", "wsss_cli.engine.segment:PlainSegment", ("pseudo",)),
    ),
    predictor="wsss_cli.engine.segment:predictor",
    full=("labels=masks",),
    propose="wsss_clipes.choices:propose",
)
