import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_cli.engine.enlarge import bands, winners


def scores_of(classes, h, w, smooth):
    torch.manual_seed(h)
    coarse = torch.randn(1, classes, 3, 4) if smooth else torch.randn(1, classes, h, w)
    return F.interpolate(4 * coarse, (h, w), mode="bilinear", align_corners=False)[0].softmax(0)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("small, large", [((12, 16), (47, 64)), ((7, 5), (7, 33)), ((1, 1), (4, 6)), ((9, 9), (9, 9))])
@pytest.mark.parametrize("at_once", [50, 1 << 20])
def test_winners_are_those_of_the_enlarged_scores(classes, smooth, small, large, at_once):
    scores = scores_of(classes, *small, smooth)
    whole = F.interpolate(scores[None], large, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(torch.cat(list(bands(scores, large, at_once)), 1), whole)
    labels = winners(scores, large, at_once)
    assert labels.dtype == np.uint8 and labels.shape == large
    two = whole.topk(min(2, classes), 0).values
    sure = (two[0] - two[-1] > 1e-6).numpy() | (classes == 1)  # elsewhere the last bit decides
    assert sure.mean() > 0.99
    np.testing.assert_array_equal(labels[sure], whole.argmax(0).numpy()[sure])


def test_where_one_class_wins_nothing_is_enlarged(monkeypatch):
    enlarged = []
    monkeypatch.setattr("wsss_cli.engine.enlarge._at", lambda *a: enlarged.append(len(a[-1])) or torch.zeros(2, 0))
    scores = torch.zeros(2, 4, 4)
    scores[1] = 1
    assert (winners(scores, (40, 30)) == 1).all() and sum(enlarged) == 0
