"""Networks, crops and lengths by data and machine: what the methods' choices are put together from.

CPU figures were timed with tf_efficientnet_lite0 on two cores; those for GPUs follow the papers and the memory that
their networks take.  docs/auto.md has them as a table.
"""

from __future__ import annotations

from collections.abc import Mapping

from wsss_cli.choices.choice import Choice, under
from wsss_cli.choices.fingerprint import Fingerprint

LITE = "tf_efficientnet_lite0"
CONVNETS = {
    "large": ("resnet101d", "resnet50d", LITE),
    "middle": ("resnet50d", LITE),
    "small": (LITE, "mobilenetv2_100"),
}
CLASSIFIERS = {
    "large": ("resnet50.tv_in1k", LITE),
    "middle": ("resnet50.tv_in1k", LITE),
    "small": (LITE, "mobilenetv2_100"),
}
VITS = {
    "large": ("deit_base_patch16_224.fb_in1k", "deit_small_patch16_224.fb_in1k", "deit_tiny_patch16_224.fb_in1k"),
    "middle": ("deit_small_patch16_224.fb_in1k", "deit_tiny_patch16_224.fb_in1k"),
    "small": ("deit_tiny_patch16_224.fb_in1k", "vit_tiny_patch16_224.augreg_in21k_ft_in1k"),
}
CROPS = {"large": 513, "middle": 385, "small": 257}
VIT_CROPS = {"large": 448, "middle": 320, "small": 224}
BATCHES = {"large": 16, "middle": 8, "small": 8}
ITERATIONS = {"large": (2000, 20000), "middle": (1500, 10000), "small": (200, 1000)}
"""At least and at most, of a segmentation network."""
PASSES = 30
"""Over the images, between those."""


