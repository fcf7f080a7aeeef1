"""LOC-BE: Local optimization cropping and boundary enhancement (Wang et al., CVIU 2025)."""
