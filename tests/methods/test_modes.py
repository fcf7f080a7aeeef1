"""What one real step of every training changes, and the mode in which each module works in it.

Read from the papers' released code.  The trainings are those that the stages of the released recipes (voc) make, on
tiny networks; the state dicts before and after an iteration of `fit` are compared.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from host_reads import counting
from tiny_recipes import Tiny
from wsss_cli.data.prepared import Prepared
from wsss_cli.engine import loop
from wsss_cli.errors import WsssError

EVERYTHING = (r".*",)


@dataclass(frozen=True)
class Case:
    """What holds of one training of a method.

    stage, number, of  the stage that trains it, and which of its trainings it is
    changes  patterns of the names of all parameters and buffers that change, each of which does find some
    later    the same, of what changes only from the second iteration on
    fixed    patterns of names that do not, although one of `changes` fits
    still    patterns of the modules that are in eval mode while the network learns; all others are in training mode
    looking  whether what sees images without a gradient is in training mode
    resumed  whether it is also stopped and resumed
    """

    name: str
    stage: str
    number: int = 0
    of: int = 1
    changes: tuple[str, ...] = EVERYTHING
    fixed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    looking: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    resumed: bool = False
    later: tuple[str, ...] = ()

    def tiny(self, data: Prepared, folder: Path, device: str = "cpu") -> Tiny:
        return Tiny(data, folder, self.name, "voc", device)


def train(**settings: Any) -> dict[str, Any]:
    return {"train": settings}


NORMS = r"backbone\.body\.(conv1\.[14]|bn1|layer\d\.\d\.(bn\d|downsample\.2))(\.|$)"
STATISTICS = r"backbone.*(running_|num_batches)"
MASKS = {"labels": "masks"}
ROUND = train(**MASKS, cyclic={"infer": {"scales": [1.0], "flip": False, "crf": False}})
AT_ONCE = {"contrast_from": 0, "segmentation_from": 0}
SEAM = (r"backbone\.body\.layer[234]\.", r"fc8", r"f8_3", r"f8_4", r"f9")

# test_resnet is a ResNet of timm: conv1 and bn1 at stride 2, layer1 to layer4 at strides 4, 8, 16, 16
CASES = {
    # nothing up to layer2 learns, all batch norms keep their statistics, gamma and beta of layer3 and layer4 learn
    "irn: classifier": Case(
        "irn",
        "seeds",
        changes=(r"layer[34]\..*conv\d\.", r"layer[34]\..*bn\d\.", r"layer[34]\..*downsample", r"classifier\."),
        fixed=(STATISTICS,),
        still=(NORMS,),
        resumed=True,
    ),
    # ReCAM's variant: only the stem is fixed
    "irn: classifier, not detached": Case(
        "irn",
        "seeds",
        changes=(r"layer1\.", r"layer2\.", r"layer[34]\.", r"classifier\."),
        fixed=(STATISTICS,),
        still=(NORMS,),
        settings={"seeds": {"net": {"detach": False}}},
    ),
    # the whole backbone is fixed and in eval mode; the mean shift is found after the training
    "irn: boundaries and displacements": Case(
        "irn",
        "pseudo",
        changes=(r"boundary\.", r"displacement\."),
        fixed=(r"mean_shift",),
        still=(r"backbone\.",),
        looking=False,
        settings={"seeds": {"scales": [1.0]}},
        resumed=True,
    ),
    "irn: segmentation": Case("irn", "train", settings=train(**MASKS), resumed=True),
    "irn: segmentation, fixed statistics": Case(
        "irn", "train", fixed=(STATISTICS,), still=(NORMS,), settings=train(**MASKS, net={"freeze_bn": True})
    ),
    # both networks learn whole, batch statistics included
    "beco: mixed by the given labels": Case(
        "beco", "train", changes=(r"network1\.", r"network2\."), settings=train(**MASKS, mixing={"warm_up": 9})
    ),
    # to label images they are in eval mode, without gradient, and back in training mode to learn
    "beco: mixed by their own labels": Case(
        "beco",
        "train",
        changes=(r"network1\.", r"network2\."),
        looking=False,
        settings=train(**MASKS),
        resumed=True,
    ),
    # conv1, bn1, layer1 and every batch norm are fixed, gamma and beta too (of WideResNet38 what reaches stride 2)
    "ppmg: rough network": Case(
        "ppmg", "seeds", 0, 2, (r"layer1\.", *SEAM), fixed=(NORMS,), still=(NORMS,), resumed=True
    ),
    "ppmg: classifier": Case("ppmg", "seeds", 1, 2, SEAM, fixed=(NORMS,), still=(NORMS,)),
    # nothing is fixed: trainable batch norms, norm_eval False
    "ppmg: segmentation": Case("ppmg", "train", 0, 2, settings=ROUND, resumed=True),
    "ppmg: segmentation, cyclic round": Case("ppmg", "train", 1, 2, settings=ROUND),
    # positions stay, the gain of the projection's last layer is 1; the teacher, the student's copy, follows only then
    "toco": Case(
        "toco",
        "train",
        changes=(r"^encoder\.", r"^decoder\.", r"^classifier", r"^aux_classifier", r"^proj_head"),
        later=(r"^teacher\.",),
        fixed=(r"pos_embed", r"weight_g"),
        settings=train(losses=AT_ONCE | {"cam_from": 0}),
        resumed=True,
    ),
    # a hybrid's network stays as it is pretrained, in eval mode; its projection learns with the transformer
    "toco: hybrid": Case(
        "toco",
        "train",
        changes=(r"^encoder\.", r"^decoder\.", r"lassifier", r"^proj_head"),
        fixed=(r"pos_embed", r"weight_g", r"proj\.backbone\."),
        still=(r"^encoder\.body\.patch_embed\.proj\.backbone",),
        settings=train(losses=AT_ONCE, net={"stem": {"backbone": "test_resnet", "pretrained": "none"}}),
    ),
    "locbe": Case(
        "locbe",
        "train",
        changes=(r"^encoder\.", r"^decoder\.", r"^classifier", r"^aux_classifier"),
        fixed=(r"pos_embed",),
        settings=train(phases=[{"boundary": 1.0, "local": 1.0, "patch_contrast": 0.3, "segmentation": 0.1}]),
        resumed=True,
    ),
    # student and teacher both with stochastic depth; positions learn; the teacher and the centres follow
    "puf": Case(
        "puf",
        "train",
        changes=(r"pos_embed", r"^encoder\.", r"^decoder\.", r"^projector", r"^teacher\.", r"^centres\.", r"lassifier"),
        settings=train(losses=AT_ONCE),
        resumed=True,
    ),
    "puf: steady": Case(
        "puf",
        "train",
        still=(r"^teacher\.",),
        looking=False,
        settings=train(losses=AT_ONCE, distillation={"steady": True}),
    ),
    # CLIP and DINOv2 are frozen and in eval mode
    "weclip": Case("weclip", "train", changes=(r"^fusion", r"^decoder"), still=(r"^encoder\.", r"^dino\.")),
    # batch norms in eval mode always, their gamma and beta in no group of the optimiser
    "bcm: base": Case("bcm", "train", 0, 3, fixed=(NORMS,), still=(NORMS,), settings=train(**MASKS), resumed=True),
    "bcm: bcm": Case("bcm", "train", 1, 3, (r"backbone", r"head", r"bcm"), (NORMS,), (NORMS,), settings=train(**MASKS)),
    "bcm: fr": Case("bcm", "train", 2, 3, (r"backbone", r"head", r"bcm"), (NORMS,), (NORMS,), settings=train(**MASKS)),
}


TAGS = {"online.py: nonzero": 1, "dual.py: nonzero": 4}
READS: dict[str, dict[str, int]] = {
    # on a GPU it adds up without asking
    "irn: boundaries and displacements": {"losses.py: bincount": 1},
    # which samples are mixed and changed is drawn on the host, and stays there
    "beco: mixed by the given labels": {"mixing.py: nonzero": 1, "augment.py: nonzero": 64},
    "beco: mixed by their own labels": {"mixing.py: nonzero": 1, "augment.py: nonzero": 64},
    # tags stay on the host; the map of regions is copied there once: what is drawn, and its size, depends on it
    "toco": TAGS | {"crops.py: nonzero": 4},
    "toco: hybrid": TAGS | {"crops.py: nonzero": 4},
    "locbe": TAGS | {"windows.py: nonzero": 2},
    "weclip": {
        "softmax_cam.py: _local_scalar_dense": 1,
        "softmax_cam.py: nonzero": 2,
        "refinement.py: nonzero": 4,
        "step.py: nonzero": 4,
    },
    "puf": {"online.py: nonzero": 2, "dual.py: nonzero": 8},
    "puf: steady": {"online.py: nonzero": 2, "dual.py: nonzero": 8},
}
"""What a step asks for; nothing, if it does not stand here.  On a GPU all of these are asked of tensors on the host."""

LATTICE = ("lattice.py", "simplex.py", "sparse.py")
"""Files of the dense energy's filter, whose size depends on the images' colours: it must ask."""


WAITS = {"toco": 41, "toco: hybrid": 41, "locbe": 1, "weclip": 1, "puf": 40, "puf: steady": 40}
"""How often an iteration on a GPU may wait: once for the map of regions or for WeCLIP's
boxes, 40 times for the dense energy's filter."""


