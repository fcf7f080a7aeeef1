"""The version, which the package and its metadata have from here."""

__version__ = "0.1.0"
