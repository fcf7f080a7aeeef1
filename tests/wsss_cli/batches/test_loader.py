"""Training batches: the same images whatever the ranks, parts, workers and points of resumption."""

import multiprocessing
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from processes import Forked
from wsss_cli.batches.loader import readers_watched, sample_rng, torch_rng, training_loader
from wsss_cli.errors import WsssError


class Numbers:
    def __len__(self) -> int:
        return 11

    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        return {"index": index, "draw": rng.random()}


def drawn(batch: int, parts: int = 1, world: int = 1, start: int = 0, total: int = 6, **more: Any) -> list[list[tuple]]:
    """For each iteration what all ranks and parts draw, sorted."""
    ranks = []
    for rank in range(world):
        options = {"rank": rank, "world": world, "seed": 7, "start": start, "total": total, "workers": 0}
        ranks.append(list(training_loader(Numbers(), batch, parts=parts, **(options | more))))
    out = []
    for k in range(total - start):
        lists = [b for rank in ranks for b in rank[k * parts : (k + 1) * parts]]
        assert all(len(b["index"]) == batch for b in lists)
        out.append(sorted((int(i), float(d)) for b in lists for i, d in zip(b["index"], b["draw"])))
    return out


def test_ranks_and_parts_cut_the_same_batches() -> None:
    whole = drawn(4)
    assert drawn(2, world=2) == whole and drawn(1, parts=2, world=2) == whole and drawn(1, parts=4) == whole


def test_resumption_needs_no_state() -> None:
    assert drawn(4, start=3) == drawn(4)[3:]
    assert drawn(2, parts=2, start=3) == drawn(4)[3:]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on fork beside torch's threads
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on one core
def test_worker_processes_draw_the_same() -> None:
    assert drawn(4, workers=2) == drawn(4)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_readers_start_in_one_way_on_every_python() -> None:
    options = {"rank": 0, "world": 1, "seed": 0, "start": 0, "total": 1}
    readers = training_loader(Numbers(), 4, workers=1, **options).multiprocessing_context
    assert readers.get_start_method() == ("fork" if sys.platform == "linux" else "spawn")
    assert training_loader(Numbers(), 4, workers=0, **options).multiprocessing_context is None


def reading(data: Any) -> None:
    """A training of two readers that fails after its first batch."""
    with readers_watched():
        batches = iter(training_loader(data, 4, rank=0, world=1, seed=0, start=0, total=6, workers=2))
        next(batches)
        raise ValueError("of the training")


def test_the_end_of_readers_is_told_to_nobody(tmp_path: Path) -> None:
    """torch, which is told of it, raises wherever the program is then."""

    def training() -> None:
        for _ in range(5):
            with pytest.raises(ValueError, match="of the training") as error:
                reading(Numbers())
            time.sleep(0.1)
            assert error.tb  # in whose frames the readers' batches are, as they are in a program that ends
        assert not multiprocessing.active_children()

    done = Forked(training, tmp_path).wait()
    assert done.code == 0, done.text


class Large(Numbers):
    def item(self, index: int, rng: random.Random) -> dict[str, Any]:
        return {"image": torch.zeros(100_000)}


@pytest.mark.skipif(sys.platform != "linux", reason="has another kind of shared memory")
def test_too_little_shared_memory_is_one_message(tmp_path: Path) -> None:
    """A limit of files holds for it, too."""

    def training() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        with pytest.raises(WsssError, match=r"batches in /dev/shm: File too large\n  .*--shm-size.* --workers 0$"):
            reading(Large())

    done = Forked(training, tmp_path).wait()
    assert done.code == 0, done.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "unable to allocate shared memory(shm) for file </torch_7_1_0>: No space left on device (28)",
            "No space left",
        ),
        ("unable to open shared memory object </torch_7_1_0> in read-write mode: Too many open files (24)", "Too many"),
        ("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that", "no room is left there"),
    ],
)
def test_what_torch_says_of_shared_memory(said: str, told: str) -> None:
    with pytest.raises(WsssError, match=f"in /dev/shm: {told}"), readers_watched():
        raise RuntimeError(said)


def test_an_epoch_has_every_image_once_and_drops_the_rest() -> None:
    epochs = [drawn(4)[i : i + 2] for i in (0, 2, 4)]
    for epoch in epochs:
        assert len({i for batch in epoch for i, _ in batch}) == 8
    assert len({str([[i for i, _ in batch] for batch in epoch]) for epoch in epochs}) == 3  # each in another order


def test_draws_depend_on_seed_epoch_and_index() -> None:
    values = {sample_rng(*key).random() for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}
    assert len(values) == 4 and sample_rng(1, 2, 3).random() == sample_rng(1, 2, 3).random()
    assert torch.rand((), generator=torch_rng(sample_rng(1, 2, 3))) == torch.rand(
        (), generator=torch_rng(sample_rng(1, 2, 3))
    )


def test_starting_a_loader_draws_nothing_from_the_training() -> None:
    before = torch.get_rng_state()
    next(iter(training_loader(Numbers(), 4, rank=0, world=1, seed=0, start=0, total=1, workers=0)))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_larger_than_the_data() -> None:
    with pytest.raises(WsssError, match="the batch of 12 is larger than the 11 training images"):
        drawn(3, parts=2, world=2)
