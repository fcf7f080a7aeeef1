"""The options of `wsss prepare dots`; the command line reads them, so nothing heavy is imported here."""

from pydantic import Field

from wsss_cli.config import Config


class Options(Config):
    images: int = Field(12, gt=0, description="pictures; a third of them are for validation")
    seed: int = Field(0, description="seed of the pictures")
