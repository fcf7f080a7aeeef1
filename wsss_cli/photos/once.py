"""What a photo costs beside the network: it is read, enlarged to, written and drawn over, for its time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F

from wsss_cli.data.images import read_unchecked
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.long_side import smaller
from wsss_cli.data.picture import Reading
from wsss_cli.photos.find import Photo
from wsss_cli.photos.predict import Seen, write_results
from wsss_cli.refine.crf_config import DEEPLAB

CELLS = 16  # pixels of a blob of the scores: of the stride of a network's last map


def photo_once(path: Path, how: Reading, long_side: int | None, outputs: int) -> None:
    """Label map and overlay of a photo, of random scores of `outputs` classes that change as a network's do."""
    photo = read_unchecked(path, how)
    image = smaller(photo, long_side)
    height, width = image.shape[:2]
    noise = torch.rand(1, outputs, height // CELLS // 4 + 1, width // CELLS // 4 + 1)
    scores = F.interpolate(4 * noise, (height, width), mode="bilinear")[0].softmax(0)
    with TemporaryDirectory(prefix="wsss-") as folder:
        places = {kind: Path(folder) / kind for kind in ("labels", "overlay")}
        write_results(Photo(path, path.stem), Seen(photo, image, "", scores), places, DEEPLAB, voc_palette(outputs))