def crop(fp: Fingerprint) -> int:
    """Side of a crop: what the machine takes, but not much more than there is of the photos."""
    return max(129, min(CROPS[fp.tier], -(-fp.longest // 16) * 16 + 1))


def batch(fp: Fingerprint, images: int, even: bool = False) -> int:
    """Images of a step: no more than there are, in pairs where a method needs them."""
    most = min(BATCHES[fp.tier], max(1, images))
    return max(2, most - most % 2) if even else most


def where_from(fp: Fingerprint, network: str, where: str) -> str:
    """Why this network, in words."""
    if fp.begin == "none":
        return f"{fp.machine}; random weights, as asked"
    if not where:
        return f"{fp.machine}; its weights are out of reach"
    return f"{fp.machine}; its weights are {'on the hub' if where == 'hub' else where}"


def pick(fp: Fingerprint, table: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """A network of the machine's tier whose weights are in reach, and the reason."""
    names = table[fp.tier]
    name, where = (names[0], "") if fp.begin == "none" else fp.first_at_hand(names)
    return name, where_from(fp, name, where)


def network(fp: Fingerprint, table: Mapping[str, tuple[str, ...]]) -> tuple[Choice, ...]:
    """Backbone and where it begins, relative to the network's settings."""
    name, reason = pick(fp, table)
    begin = [Choice("pretrained", "none", "as asked")] if fp.begin == "none" else []
    return Choice("backbone", name, reason), *begin


def freezes(fp: Fingerprint) -> bool:
    """Whether batch norms keep their statistics: there are none to keep in random weights."""
    return fp.begin != "none"


def frozen_norms(fp: Fingerprint) -> Choice:
    why = "batches too small to measure statistics" if freezes(fp) else "random weights have no statistics to keep"
    return Choice("freeze_bn", freezes(fp), why)


def adamw(fp: Fingerprint, total: int) -> tuple[Choice, ...]:
    """AdamW for few images, relative to the optimiser's settings; total: iterations."""
    why = "few images: AdamW needs no rate of its own for each network"
    random = fp.begin == "none"
    return (
        Choice("name", "adamw", why),
        Choice("lr", 1e-3 if random else 1e-4, "random weights learn faster" if random else why),
        Choice("head_factor", 1.0 if random else 10.0, "nothing is pretrained" if random else "the head is new"),
        Choice("weight_decay", 0.01, why),
        Choice("warm_up", warm_up(total), "a tenth of the training, 50 iterations at most"),
    )


def warm_up(total: int) -> int:
    return min(50, total // 10)


def epochs(fp: Fingerprint, images: int, size: int, least: int, most: int, passes: int = PASSES) -> int:
    """Passes over the images that make `least` to `most` iterations of `size` images, scaled by the effort."""
    steps = max(1, images // size)
    wanted = min(max(passes * steps, least), most)
    return max(1, round(wanted * fp.effort / steps))


def loop(
    fp: Fingerprint, images: int, least: int, most: int, passes: int = PASSES, even: bool = False
) -> tuple[Choice, ...]:
    """Length and batch, relative to the loop's settings."""
    size = batch(fp, images, even)
    number = epochs(fp, images, size, least, most, passes)
    why = f"{images} images: about {number * max(1, images // size)} iterations{_effort(fp)}"
    made = [
        Choice("epochs", number, why),
        Choice("batch", size, fp.machine if size == BATCHES[fp.tier] else f"{images} images to learn from"),
    ]
    return (*made, *channels_last(fp))


def channels_last(fp: Fingerprint) -> tuple[Choice, ...]:
    return () if fp.gpu else (Choice("channels_last", True, "faster on a CPU, same values"),)


def _effort(fp: Fingerprint) -> str:
    return "" if fp.effort == 1 else ", to fit the time given"


def total(fp: Fingerprint, images: int, least: int, most: int, passes: int = PASSES, even: bool = False) -> int:
    """Iterations of `loop`."""
    size = batch(fp, images, even)
    return epochs(fp, images, size, least, most, passes) * max(1, images // size)


def iterations(fp: Fingerprint, images: int) -> int:
    """Of a training that is counted in iterations."""
    least, most = ITERATIONS[fp.tier]
    return max(20, round(min(max(PASSES * images // 4, least), most) * fp.effort))


def segmenter(fp: Fingerprint, images: int) -> tuple[Choice, ...]:
    """Plain segmentation training (`wsss_cli.engine.segment`), relative to its stage."""
    least, most = ITERATIONS[fp.tier]
    steps = total(fp, images, least, most)
    return (
        *under("net", segmentation_net(fp)),
        Choice("augment.crop", crop(fp), fp.machine),
        Choice("augment.scale", [0.5, 1.5], "what is rescaled more is no longer like the photos"),
        *under("optimiser", adamw(fp, steps)),
        *under("loop", loop(fp, images, least, most)),
    )


def segmentation_net(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to the settings of a `wsss_cli.nets.config.Net`."""
    made = (*network(fp, CONVNETS), frozen_norms(fp))
    if fp.tier != "small":
        return made
    return (
        *made,
        *first_layers(fp),
        Choice("aspp_rates", [2, 4, 6], "a crop has 17 x 17 cells: wider taps would lie outside"),
        Choice("width", 128, f"a head as small as its network: {fp.machine}"),
    )


def first_layers(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to a network's settings."""
    return () if fp.begin == "none" else (Choice("freeze", 4, "the first layers fit any photo"),)


def classifier(fp: Fingerprint) -> tuple[Choice, ...]:
    """The classification network and its CAMs (`wsss_cli.classifier`), relative to its stage."""
    side = crop(fp)
    least, most = (100, 600) if fp.tier == "small" else (300, 4000)
    steps = total(fp, fp.tagged, least, most, passes=5)
    all_learn = [Choice("net.detach", False, "random weights: all layers learn")] if fp.begin == "none" else []
    return (
        *under("net", network(fp, CLASSIFIERS)),
        *under("net", [frozen_norms(fp), *dilated(fp)]),
        *all_learn,
        Choice("training.resize_long", [side, 2 * side], "once to twice the crop"),
        Choice("training.crop", side, fp.machine),
        *under("training.optimiser", adamw(fp, steps)),
        *under("training.loop", loop(fp, fp.tagged, least, most, passes=5)),
        *cam_scales(fp),
    )


def dilated(fp: Fingerprint) -> tuple[Choice, ...]:
    """Of a classification network whose last stage keeps its resolution, relative to the network's settings."""
    return (Choice("dilate", True, "small filters see again what they learnt on"),) if fp.tier == "small" else ()


def cam_scales(fp: Fingerprint) -> tuple[Choice, ...]:
    if fp.tier != "small":
        return ()
    return (
        Choice("scales", [1.0, 1.5, 0.5], "the larger draws borders finer; twice the size takes four times as long"),
        Choice("batch", 1, "on a CPU larger batches only leave the cache"),
    )


def transformer(fp: Fingerprint) -> tuple[Choice, ...]:
    """A plain vision transformer of the single-stage methods, relative to its settings."""
    small = fp.tier == "small"
    sizes = [
        Choice("width", 128, f"a decoder as small as its network: {fp.machine}"),
        Choice("dilation", 2, "a crop has 14 x 14 patches"),
    ]
    return *network(fp, VITS), *(sizes if small else ())


def transformer_rates(fp: Fingerprint, total: int) -> tuple[Choice, ...]:
    """Relative to the optimiser's settings of a single-stage method."""
    random = [Choice("lr", 5e-4, "random weights learn faster")] if fp.begin == "none" else []
    return *random, Choice("warm_up", max(1, total // 13), "the share of the training that it was published with")


def iteration_loop(fp: Fingerprint, total: int, size: int) -> tuple[Choice, ...]:
    """Relative to the loop's settings."""
    return (
        Choice("iterations", total, f"{fp.tagged} tagged images, {fp.machine}{_effort(fp)}"),
        Choice("batch", size, fp.machine if size == 4 else f"{fp.tagged} images to learn from"),
    )


def needs_tags(fp: Fingerprint) -> str:
    """Why nothing can be learnt from the tags; ""."""
    if few := _too_few(fp):
        return few
    if fp.alike:
        return f"all {fp.tagged} images have the very same tags: a classifier learns nothing from them"
    return ""


def clip_refused(fp: Fingerprint, network: str) -> str:
    """Why CLIP cannot be asked; "". Tags that never differ do not hinder it: it knows the classes by name."""
    return _too_few(fp) or ("" if fp.weights.get(network, "") else "CLIP's weights are out of reach")


def _too_few(fp: Fingerprint) -> str:
    return "" if fp.tagged > 1 else f"{fp.tagged} of the {fp.images} images have tags to learn from; two are the least"
