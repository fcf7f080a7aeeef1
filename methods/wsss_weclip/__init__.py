"""WeCLIP: Frozen CLIP, a strong backbone for weakly supervised semantic segmentation (Zhang et al., CVPR 2024)."""

from wsss_cli.method import CAMS, LABELS, Method, Stage, StageOption

PROMPTS = StageOption(
    "--prompt-file",
    "text.names",
    "YAML, other words for classes: {class: words}",
    metavar="FILE",
    scored=True,
    later=True,
)

METHOD = Method(
    name="weclip",
    title="A small decoder on frozen CLIP",
    paper="Zhang, Yu, Wei, Zhao, Xiao, CVPR 2024",
    supervision="tags",
    stages=(
        Stage("train", "wsss_weclip.stages:train", "wsss_weclip.config:Train", options=(PROMPTS,)),
        Stage("seeds", "wsss_weclip.stages:seeds", "wsss_weclip.config:Seeds", ("train",), (CAMS,)),
        Stage("pseudo", "wsss_weclip.stages:pseudo", "wsss_weclip.config:Pseudo", ("seeds",), (LABELS,)),
    ),
    predictor="wsss_weclip.stages:predictor",
    infer="wsss_weclip.config:Infer",
    propose="wsss_weclip.choices:propose",
)
