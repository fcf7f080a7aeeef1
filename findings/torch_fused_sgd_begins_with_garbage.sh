#!/usr/bin/env bash
# PyTorch 2.14.1's fused SGD, with GradScaler: when the first step is skipped for an infinite gradient, which in fp16 is the rule (scales begin
# at 65,536), the momentum has been allocated but not written, and the second step adds to it whatever lay in that memory before.
# One would expect what SGD that is not fused does: a step that is skipped leaves no trace, so the second is 1 - 0.1 * 1 = 0.9.
# Seen: memory that had held sevens begins the momentum with them, 1 - 0.1 * (0.9 * 7 + 1) = 0.27; in a training it may be anything, NaN too.
# `wsss` leaves it to the scaler, not to the kernel, whether a step is skipped (wsss_cli/engine/optimiser.py, `fuse`).
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "torch==2.14.1" "numpy==2.4.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cat > "$here/two_steps.py" <<'PYTHON'
import torch


def weight_after_two_steps(fused):
    weight = torch.nn.Parameter(torch.ones(1000))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    for slope in (float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale((weight * slope).sum()).backward()
        held = [torch.full((1000,), 7.0) for _ in range(50)]  # memory has held something before, as in any training
        del held
        scaler.step(optimizer)
        scaler.update()
    return weight.detach()


plain, fused = (weight_after_two_steps(fused) for fused in (False, True))
print(f"torch {torch.__version__}: plain SGD expected 0.90, seen {plain.min():.2f} to {plain.max():.2f}")
print(f"torch {torch.__version__}: fused SGD expected 0.90, seen {fused.min():.2f} to {fused.max():.2f}")
raise SystemExit(not (torch.allclose(plain, torch.tensor(0.9)) and not torch.allclose(fused, torch.tensor(0.9))))
PYTHON
(cd "$here" && venv/bin/python two_steps.py)
