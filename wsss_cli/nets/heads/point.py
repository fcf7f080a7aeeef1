"""PointRend: a coarse prediction, refined point by point where it is least sure [Kirillov et al. 2020]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.fpn import Fpn, FpnHead
from wsss_cli.nets.heads.outputs import Map, Outputs, Points
from wsss_cli.nets.segmenter import Head


class PointRend(Head):
    """The last four maps of a backbone -> logits (B, K, H, W) at `refinements` doublings of the first of them.

    A semantic FPN predicts; each doubling asks a perceptron anew at the `test_points` least sure pixels, of the finest
    map of the pyramid and of the FPN's prediction.  In training it learns at `points` points, `sure_share` of them
    drawn uniformly, the others the least sure of `oversample` times as many.

    width  of the perceptron;  coarse_width, neck_width  of FPN and pyramid;  layers  of the perceptron
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 256,
        coarse_width: int = 128,
        neck_width: int = 256,
        layers: int = 3,
        points: int = 2048,
        oversample: float = 3.0,
        sure_share: float = 0.25,
        refinements: int = 2,
        test_points: int = 8196,
    ) -> None:
        super().__init__()
        used = channels[-4:]
        self.points, self.oversample, self.sure_share = points, oversample, sure_share
        self.refinements, self.test_points = refinements, test_points
        self.neck = Fpn(used, neck_width)
        self.coarse = FpnHead([neck_width] * len(used), strides[-4:], num_outputs, coarse_width, dropout=0.0)
        starts = [neck_width, *[width] * (layers - 1)]
        self.fcs = nn.ModuleList(PointConv(c + num_outputs, width) for c in starts)
        self.fc_seg = nn.Conv1d(width + num_outputs, num_outputs, 1)
        nn.init.normal_(self.fc_seg.weight, std=0.001)
        nn.init.zeros_(self.fc_seg.bias)  # type: ignore[arg-type]

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        """What the coarse prediction is made from."""
        return self.coarse.embeddings(self.neck(levels[-4:]))

    def classify(self, embeddings: Tensor) -> Tensor:
        """The coarse prediction."""
        return self.coarse.classify(embeddings)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        pyramid = self.neck(levels[-4:])
        return self.refine(pyramid[0], self.coarse(pyramid))

    def outputs(self, levels: Sequence[Tensor]) -> Outputs:
        pyramid = self.neck(levels[-4:])
        coarse = self.coarse(pyramid)
        points = draw_points(coarse.detach().float(), self.points, self.oversample, self.sure_share)
        logits = self.at_points(sample(pyramid[0], points), sample(coarse, points))
        return {"main": Map(coarse), "points": Points(logits, points)}

    def at_points(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Features (B, c, P) and coarse logits (B, K, P) of points -> their logits (B, K, P)."""
        x = torch.cat((fine, coarse), 1)
        for fc in self.fcs:
            x = torch.cat((fc(x), coarse), 1)
        return self.fc_seg(x)

    def refine(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Features (B, c, h, w) and coarse logits (B, K, h, w) -> logits (B, K, H, W), in float32."""
        refined = coarse.float()
        for _ in range(self.refinements):
            refined = F.interpolate(refined, scale_factor=2, mode="bilinear", align_corners=False)
            cells, points = least_sure(refined, self.test_points)
            logits = self.at_points(sample(fine, points), sample(coarse, points)).float()
            index = cells[:, None].expand_as(logits)  # (B, K, P)
            refined = refined.flatten(2).scatter(2, index, logits).view_as(refined)
        return refined


class PointConv(nn.Module):
    """A layer of the perceptron: (B, c, P) -> (B, width, P)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, width, 1)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


def sample(x: Tensor, points: Tensor) -> Tensor:
    """A map at points, bilinear, in float32: (B, c, h, w) and (B, P, 2) as x, y in [0, 1] -> (B, c, P)."""
    return F.grid_sample(x.float(), 2 * points[:, :, None] - 1, align_corners=False)[..., 0]


def unsureness(logits: Tensor) -> Tensor:
    """Second largest minus largest logit of each point: (B, K, P) -> (B, P), 0 the least sure."""
    first, second = logits.topk(2, dim=1).values.unbind(1)
    return second - first


def least_sure(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The least sure pixels of (B, K, h, w): their indices (B, P) and centres (B, P, 2)."""
    h, w = logits.shape[2:]
    cells = unsureness(logits.flatten(2)).topk(min(count, h * w), dim=1).indices
    centres = torch.stack(((cells % w + 0.5) / w, (cells // w + 0.5) / h), 2)
    return cells, centres


@torch.no_grad()
def draw_points(logits: Tensor, count: int, oversample: float, sure_share: float) -> Tensor:
    """Points of a prediction (B, K, h, w) to learn at: (B, count, 2), x and y in [0, 1]."""
    unsure, n = count - round(count * sure_share), len(logits)
    drawn = torch.rand(n, int(count * oversample), 2, device=logits.device)
    chosen = unsureness(sample(logits, drawn)).topk(unsure, dim=1).indices  # (B, unsure)
    hard = drawn.gather(1, chosen[..., None].expand(-1, -1, 2))
    return torch.cat((hard, torch.rand(n, count - unsure, 2, device=logits.device)), 1)
