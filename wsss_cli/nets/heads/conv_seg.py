"""How mmseg's heads end."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.nets.segmenter import Head


class ConvSegHead(Head):
    """A head that ends as all of mmseg's: dropout of whole channels, then a 1x1 classifier named conv_seg.

    A subclass gives `features`.
    """

    def __init__(self, width: int, num_outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = classifier(width, num_outputs)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        """What is classified: (B, width, h, w)."""
        raise NotImplementedError

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        return self.dropout(self.features(levels))

    def classify(self, embeddings: Tensor) -> Tensor:
        return self.conv_seg(embeddings)


def classifier(width: int, num_outputs: int) -> nn.Conv2d:
    """A 1x1 convolution from N(0, 0.01)."""
    conv = nn.Conv2d(width, num_outputs, 1)
    nn.init.normal_(conv.weight, std=0.01)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