@dataclass
class Seen:
    """One training: the names that its first iteration here changed, of all that there are; and who worked how.

    used   of each module with state or randomness the (whether gradients were wanted, whether in training mode)
    reads  how often the step asked for values or sizes that the device has
    """

    names: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    used: dict[str, set[tuple[bool, bool]]] = field(default_factory=dict)
    reads: Counter[str] = field(default_factory=Counter)


@dataclass
class Watch:
    """What `fit` does while it is watched, one entry per training; it fails

    stop  after the first iteration of each; last  after the first iteration of the training of that number
    """

    iterate: Callable[..., Any]
    stop: bool = False
    last: int = 99
    trainings: list[Seen] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)

    def __call__(self, state: Any, *args: Any) -> Any:
        if any(state is known for known in self.states):
            if self.stop:
                raise WsssError("stopped")
            return self.iterate(state, *args)
        self.states.append(state)
        modules = {"": state.training.model, **{f"{n}.": m for n, m in state.training.modules.items()}}
        seen, before = Seen(), _copies(modules)
        self.trainings.append(seen)
        state.training.step = counting(step := state.training.step, seen.reads)
        hooks = [h for prefix, module in modules.items() for h in _listen(prefix, module, seen)]
        result = self.iterate(state, *args)
        state.training.step = step
        for hook in hooks:
            hook.remove()
        after = _copies(modules)
        seen.names = set(after)
        seen.changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
        if len(self.trainings) == self.last:
            raise WsssError("stopped")
        return result


