"""What CLIP is told of classes and background. Imports no torch: configurations hold it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from wsss_cli.config import Config, read_yaml
from wsss_cli.data.prepared import class_id
from wsss_cli.places import Place

BACKGROUND = (
    *("ground", "land", "grass", "tree", "building", "wall", "sky", "lake", "water", "river", "sea", "railway"),
    *("railroad", "keyboard", "helmet", "cloud", "house", "mountain", "ocean", "road", "rock", "street", "valley"),
    *("bridge", "sign"),
)
"""CLIP-ES' names of what is not a class of PASCAL VOC."""

_BOTH = {"bird": "bird avian", "person": "person with clothes,people,human"}
SPELLINGS: dict[str, dict[str, str]] = {
    "own": {},
    "voc": _BOTH | {"chair": "chair seat", "tvmonitor": "tvmonitor screen"},
    "coco": _BOTH
    | {
        "airplane": "aeroplane",
        "motorcycle": "motorbike",
        "couch": "sofa",
        "potted plant": "pottedplant",
        "dining table": "diningtable",
        "tv": "tvmonitor screen",
        "chair": "chair seat",
        "backpack": "backpack,bag",
        "umbrella": "umbrella,parasol",
        "handbag": "handbag,purse",
        "tie": "necktie",
        "snowboard": "sknowboard",
        "baseball glove": "glove",
        "spoon": "dessertspoon",
        "remote": "remote control",
        "hair drier": "hairdrier,blowdrier",
    },
}
"""CLIP-ES' words for classes so called, misspelt where they are there."""


class Names(Config):
    """What CLIP is told of classes and background; defaults are CLIP-ES'."""

    spellings: Literal["own", "voc", "coco"] = Field(
        "own", description="own: classes are called as in the data set; voc, coco: as CLIP-ES calls those that it knows"
    )
    names: dict[str, str] = Field(
        {}, description='other words for classes, {aeroplane: "a passenger jet"}; or a YAML FILE of them'
    )
    background: tuple[str, ...] = Field(
        BACKGROUND, description="what images show besides; names that are a class's are left out"
    )
    template: str = Field("a clean origami {}.", description="the sentence that a name is put into")
    features: Annotated[str, Place("file", ("open_clip", "random"))] = Field(
        "open_clip",
        description="open_clip: computed by CLIP's text transformer (extra `clip`); random: of no meaning, to try a "
        "random network; or a FILE, the text.npz that another run has left",
    )
    model: str = Field("ViT-B-16-quickgelu", description="open_clip's name of the CLIP")
    weights: str = Field("openai", description="open_clip's name of its weights, downloaded, or a FILE of them")

    @field_validator("names", mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        """What a file says is the setting: a changed file is another one."""
        return read_yaml(Path(given).expanduser()) if isinstance(given, str) else given


def prompts(names: Names, classes: Sequence[str]) -> tuple[list[str], list[str]]:
    """The sentences for each class and for background.  Raises WsssError if a name is given to no class."""
    for given in names.names:
        class_id(given, tuple(classes))
    words = SPELLINGS[names.spellings] | names.names
    called = [words.get(c, c) for c in classes]
    taken = {word.lower() for word in (*classes, *called)}
    others = [name for name in names.background if name.lower() not in taken]
    return [names.template.format(x) for x in called], [names.template.format(x) for x in others]
