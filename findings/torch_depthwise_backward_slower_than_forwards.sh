#!/usr/bin/env bash
# PyTorch 2.14.1 on a CPU: the backward pass of a depthwise convolution with dilation 2, or of 5x5 (EfficientNet has both), takes many times
# what its forward pass takes, though both gradients are themselves depthwise convolutions, which forward passes do quickly.
# One would expect about two forward passes, as for 3x3 without dilation.
# Seen, 8 maps of 13 x 13 with 1,152 channels, 5x5, dilation 2, channels last, one thread of an AMD EPYC (family 25, model 17): forward 1.5 ms, gradient of
# the input 17 ms, as a forward pass with turned kernels 1.3 ms; gradient of the weights 16 ms, by forward passes of each map with its gradient 5 ms;
# the same values. The ratios hold with AVX2 alone (ONEDNN_MAX_CPU_ISA=AVX2), too.
# `wsss` trains with the latter on CPUs (wsss_cli/nets/layers/depthwise.py); docs/speed.md says what it saves.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "torch==2.14.1" "numpy==2.4.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cat > "$here/times.py" <<'PYTHON'
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
B, C, SIDE, K, DILATION = 8, 1152, 13, 5, 2
PAD = DILATION * (K // 2)
x, grad = (torch.randn(B, C, SIDE, SIDE).to(memory_format=torch.channels_last) for _ in range(2))
weight = torch.randn(C, 1, K, K)


def forward(values, kernels):
    return F.conv2d(values, kernels, None, 1, PAD, DILATION, C)


def torchs_own(*wanted):
    return torch.ops.aten.convolution_backward(
        grad, x, weight, None, [1, 1], [PAD, PAD], [DILATION, DILATION], False, [0, 0], C, [*wanted, False]
    )


def to_weight():
    maps, kernels = x.reshape(1, B * C, SIDE, SIDE), grad.reshape(B * C, 1, SIDE, SIDE)
    return F.conv2d(maps, kernels, None, DILATION, PAD, 1, B * C).view(B, C, 1, K, K).sum(0)


def ms(run):
    run()
    times = []
    for _ in range(10):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return 1000 * min(times)


one = ms(lambda: forward(x, weight))
print(f"torch {torch.__version__}: forward {one:.1f} ms; expected of each gradient: about as much")
slower, equal = [], []
for name, own, by_forward in (
    ("input", lambda: torchs_own(True, False)[0], lambda: forward(grad, weight.flip(2, 3))),
    ("weights", lambda: torchs_own(False, True)[1], to_weight),
):
    theirs, quick = ms(own), ms(by_forward)
    slower.append(theirs / quick)
    equal.append(torch.allclose(own(), by_forward(), rtol=1e-4, atol=1e-3))
    print(f"gradient of the {name}: seen {theirs:.1f} ms; {quick:.1f} ms by forward passes, {slower[-1]:.1f}x; values agree: {equal[-1]}")
raise SystemExit(not (all(equal) and slower[0] > 3 and slower[1] > 1.5))
PYTHON
(cd "$here" && venv/bin/python times.py)