@contextmanager
def watching(stop: bool = False, last: int = 99) -> Iterator[Watch]:
    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(loop._State.iterate, stop, last)
        patch.setattr(loop._State, "iterate", lambda *args: watch(*args))
        yield watch


@contextmanager
def counting_waits(number: int) -> Iterator[list[str]]:
    """What torch says of waits in the second iteration of the training of that number, after which `fit` fails."""
    found: list[str] = []
    seen: list[Any] = []
    iterate = loop._State.iterate

    def watched(state: Any, *args: Any) -> Any:
        first = not any(state is known for known in seen)
        seen.extend([state] * first)
        if first or len(seen) <= number:
            return iterate(state, *args)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                iterate(state, *args)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        found.extend(f"{w.filename}:{w.lineno}" for w in caught if "synchroniz" in str(w.message))
        raise WsssError("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._State, "iterate", watched)
        yield found


@pytest.fixture(scope="module")
def trainings(scenes: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Seen]:
    """The training of a case; those that one run makes are run once."""
    runs: dict[str, list[Seen]] = {}

    def seen(case: Case) -> Seen:
        key = repr((case.name, case.stage, case.settings))
        if key not in runs:
            before = 1 if case.stage == "pseudo" else 0
            with watching(last=before + case.of) as watch, pytest.raises(WsssError, match="stopped"):
                case.tiny(scenes, tmp_path_factory.mktemp(case.name)).run(case.stage, case.settings)
            runs[key] = watch.trainings
        return runs[key][-case.of :][case.number]

    return seen


def _copies(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {p + name: value.clone() for p, module in modules.items() for name, value in module.state_dict().items()}


def _listen(prefix: str, module: nn.Module, seen: Seen) -> Iterator[Any]:
    def note(name: str) -> Callable[[nn.Module, Any], None]:
        return lambda m, _: seen.used.setdefault(name, set()).add((torch.is_grad_enabled(), m.training))

    for name, inner in module.named_modules():
        if not list(inner.children()):
            yield inner.register_forward_pre_hook(note(prefix + name))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, name) for pattern in patterns)


