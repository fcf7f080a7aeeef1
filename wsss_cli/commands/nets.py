"""`wsss nets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from wsss_cli.commands import complete

if TYPE_CHECKING:
    from wsss_cli.nets.sizes.figures import Figure


def nets(
    head: Annotated[
        str | None, Argument(help="a decode head, to see it on every backbone", autocompletion=complete.heads)
    ] = None,
    backbone: Annotated[
        str | None, Option(help="every head on this backbone", autocompletion=complete.backbones)
    ] = None,
    measure: Annotated[
        bool, Option("--measure", help="count now, for a backbone of which no figures are kept")
    ] = False,
) -> None:
    """List the segmentation networks: decode heads on the backbones they were published on, sizes, published scores.

    Any head goes with any backbone, in every method: wsss train METHOD net.head=pspnet net.backbone=resnet101c
    """
    from wsss_cli import console
    from wsss_cli.errors import WsssError
    from wsss_cli.nets.heads.table import HEADS
    from wsss_cli.nets.sizes.figures import OUTPUTS, SIDE, VOC_SCORES
    from wsss_cli.plugins import nearest

    if head is not None and head not in HEADS:
        raise WsssError(f"there is no decode head '{head}'{nearest(head, HEADS)}", ", ".join(HEADS))
    rows = []
    for name, on, figure in _chosen(head, backbone, measure):
        twenty, _, forty, _ = VOC_SCORES.get(name, {}).get(on, (None,) * 4)
        score = f"{twenty:.2f} / {forty:.2f}" if twenty else "-"
        rows.append([name, on, f"{figure.params:.1f}", f"{figure.gflops:.0f}", score])
    console.table("", ["net.head", "net.backbone", "M params", "GFLOPs", "VOC 20k / 40k"], rows)
    console.say(
        f"parameters with {OUTPUTS} outputs; operations of one {SIDE} x {SIDE} image, two for each multiply-add; VOC: "
        "published mIoU on val at one scale, after 20,000 and 40,000 iterations on masks"
    )


def _chosen(head: str | None, backbone: str | None, measure: bool) -> list[tuple[str, str, Figure]]:
    """Head, backbone and their figures, for each row.  Raises WsssError if none are kept of the backbone."""
    from wsss_cli.errors import WsssError
    from wsss_cli.nets.heads.table import HEADS
    from wsss_cli.nets.sizes.figures import figures

    heads = [head] if head else list(HEADS)
    kept = figures()
    if backbone is not None:
        if measure:
            from wsss_cli.nets.sizes.measure import measure as count

            kept = {backbone: count(backbone, heads)}
        elif backbone not in kept:
            remedy = f"--measure counts them now; there are figures of {', '.join(kept)}"
            raise WsssError(f"no figures are kept of backbone '{backbone}'", remedy)
        return [(name, backbone, kept[backbone][name]) for name in heads if name in kept[backbone]]
    if measure:
        raise WsssError("--measure needs --backbone NAME", "for example: wsss nets --backbone resnet18 --measure")
    if head is not None:
        return [(head, name, of[head]) for name, of in kept.items() if head in of]
    return [(name, on, kept[on][name]) for name in heads for on in HEADS[name].backbones]
