"""The Mix Transformer against a slow plain reading of the paper, its sizes and its released files."""

import logging
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.mit import MixTransformer
from wsss_cli.nets.weights.fetching import hub_file
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.nets.weights.published import PUBLISHED

DIMS, DEPTHS = (8, 12, 20, 16), (2, 1, 2, 1)


def linear(s: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return torch.einsum("...i,oi->...o", x, s[f"{name}.weight"]) + s[f"{name}.bias"]


def layer_norm(s: dict[str, Tensor], name: str, x: Tensor, eps: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() * s[f"{name}.weight"] + s[f"{name}.bias"]


def convolve(s: dict[str, Tensor], name: str, x: Tensor, stride: int, padding: int, depthwise: bool = False) -> Tensor:
    """x (h, w, C), one image; a sum over the kernel's taps."""
    weight = s[f"{name}.weight"]  # (O, C, k, k), or (C, 1, k, k)
    k, (h, w) = weight.shape[-1], x.shape[:2]
    padded = torch.zeros(h + 2 * padding, w + 2 * padding, x.shape[2], dtype=x.dtype)
    padded[padding : padding + h, padding : padding + w] = x
    rows, columns = (h + 2 * padding - k) // stride + 1, (w + 2 * padding - k) // stride + 1
    out = s[f"{name}.bias"].expand(rows, columns, -1)
    for dy in range(k):
        for dx in range(k):
            tap = padded[dy : dy + stride * rows : stride, dx : dx + stride * columns : stride][:rows, :columns]
            out = out + (tap * weight[:, 0, dy, dx] if depthwise else tap @ weight[:, :, dy, dx].T)
    return out


def attention(s: dict[str, Tensor], name: str, x: Tensor, heads: int, ratio: int) -> Tensor:
    """Each head by itself: softmax(q k^T / sqrt(d)) v, k and v from a map reduced by a convolution [eq. 1, 2]."""
    h, w, c = x.shape
    few = x if ratio == 1 else layer_norm(s, f"{name}.norm", convolve(s, f"{name}.sr", x, ratio, 0), 1e-5)
    q, kv = linear(s, f"{name}.q", x).reshape(h * w, c), linear(s, f"{name}.kv", few).reshape(-1, 2 * c)
    d, found = c // heads, []
    for i in range(heads):
        of_head = slice(i * d, (i + 1) * d)
        scores = q[:, of_head] @ kv[:, :c][:, of_head].T / math.sqrt(d)  # (N, M)
        weights = scores.exp() / scores.exp().sum(1, keepdim=True)
        found.append(weights @ kv[:, c:][:, of_head])
    return linear(s, f"{name}.proj", torch.cat(found, 1).reshape(h, w, c))


def mix_mlp(s: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """MLP(GELU(Conv3x3(MLP(x)))) [eq. 3]."""
    x = convolve(s, f"{name}.dwconv.dwconv", linear(s, f"{name}.fc1", x), 1, 1, depthwise=True)
    return linear(s, f"{name}.fc2", x * 0.5 * (1 + torch.erf(x / math.sqrt(2))))


def plain(s: dict[str, Tensor], image: Tensor, strides: tuple[int, ...]) -> list[Tensor]:
    """One image (3, H, W) -> the maps (C, h, w) of the four stages."""
    x, levels = image.permute(1, 2, 0), []
    for n, (heads, ratio, stride) in enumerate(zip((1, 2, 5, 8), (8, 4, 2, 1), strides), 1):
        x = convolve(s, f"patch_embed{n}.proj", x, stride, 3 if n == 1 else 1)
        x = layer_norm(s, f"patch_embed{n}.norm", x, 1e-5)
        for b in range(DEPTHS[n - 1]):
            block = f"block{n}.{b}"
            x = x + attention(s, f"{block}.attn", layer_norm(s, f"{block}.norm1", x, 1e-6), heads, ratio)
            x = x + mix_mlp(s, f"{block}.mlp", layer_norm(s, f"{block}.norm2", x, 1e-6))
        x = layer_norm(s, f"norm{n}", x, 1e-6)
        levels.append(x.permute(2, 0, 1))
    return levels


@pytest.mark.parametrize(("output_stride", "strides"), [(32, (4, 2, 2, 2)), (16, (4, 2, 2, 1)), (8, (4, 2, 1, 1))])
@pytest.mark.parametrize("size", [(64, 64), (70, 53)])
def test_equals_the_paper(output_stride: int, strides: tuple[int, ...], size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = MixTransformer(DIMS, DEPTHS, output_stride).double().eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)
    images = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        ours = net(images)
        for i, image in enumerate(images):
            for level, theirs in zip(ours, plain(net.state_dict(), image, strides), strict=True):
                assert torch.allclose(level[i], theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "millions"), [("mit_b0", 3.3), ("mit_b1", 13.2), ("mit_b2", 24.2), ("mit_b3", 44.1), ("mit_b5", 81.4)]
)
def test_parameters(name: str, millions: float) -> None:
    with torch.device("meta"):
        backbone = Backbone(name, 32)
    assert sum(p.numel() for p in backbone.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)
    assert backbone.strides == (4, 8, 16, 32)


def test_drop_path_grows_to_its_rate_and_is_off_in_eval() -> None:
    net = MixTransformer(DIMS, DEPTHS, drop_path_rate=0.5)
    rates = [m.drop_prob for m in net.modules() if hasattr(m, "drop_prob")]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    x = torch.randn(4, 3, 32, 32)
    assert not torch.equal(net(x)[-1], net(x)[-1])
    assert torch.equal(net.eval()(x)[-1], net(x)[-1])


def test_initial_weights() -> None:
    torch.manual_seed(0)
    block = MixTransformer((32, 64, 160, 256), (1, 1, 1, 1)).block4[0]
    assert block.mlp.fc1.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert block.mlp.dwconv.dwconv.weight.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.03)
    assert block.attn.q.bias.eq(0).all()


def test_small_images() -> None:
    backbone = Backbone("mit_b0", 32).eval()
    with torch.no_grad():
        assert backbone(torch.randn(1, 3, 29, 30))[-1].shape == (1, 256, 1, 1)
        with pytest.raises(WsssError, match=r"at least 29 x 29, not \(28, 64\)"):
            backbone(torch.randn(1, 3, 28, 64))


def released_names() -> set[str]:
    """The tensors of mit_b0.pth, spelt out."""
    two = ("weight", "bias")
    names = {f"head.{k}" for k in two}
    for n in (1, 2, 3, 4):
        parts = [f"patch_embed{n}.proj", f"patch_embed{n}.norm", f"norm{n}"]
        for b in (0, 1):
            inner = ["norm1", "attn.q", "attn.kv", "attn.proj", "norm2", "mlp.fc1", "mlp.dwconv.dwconv", "mlp.fc2"]
            inner += ["attn.sr", "attn.norm"] if n < 4 else []
            parts += [f"block{n}.{b}.{part}" for part in inner]
        names |= {f"{part}.{k}" for part in parts for k in two}
    return names


def released(backbone: Backbone) -> dict[str, Tensor]:
    """mit_b0.pth with random values: the backbone's own shapes, and a classifier."""
    shapes = {k: v.shape for k, v in backbone.body.state_dict().items()}
    shapes |= {"head.weight": torch.Size((1000, 256)), "head.bias": torch.Size((1000,))}
    return {k: torch.randn(shape) for k, shape in shapes.items()}


def mmseg(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The released tensors as mmseg stores them: a list of [embedding, blocks, norm], attention in one matrix."""
    out: dict[str, Tensor] = {}
    for n in (1, 2, 3, 4):
        for k in ("weight", "bias"):
            out[f"layers.{n - 1}.0.projection.{k}"] = state[f"patch_embed{n}.proj.{k}"]
            out[f"layers.{n - 1}.0.norm.{k}"] = state[f"patch_embed{n}.norm.{k}"]
            out[f"layers.{n - 1}.2.{k}"] = state[f"norm{n}.{k}"]
            for b in (0, 1):
                ours, theirs = f"block{n}.{b}", f"layers.{n - 1}.1.{b}"
                both = (state[f"{ours}.attn.q.{k}"], state[f"{ours}.attn.kv.{k}"])
                out[f"{theirs}.attn.attn.in_proj_{k}"] = torch.cat(both)
                out[f"{theirs}.attn.attn.out_proj.{k}"] = state[f"{ours}.attn.proj.{k}"]
                if n < 4:
                    out[f"{theirs}.attn.sr.{k}"] = state[f"{ours}.attn.sr.{k}"]
                    out[f"{theirs}.attn.norm.{k}"] = state[f"{ours}.attn.norm.{k}"]
                out |= {f"{theirs}.{norm}.{k}": state[f"{ours}.{norm}.{k}"] for norm in ("norm1", "norm2")}
                out[f"{theirs}.ffn.layers.1.{k}"] = state[f"{ours}.mlp.dwconv.dwconv.{k}"]
                for i, fc in ((0, "fc1"), (4, "fc2")):
                    value = state[f"{ours}.mlp.{fc}.{k}"]
                    out[f"{theirs}.ffn.layers.{i}.{k}"] = value[:, :, None, None] if k == "weight" else value
    return out


@pytest.mark.parametrize("trust", [True, False])
def test_released_file(tmp_path: Path, caplog: pytest.LogCaptureFixture, trust: bool) -> None:
    backbone = Backbone("mit_b0", 32)
    state = released(backbone)
    assert state.keys() == released_names()
    torch.save(state, tmp_path / "mit_b0.pth")
    with caplog.at_level(logging.INFO, logger="wsss"):
        found = load_pretrained(backbone, str(tmp_path / "mit_b0.pth"), trust)
    total = len(state) - 2
    assert found is not None
    assert found.unused == ("head.weight", "head.bias")
    loaded = f"{total} of {total} backbone tensors loaded from {tmp_path}/mit_b0.pth"
    assert caplog.messages == [f"mit_b0: {loaded} (2 classifier tensors unused)"]
    assert all(torch.equal(v, state[k]) for k, v in backbone.body.state_dict().items())


def test_file_of_mmseg_is_the_same(tmp_path: Path) -> None:
    backbone = Backbone("mit_b0", 32)
    state = released(backbone)
    torch.save(mmseg(state), tmp_path / "w.pth")
    found = load_pretrained(backbone, str(tmp_path / "w.pth"))
    assert found is not None
    assert found.unused == ()
    assert all(torch.equal(v, state[k]) for k, v in backbone.body.state_dict().items())


@pytest.mark.parametrize("rename", [lambda s: s, mmseg])
def test_file_of_another_network(tmp_path: Path, rename: Any) -> None:
    state = released(Backbone("mit_b0", 32))
    torch.save(rename(state | {"block3.2.norm1.weight": torch.ones(160)}), tmp_path / "deeper.pth")
    torch.save(rename(state) | {"decode_head.conv_seg.weight": torch.ones(1)}, tmp_path / "more.pth")
    torch.save(
        {k: v for k, v in rename(state).items() if "attn.q" not in k and "in_proj" not in k}, tmp_path / "less.pth"
    )
    if rename is not mmseg:  # which knows only two blocks a stage
        with pytest.raises(WsssError, match=r"another network than 'mit_b0': 'block3\.2\.norm1\.weight'"):
            load_pretrained(Backbone("mit_b0", 32), str(tmp_path / "deeper.pth"))
    with pytest.raises(WsssError, match=r"holds 'decode_head\.conv_seg\.weight', which neither backbone 'mit_b0'"):
        load_pretrained(Backbone("mit_b0", 32), str(tmp_path / "more.pth"))
    with pytest.raises(WsssError, match=r"'block1\.0\.attn\.q\.weight' is missing"):
        load_pretrained(Backbone("mit_b0", 32), str(tmp_path / "less.pth"))
    with pytest.raises(WsssError, match="does not fit backbone 'mit_b1'"):
        load_pretrained(Backbone("mit_b1", 32), str(tmp_path / "more.pth"))


def test_download_is_kept_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, backbone, asked = Backbone("mit_b0", 32), Backbone("mit_b0", 32), []
    state = released(source)

    def fetch(url: str, path: str) -> None:
        asked.append(url)
        torch.save(mmseg(state), path)

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.from_hub", lambda source: nullcontext())
    for _ in range(2):
        load_pretrained(backbone, "timm")
    assert asked == [PUBLISHED["mit_b0"].weights] == [hub_file("mit_b0")]
    assert torch.equal(backbone.body.norm4.weight, state["norm4.weight"])


def test_download_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(url: str, path: str) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.from_hub", lambda source: nullcontext())
    with pytest.raises(
        WsssError, match="weights of 'mit_b2' could not be downloaded: Network is unreachable"
    ) as caught:
        load_pretrained(Backbone("mit_b2", 32), "timm")
    assert (
        f"fetch {PUBLISHED['mit_b2'].weights} by hand and pass it to every stage: --pretrained mit_b2=FILE"
        in caught.value.remedy
    )
