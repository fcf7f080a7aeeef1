"""The settings that differ from the host's."""

from pydantic import Field

from wsss_cli.classifier import config


class Pseudo(config.Pseudo):
    background: float = Field(0.2, ge=0, le=1, description="share of the peak [Zhou et al. 2016, sec. 3.1]")
