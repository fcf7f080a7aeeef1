"""Cross-entropy over labelled pixels: resized, ignored, shared among ranks."""

import torch
import torch.nn.functional as F

from wsss_cli.losses.segmentation import cross_entropy, sigmoid_cross_entropy


def test_is_the_mean_over_labelled_pixels() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 4, 5, 7), torch.randint(0, 4, (2, 20, 28))
    labels[0, :9] = 255
    large = F.interpolate(logits, (20, 28), mode="bilinear", align_corners=False)
    expected = F.cross_entropy(large, labels, ignore_index=255)
    torch.testing.assert_close(cross_entropy(logits, labels.to(torch.uint8)), expected)


def test_of_16_bit_labels_another_id_is_ignored() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 301, 6, 5), torch.randint(0, 301, (2, 6, 5))
    labels[0, :2] = 255
    expected = F.cross_entropy(logits[:, :, 1:], labels[:, 1:])
    labels[:, 0] = 65535
    torch.testing.assert_close(cross_entropy(logits, labels.int()), expected)


def test_all_ignored_gives_zero_with_gradients() -> None:
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 8, 8), 255))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None and logits.grad.abs().max() == 0


def test_ranks_average_to_the_whole_batch() -> None:
    logits, labels = torch.randn(2, 3, 6, 6), torch.randint(0, 3, (2, 6, 6))
    labels[1, 1:] = 255
    mean = (labels != 255).sum().float() / 2
    parts = [cross_entropy(logits[i : i + 1], labels[i : i + 1], lambda _: mean) for i in range(2)]
    torch.testing.assert_close((parts[0] + parts[1]) / 2, cross_entropy(logits, labels))


def test_sigmoid_cross_entropy_is_each_class_against_the_rest() -> None:
    logits = torch.tensor([[[[2.0, -1.0]], [[0.5, 3.0]]]])  # (1, 2, 1, 2)
    labels = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    right, wrong = torch.tensor(2.0).sigmoid().log(), torch.tensor(-0.5).sigmoid().log()
    torch.testing.assert_close(sigmoid_cross_entropy(logits, labels), -(right + wrong) / 4)
