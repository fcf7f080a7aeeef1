"""Precision of products: what is set on GPUs and put back, what a record says, how many labels bf16 changes."""

from collections.abc import Iterator

import pytest
import torch

from wsss_cli.engine.infer import Infer, predict
from wsss_cli.engine.loop import Loop
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.precision import Precision, computing, precisions, products, told
from wsss_irn.config import Pseudo

GPU, CPU = torch.device("cuda"), torch.device("cpu")


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture(autouse=True)
def kept_flags() -> Iterator[None]:
    before = flags()
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize("before", [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize(("matmul", "wanted"), [("tf32", (True, True)), ("float32", (False, False))])
def test_products_on_a_gpu_are_as_asked_and_afterwards_as_before(
    before: tuple[bool, bool], matmul: str, wanted: tuple[bool, bool]
) -> None:
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
    with pytest.raises(KeyError), products(Precision(matmul=matmul), GPU):
        assert flags() == wanted
        raise KeyError
    assert flags() == before
    with products(Precision(matmul=matmul), CPU):
        assert flags() == before


@pytest.mark.skipif(not hasattr(torch.backends.cuda.matmul, "fp32_precision"), reason="flags that torch 2.9 added")
def test_a_program_that_has_set_the_newer_flags() -> None:
    """torch refuses to read the older ones then."""
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    with pytest.raises(RuntimeError):
        flags()
    with products(Precision(matmul="float32"), GPU):
        assert flags() == (False, False)
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"


@pytest.mark.parametrize(
    ("precision", "capability", "said"),
    [
        (Precision(), 9, "tf32"),
        (Precision(), 8, "tf32"),
        (Precision(), 7, "float32"),
        (Precision(matmul="float32"), 9, "float32"),
        (Precision(amp="bf16"), 9, "bf16 and tf32"),
        (Precision(amp="fp16"), 7, "fp16 and float32"),
    ],
)
def test_what_is_said_of_a_gpu(
    monkeypatch: pytest.MonkeyPatch, precision: Precision, capability: int, said: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (capability, 0))
    assert told(precision, GPU) == said


def test_what_a_record_says_of_a_cpu() -> None:
    assert precisions(Pseudo(amp="bf16"), CPU) == {"": "bf16 and float32", "training.loop": "float32"}
    assert precisions(Loop(), CPU) == {"": "float32"}


def test_bf16_is_asked_for_and_left_again() -> None:
    x = torch.rand(4, 4)
    with computing(Precision(amp="bf16"), CPU):
        assert (x @ x).dtype == torch.bfloat16
    with computing(Precision(), CPU):
        assert (x @ x).dtype == torch.float32


def test_labels_agree_between_bf16_and_float32() -> None:
    """Of a network that was never trained, whose scores lie closer than any trained one's."""
    torch.manual_seed(0)
    net = build_segmenter(Net(backbone="resnet18", pretrained="none"), 5).eval()
    images = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    full, half = (predict(net, images, Infer(amp=amp), (64, 96)) for amp in ("off", "bf16"))
    share = float((full.argmax(1) == half.argmax(1)).float().mean())
    print(f"labels that bf16 leaves as they are: {share:.2%}")
    assert full.dtype == half.dtype == torch.float32 and not torch.equal(full, half)
    assert share > 0.95