def check(case: Case, seen: Seen) -> None:
    may = {name for name in seen.names if _matches(name, case.changes) and not _matches(name, case.fixed)}
    assert seen.changed <= may
    for pattern in case.changes:
        assert any(re.search(pattern, name) for name in seen.changed), pattern
    for pattern in case.fixed:
        assert any(re.search(pattern, name) for name in seen.names), pattern
    wrong = {
        name: modes
        for name, modes in seen.used.items()
        for wanted, training in modes
        if training != (not _matches(name, case.still) and (wanted or case.looking))
    }
    assert not wrong


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_step_changes_what_learns_and_nothing_else(trainings: Callable[[Case], Seen], case: Case) -> None:
    check(case, trainings(case))


@pytest.mark.parametrize("name", CASES)
def test_a_step_reads_no_more_from_the_device_than_allowed(trainings: Callable[[Case], Seen], name: str) -> None:
    """A new one makes a GPU stand still: replace it, or say in docs/speed.md why it must be."""
    reads = trainings(CASES[name]).reads
    assert {key: n for key, n in reads.items() if not key.startswith(LATTICE)} == READS.get(name, {})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", CASES)
def test_a_step_on_a_gpu_waits_no_more_than_allowed(scenes: Prepared, tmp_path: Path, name: str) -> None:
    """Forward, backward and optimiser of one iteration, whose losses are read by an event, which is no such wait."""
    case = CASES[name]
    tiny, waits = case.tiny(scenes, tmp_path, "cuda"), WAITS.get(name, 0)
    number = case.number + (1 if case.stage == "pseudo" else 0)
    with counting_waits(number) as found, pytest.raises(WsssError, match="stopped"):
        tiny.run(case.stage, case.settings)
    assert len(found) <= waits, Counter(found)


@pytest.mark.parametrize(
    "case", [c for c in CASES.values() if c.resumed], ids=[n for n, c in CASES.items() if c.resumed]
)
def test_a_training_that_is_resumed_goes_on_in_the_same_modes(scenes: Prepared, tmp_path: Path, case: Case) -> None:
    tiny = case.tiny(scenes, tmp_path)
    if case.stage == "pseudo":
        tiny.run("seeds", case.settings)
    with watching(stop=True) as first, pytest.raises(WsssError, match="stopped"):
        tiny.run(case.stage, case.settings)
    with watching(last=1) as second, pytest.raises(WsssError, match="stopped"):
        tiny.run(case.stage, case.settings)
    assert second.trainings[0].used == first.trainings[-1].used
    check(replace(case, changes=(*case.changes, *case.later)), second.trainings[0])
