"""Plain CAMs as a third party adds them: the host's classifier, its CAMs' label maps, a network trained on those."""

from wsss_cli.method import LABELS, Artefact, Method, Stage

CAMS = Artefact("cam", "cam", background="pseudo.background")

METHOD = Method(
    name="plain_cam",
    title="Plain class activation maps",
    paper="Zhou et al., CVPR 2016",
    supervision="tags",
    stages=(
        Stage("seeds", "wsss_cli.classifier.stages:seeds", "wsss_cli.classifier.config:Seeds", writes=(CAMS,)),
        Stage("pseudo", "wsss_cli.classifier.stages:pseudo", "wsss_plain_cam.config:Pseudo", ("seeds",), (LABELS,)),
        Stage("train", "wsss_cli.engine.segment:train", "wsss_cli.engine.segment:Segment", needs=("pseudo",)),
    ),
    predictor="wsss_cli.engine.segment:predictor",
    full=("labels=masks",),
)
