"""Images a second of `wsss infer` with the dense CRF: ResNet-50 DeepLabV3+, random weights, drawn images of 500 x 375.

Beside it the same of another checkout, if `--beside` names its folder, else the same without the CRF.
python -m bench.predict [--device D] [--beside FOLDER] [--images N] [--tiny]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.device import DEVICES, described
from bench.row import Row, table
from wsss_cli.ranks.distributed import choose_device

IMAGES = 300


def main(device: str, images: int, tiny: bool, beside: str | None) -> list[Row]:
    size, backbone = (64, "test_resnet") if tiny else (500, "resnet50")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _wsss(folder, None, "prepare", "shapes", "--train", "6", "--val", str(images), "--size", str(size))
        net = (f"net.backbone={backbone}", "net.pretrained=none", "loop.iterations=1", "loop.batch=2", "labels=masks")
        _wsss(folder, None, "train", "irn", *net, "--device", device)
        ours = images / _infer(folder, None, device, crf=True)
        theirs = images / _infer(folder, beside, device, crf=beside is not None)
    note = f"{backbone}, {images} images of {size}; beside: {'the other checkout' if beside else 'without the CRF'}"
    return [Row("infer with CRF, images/s", ours, theirs, ours / theirs, note)]


def _infer(folder: Path, source: str | None, device: str, crf: bool) -> float:
    """Seconds of the stage, made anew."""
    _wsss(folder, source, "infer", "irn", f"crf={str(crf).lower()}", "--force", "--device", device)
    return json.loads(next(folder.glob("runs/shapes/irn/default/infer/stage.json")).read_text())["seconds"]


def _wsss(folder: Path, source: str | None, *words: str) -> None:
    """Run a command of this checkout or of the one in `source`. Raises RuntimeError with what it said if it fails."""
    root = Path(source).absolute() if source else Path(__file__).parents[1]
    path = os.pathsep.join([*(str(root / part) for part in (".", "methods", "datasets")), os.getenv("PYTHONPATH", "")])
    command, there = [sys.executable, "-m", "wsss_cli", *words], os.environ | {"PYTHONPATH": path}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=there)
    if ran.returncode:
        raise RuntimeError(f"wsss {' '.join(words)}: {ran.stderr}{ran.stdout}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--beside", metavar="FOLDER", help="another checkout, timed in the same run")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--tiny", action="store_true", help="a small network and images, to see that it runs")
    given = parser.parse_args()
    print(described(choose_device(given.device)))
    print(table(main(given.device, 6 if given.tiny else given.images, given.tiny, given.beside)))
