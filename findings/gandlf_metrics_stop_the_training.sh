#!/usr/bin/env bash
# GaNDLF 0.1.5, MLCommons' framework for medical images: on a CPU most metrics of segmentation overwrite the network's output, so that it learns nothing.
# One would expect of a metric that it only looks: whether "dice" alone is asked for or "jaccard" too changes neither the training nor the other metrics.
# Seen, of a small network that learns to find balls in noise, with the order of its training loop, loss, metrics, backward: with no metric or with dice the
# loss falls from 0.60 to 0.04 in 60 steps; with hd95, hd100, nsd, sensitivity, specificity_segmentation or jaccard, and with each of them per label, all
# gradients are 0 and it stays at 0.60, with softmax and with sigmoid. With a copy of the output, which by its source one from a GPU is, the network learns.
# Of 20 random outputs of four classes dice is another after jaccard than before, in all 20; their docs say that the input "will be converted into binary", not
# that it is the caller's own, whose values the gradients need.
# Seen besides: jaccard_per_label, "the list of per-label Jaccard scores", adds each class to those before: of a perfect result of four classes 1, 2, 3 and 4.
# dice_per_label and sensitivity_per_label have 1 throughout. Of 20 random results all 20 are wrong from the second class on.
# No warning, and its tracker names neither. (The tensor's own memory becomes the array that is set to 0 and 1; the sum so far is put into the list.)
# GaNDLF asks for PyTorch 2.7.1; this script has 2.13.0.
# Who tries a configuration on a machine without a GPU, or trains there, sees a loss that does not fall, as soon as he asks for a distance.
# `wsss` does not use GaNDLF.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "torch==2.13.0" "numpy==1.26.4" "scipy==1.15.3" "torchmetrics==1.1.2" "torchio==0.19.6" "torchinfo==1.7.0" "packaging==24.0" "panoptica==2.1.7" \
  "SimpleITK==2.5.0" "pandas==2.3.3" "scikit-learn==1.9.1" "scikit-image==0.26.0" "opencv-python-headless==4.11.0.86" "pyyaml==6.0.4" "tqdm==4.70.1" \
  "pillow==11.3.0" "setuptools==80.9.0"
install --no-deps "gandlf==0.1.5"
cd "$here"
HOME=$here MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import GANDLF.utils  # noqa: F401  (before the others: they need each other)
import numpy as np
import torch
from GANDLF.losses import global_losses_dict
from GANDLF.metrics import global_metrics_dict

torch.set_num_threads(1)
SIZE = 12


def settings(classes):
    """What the losses and metrics read of a configuration, for volumes of 1 mm."""
    model = {"num_classes": classes, "class_list": list(range(classes)), "ignore_label_validation": None}
    return {"model": model, "penalty_weights": None, "subject_spacing": torch.ones(2, 3)}


def balls(chance):
    """Two volumes of noise with a brighter ball each, and their classes, background and ball."""
    places = np.indices((SIZE,) * 3)
    volumes, labels = [], []
    for _ in range(2):
        centre = chance.uniform(4, 8, 3)
        ball = ((places - centre[:, None, None, None]) ** 2).sum(0) < 9
        volumes.append(chance.normal(0, 0.3, ball.shape) + ball)
        labels.append(ball)
    target = torch.nn.functional.one_hot(torch.from_numpy(np.stack(labels).astype(np.int64)), 2).movedim(-1, 1).float()
    return torch.from_numpy(np.stack(volumes)[:, None]).float(), target


def trained(metrics, final, copy=False):
    """The first and the last loss of 60 steps and the sum of all gradients."""
    torch.manual_seed(0)
    net, chance, params = torch.nn.Conv3d(1, 2, 3, padding=1), np.random.default_rng(0), settings(2)
    optimiser, losses, gradients = torch.optim.Adam(net.parameters(), lr=0.1), [], 0.0
    for _ in range(60):
        image, target = balls(chance)
        optimiser.zero_grad()
        output = torch.softmax(net(image), 1) if final == "softmax" else torch.sigmoid(net(image))
        loss = global_losses_dict["dice"](output, target, params)
        for name in metrics:
            global_metrics_dict[name](output.detach().clone() if copy else output, target, params)
        loss.backward()
        gradients += sum(float(one.grad.abs().sum()) for one in net.parameters())
        optimiser.step()
        losses.append(loss.item())
    return losses[0], losses[-1], gradients


print("gandlf", version("gandlf"), "torch", version("torch"))
known = True
stop = ["hd95", "hd100", "nsd", "sensitivity", "specificity_segmentation", "jaccard"]
for final in ("softmax", "sigmoid"):
    for metrics in [[], ["dice"], *([name] for name in stop), *([f"{name}_per_label"] for name in stop if final == "softmax")]:
        first, last, gradients = trained(metrics, final)
        stops = bool(metrics) and metrics[0] != "dice"
        print(f"{final}, metrics {metrics}: the loss goes from {first:.2f} to {last:.2f}, gradients add up to {gradients:.2f}")
        known &= (gradients == 0 and last > 0.4) if stops else (gradients > 1 and last < 0.1)
first, last, gradients = trained(stop, "softmax", copy=True)
print(f"softmax, all six with a copy of the output: from {first:.2f} to {last:.2f}, gradients {gradients:.2f}")
known &= gradients > 1 and last < 0.1

generator, params = torch.Generator().manual_seed(0), settings(4)
others, wrong = 0, 0
for _ in range(20):
    labels = torch.randint(0, 4, (2, SIZE, SIZE, SIZE), generator=generator)
    target = torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).float()
    output = torch.softmax(2 * target + torch.randn(target.shape, generator=generator), 1)
    hard = (output >= 0.5).float()
    right = [(hard[:, k] * target[:, k]).sum() / ((hard[:, k] + target[:, k]) > 0).sum() for k in range(4)]
    before = global_metrics_dict["dice"](output, target, params).item()
    seen = global_metrics_dict["jaccard_per_label"](output, target, params)
    others += abs(global_metrics_dict["dice"](output, target, params).item() - before) > 0.01
    wrong += np.allclose(seen, np.cumsum(right), atol=1e-5) and not np.isclose(seen[1:], right[1:], atol=0.01).any()
print(f"20 outputs: expected dice the same after jaccard, seen another for {others}; Jaccard per class expected right, seen added up for {wrong}")
for name in ("jaccard_per_label", "dice_per_label", "sensitivity_per_label"):
    seen = [round(float(value), 3) for value in global_metrics_dict[name](target.clone(), target, params)]
    print(f"a perfect result, {name}: expected 1 for each class, seen {seen}")
    known &= seen == [1, 2, 3, 4] if name.startswith("jaccard") else set(seen) == {1}
raise SystemExit(not (known and (others, wrong) == (20, 20)))
PYTHON
