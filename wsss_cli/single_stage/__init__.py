"""What the methods share that train class activation maps and segmentation in one network: ToCo, LOC-BE, PUF."""
