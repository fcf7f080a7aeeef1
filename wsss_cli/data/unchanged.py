"""Whether images and masks are still the files that were prepared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsss_cli.data.prepared import DatasetInfo, Sample
from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.places import digest_of

Known = tuple[Path, str, str]
"""A file, its digest and its stamp, as they were when it was prepared."""


def content_digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def stamp(path: Path) -> str:
    """Size and time of a file: while they are the same it is not read again.  "" if it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def require_unchanged(samples: Iterable[Sample]) -> None:
    """Raises WsssError naming the first image or mask that is not what was prepared: results would be of another set.

    Data that lies elsewhere now, with other times, is read once more for it.
    """
    doubtful = [known for sample in samples for known in _files(sample) if stamp(known[0]) != known[2]]
    changed = [known[0] for known, same in zip(doubtful, ParallelMap(_is_same, doubtful)) if not same]
    if changed:
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        what = f"{changed[0]}{more} is not the file that was prepared"
        raise WsssError(what, "put back what it was; or, if the new one is meant, run `wsss prepare` again")


def require_same_objects(info: DatasetInfo) -> None:
    """Raises WsssError naming the first place of true objects that is not what it was when the data was prepared."""
    for path, digest in zip(info.instances, info.objects):
        if not path.exists() or digest_of(path) != digest:
            raise WsssError(
                f"{path} is not what it was when the data set was prepared", "put it back, or prepare again"
            )


def _files(sample: Sample) -> Iterator[Known]:
    """Those of which a digest is known."""
    if sample.image_digest:
        yield sample.image, sample.image_digest, sample.stamps[0]
    if sample.mask is not None and sample.mask_digest:
        yield sample.mask, sample.mask_digest, sample.stamps[1]
    whole = sample.original
    if whole is not None and whole.digest and whole.image.exists():  # no stage reads it: it may be gone
        yield whole.image, whole.digest, whole.stamp


def _is_same(known: Known) -> bool:
    path, digest, _ = known
    try:
        return path.is_file() and content_digest(path.read_bytes()) == digest
    except OSError as error:  # forbidden is not changed
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error
