"""The Mix Transformer, SegFormer's encoder [Xie et al. 2021, sec. 3.1], with the tensor names of its released files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from timm.layers import DropPath
from timm.models import FeatureInfo
from torch import Tensor, nn

from wsss_cli.errors import WsssError

STRIDES = {8: (4, 2, 1, 1), 16: (4, 2, 2, 1), 32: (4, 2, 2, 2)}
"""Of the four stages, by output stride; the published one is 32."""

HEADS, RATIOS = (1, 2, 5, 8), (8, 4, 2, 1)
"""Attention heads of the four stages; how many times fewer rows and columns their keys and values have."""

SMALLEST = 29
"""Side of the smallest image: its map of stride 4 has 8 rows, of which keys and values take every eighth."""


class MixTransformer(nn.Module):
    """Images (B, 3, H, W) -> four maps (B, dims[i], h, w), of strides 4, 8, 16, 32 unless `output_stride` is less.

    dims, depths    channels and blocks of each stage
    drop_path_rate  chance that the last block's branches are left out, growing from 0 at the first
    Raises WsssError: no such output stride; images below 29 x 29.
    """

    def __init__(
        self, dims: Sequence[int], depths: Sequence[int], output_stride: int = 32, drop_path_rate: float = 0.1
    ) -> None:
        super().__init__()
        if output_stride not in STRIDES:
            raise WsssError(f"a Mix Transformer has no output stride {output_stride}", "choose 8, 16 or 32")
        blocks = sum(depths)
        rates = iter([drop_path_rate * i / max(blocks - 1, 1) for i in range(blocks)])
        info, channels, reduction = [], 3, 1
        for i, stride in enumerate(STRIDES[output_stride]):
            dim, n = dims[i], i + 1
            stage = [Block(dim, HEADS[i], RATIOS[i], next(rates)) for _ in range(depths[i])]
            self.add_module(f"patch_embed{n}", PatchEmbed(channels, dim, 7 if i == 0 else 3, stride))
            self.add_module(f"block{n}", nn.ModuleList(stage))
            self.add_module(f"norm{n}", nn.LayerNorm(dim, eps=1e-6))
            channels, reduction = dim, reduction * stride
            info.append({"num_chs": dim, "reduction": reduction, "module": f"norm{n}"})
        self.feature_info = FeatureInfo(info, out_indices=(0, 1, 2, 3))
        self.apply(initialise)

    def forward(self, images: Tensor) -> list[Tensor]:
        if min(images.shape[2:]) < SMALLEST:
            what = f"a Mix Transformer needs images of at least {SMALLEST} x {SMALLEST}, not {tuple(images.shape[2:])}"
            raise WsssError(what, "leave out small images or scales, or choose a convolutional backbone")
        levels, x = [], images
        for n in (1, 2, 3, 4):
            x, size = self.get_submodule(f"patch_embed{n}")(x)  # (B, h * w, C)
            for block in self.get_submodule(f"block{n}").children():
                x = block(x, size)
            x = to_map(self.get_submodule(f"norm{n}")(x), size)  # (B, C, h, w)
            levels.append(x)
        return levels


class PatchEmbed(nn.Module):
    """Overlapping patches: a strided convolution, then layer norm.  (B, c, H, W) -> tokens (B, h * w, C) and (h, w)."""

    def __init__(self, channels: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, kernel, stride, padding=kernel // 2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> tuple[Tensor, torch.Size]:
        x = self.proj(x)  # (B, C, h, w)
        return self.norm(to_tokens(x)), x.shape[2:]


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)); tokens (B, N, C) of a map of `size`, N = h * w."""

    def __init__(self, dim: int, heads: int, ratio: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads, ratio)
        self.drop_path = DropPath(drop_path)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MixMLP(dim, 4 * dim)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x), size))
        return x + self.drop_path(self.mlp(self.norm2(x), size))


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V, with K and V from a map `ratio` times smaller on either side [eq. 1, 2]."""

    def __init__(self, dim: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(dim, dim)
        self.kv = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)
        self.shrinks = ratio > 1
        if self.shrinks:
            self.sr = nn.Conv2d(dim, dim, ratio, ratio)
            self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        few = self.norm(to_tokens(self.sr(to_map(x, size)))) if self.shrinks else x  # (B, M, C), M = N / ratio^2
        q = self.q(x).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, d)
        k, v = self.kv(few).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, M, d) each
        x = F.scaled_dot_product_attention(q, k, v)  # (B, heads, N, d)
        return self.proj(x.transpose(1, 2).flatten(2))  # (B, N, C)


class MixMLP(nn.Module):
    """Two linear layers with a depthwise 3x3 between, which tells the tokens where they are [eq. 3]."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.dwconv = nn.ModuleDict({"dwconv": nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)})
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        x = self.dwconv["dwconv"](to_map(self.fc1(x), size))  # (B, hidden, h, w)
        return self.fc2(F.gelu(to_tokens(x)))


def to_tokens(x: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, h * w, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(x: Tensor, size: Sequence[int]) -> Tensor:
    """(B, h * w, C) -> (B, C, h, w)."""
    return x.transpose(1, 2).unflatten(2, tuple(size))


def initialise(module: nn.Module) -> None:
    """Linear layers: truncated N(0, 0.02); convolutions: N(0, 2 / fan out); biases 0; norms as torch makes them."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d) and module.bias is not None:
        fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1] // module.groups
        nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        nn.init.zeros_(module.bias)
