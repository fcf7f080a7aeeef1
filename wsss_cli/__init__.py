"""wsss: weakly supervised semantic segmentation, from image tags or boxes to masks."""

__version__ = "0.1.0"
