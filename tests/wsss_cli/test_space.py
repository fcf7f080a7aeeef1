"""How large checkpoints are taken to be: never smaller than they are, and not as large for small networks."""

import pytest

from wsss_cli.config import Config
from wsss_cli.nets.config import Net
from wsss_cli.space import _checkpoint


class Train(Config):
    net: Net


@pytest.mark.parametrize(
    ("backbone", "head", "mebibytes", "at_most"),
    [
        ("resnet101d", "deeplabv3plus", 2 * 730, 2 * 1100),  # BECO's two networks with SGD's momentum took 730
        ("vit_base_patch16_224.augreg_in1k", "deeplabv3plus", 2 * 1030, 2 * 2400),  # with AdamW 1,030
        ("mit_b0", "segformer", 2 * 44, 2 * 130),
        ("test_resnet", "deeplabv3plus", 2 * 2, 2 * 700),
        ("tf_efficientnet_lite0.in1k", "deeplabv3plus", 2 * 60, 2 * 700),
    ],
)
def test_a_checkpoint_and_the_one_before_it(backbone: str, head: str, mebibytes: int, at_most: int) -> None:
    found = _checkpoint(Train(net=Net(backbone=backbone, head=head))) >> 20
    assert mebibytes <= found <= at_most, found
