"""Multi-crop CAMs: batches against one cell at a time, as the released code goes; rough masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.multi_scale import scaled
from wsss_cli.cam.store import read_cam, write_cam
from wsss_cli.data.label_format import BYTE
from wsss_cli.data.prepared import Sample
from wsss_ppmg.cams import mean_maps, stored, unit_range
from wsss_ppmg.config import Grid, Rough, SeamNetwork
from wsss_ppmg.grid import cells
from wsss_ppmg.labels import rough_scores, sure_label
from wsss_ppmg.nets import SeamNet, build
from wsss_ppmg.rough import multi_scale_maps

GRID = Grid(scales=(0.75, 1.0, 1.6), crop=48, stride=32)


@pytest.fixture(scope="module")
def net() -> SeamNet:
    torch.manual_seed(0)
    return build(SeamNetwork(backbone="test_resnet", output_stride=8, freeze=None), 6).eval()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder, rng = tmp_path_factory.mktemp("cells"), np.random.default_rng(0)
    made = []
    for i, (width, height, tags) in enumerate([(70, 55, (2, 5)), (40, 64, (1,)), (70, 55, (3, 4, 6))]):
        small = rng.integers(0, 256, (height // 5, width // 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
        made.append(Sample(str(i), folder / f"{i}.png", width, height, tags))
    return made


@torch.inference_mode()
def one_by_one(net: SeamNet, sample: Sample) -> np.ndarray:
    """Every cell and every mirror image a forward pass, all classes, sums in float64."""
    picture = Image.open(sample.image)
    total, count = np.zeros((6, sample.height, sample.width)), np.zeros((sample.height, sample.width))
    for scale in GRID.scales:
        for cell in cells(sample.width, sample.height, scale, GRID.crop, GRID.stride):
            square = np.array(picture.crop(cell).resize((GRID.crop, GRID.crop), Image.Resampling.BILINEAR))
            x0, y0, x1, y1 = cell
            for mirror in (False, True):
                x = normalise(torch.from_numpy(square[:, ::-1].copy() if mirror else square)[None])
                maps = net.maps(x).revised[:, 1:]
                at = F.interpolate(maps, (y1 - y0, x1 - x0), mode="bilinear", align_corners=False)[0].numpy()
                total[:, y0:y1, x0:x1] += at[..., ::-1] if mirror else at
                count[y0:y1, x0:x1] += 1
    mean = (total / np.maximum(count, 1))[[t - 1 for t in sample.tags]]
    low, high = mean.min((1, 2), keepdims=True), mean.max((1, 2), keepdims=True)
    return (np.where(mean < low + 1e-5, 0, mean) - low) / (high - low + 1e-5)


@pytest.mark.parametrize("batch", [1, 5])
def test_batches_are_what_cells_are_one_by_one(net: SeamNet, samples: list[Sample], batch: int, tmp_path: Path) -> None:
    with torch.inference_mode():
        found = list(mean_maps(net, samples, GRID, batch))
    assert [sample for sample, _ in found] == samples
    for sample, maps in found:
        expected = one_by_one(net, sample)
        assert maps.shape == (len(sample.tags), sample.height, sample.width)
        np.testing.assert_allclose(maps, expected, atol=2e-4)
        write_cam(tmp_path / "a.npz", stored(maps, sample, full=True))
        back = read_cam(tmp_path / "a.npz")
        np.testing.assert_array_equal(back.full(), maps.numpy().astype(np.float16))
        assert back.class_ids.tolist() == list(sample.tags) and back.cam.shape[1:] == (
            -(-sample.height // 4),
            -(-sample.width // 4),
        )
        write_cam(tmp_path / "b.npz", stored(maps, sample, full=False))
        assert read_cam(tmp_path / "b.npz").full().shape == maps.shape
        assert (tmp_path / "b.npz").stat().st_size < (tmp_path / "a.npz").stat().st_size / 3


def test_the_range_is_the_released_one() -> None:
    maps = torch.tensor([[[0.2, 0.200001, 0.5, 1.2]]])
    torch.testing.assert_close(unit_range(maps), torch.tensor([[[-0.2, -0.2, 0.3, 1.0]]]), atol=1e-4, rtol=0)
    assert not unit_range(torch.zeros(1, 2, 2)).any()


@torch.inference_mode()
def test_rough_maps_of_several_images(net: SeamNet, samples: list[Sample]) -> None:
    pair = [samples[0], samples[2]]
    pyramids = [scaled(np.array(Image.open(s.image)), (0.5, 1.0)) for s in pair]
    found = multi_scale_maps(net, pyramids, [s.tags for s in pair], (55, 70))
    for sample, pyramid, maps in zip(pair, pyramids, found):
        torch.testing.assert_close(maps, _rough_by_hand(net, pyramid, sample.tags), atol=2e-4, rtol=0)
        assert maps.shape == (len(sample.tags), 55, 70) and maps.min() >= 0 and maps.max() <= 1


def _rough_by_hand(net: SeamNet, pyramid: Sequence[np.ndarray], tags: tuple[int, ...]) -> Tensor:
    total = torch.zeros(6, 55, 70)
    for image in pyramid:
        x = normalise(torch.from_numpy(image)[None])
        for mirror in (False, True):
            maps = net.maps(x.flip(-1) if mirror else x).revised[:, 1:]
            at = F.interpolate(maps, (55, 70), mode="bilinear", align_corners=False)[0]
            total += at.flip(-1) if mirror else at
    maps = total[[t - 1 for t in tags]]
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return torch.where(maps < low + 1e-5, 0, (maps - low - 1e-5) / (high - low + 1e-5))


def test_sure_pixels_are_labelled() -> None:
    image = torch.full((20, 30, 3), 128, dtype=torch.uint8)
    cams = torch.zeros(2, 20, 30)
    cams[0, :, :10], cams[1, :, 20:] = 1.0, 0.6
    prob = rough_scores(image, cams, Rough())
    assert prob.shape == (3, 20, 30)
    torch.testing.assert_close(prob.sum(0), torch.ones(20, 30))
    label = sure_label(prob, (4, 7), 0.9, BYTE)
    assert set(label.unique().tolist()) <= {0, 4, 7, 255} and label.dtype == torch.uint8
    given = torch.tensor([[0.95, 0.2, 0.5], [0.05, 0.8, 0.0], [0.0, 0.0, 0.5]])[:, None]  # (3, 1, 3)
    assert sure_label(given, (4, 7), 0.75, BYTE).tolist() == [[0, 4, 255]]
