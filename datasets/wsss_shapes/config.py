"""The options of `wsss prepare shapes`."""

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import Config


class Options(Config):
    """How many scenes, how large, and from which seed; the same options give the same pixels on every machine."""

    train: int = Field(
        240, ge=6, le=bounds.COUNT, description="images to learn from; image i does not depend on how many there are"
    )
    val: int = Field(80, ge=6, le=bounds.COUNT, description="images to score on")
    size: int = Field(128, ge=64, le=1024, description="longer side in pixels; a scene is 4:3, 3:4 or square")
    seed: int = Field(0, ge=0, le=bounds.SEED, description="another seed, other scenes")
