#!/usr/bin/env bash
# sleap-io 0.9.5, reader and writer of labelled videos: boxes and outlines of a video written for YOLO all fall on its first frame.
# One would expect of save_ultralytics with task="detect" or "segment", where "ROIs from the Labels object are written instead of pose instances", all else
# as task="pose" does it: an image and a label file for each labelled frame, divided among the splits as asked for.
# Seen, of a video of 10 labelled frames with a box each: one image, frame 0, with 10 boxes of which one is there, though frame 0 need not be labelled at all:
# with frames 5 to 9 labelled it is frame 0 with their five boxes. Of 80% for train and 20% for val, all is in train. Three videos give three images.
# So for images as a video and for its outlines; task="pose" writes 10 images and divides them 8 to 2.
# Seen besides: of the outlines it writes, its own reader gives back those with 3, 4, 6, 7, 9, 10 corners, and none with 5, 8, 11 or 14, which it takes for
# keypoints without a skeleton and leaves out with a warning for each line: a third of all outlines, though data.yaml says "task: segment".
# No warning of the former, and its tracker names neither. (They are gathered by the video's name, without the frame, and frame 0 is read for its size.)
# Detectors trained on it see one picture of each video, with objects where there are none, and a validation set that is missing or of other videos.
# `wsss` does not use sleap-io.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.4.6" "attrs==26.1.0" "h5py==3.16.0" "pandas==2.3.3" "simplejson==4.3.0" "imageio==2.38.1" "tifffile==2026.3.3" "pillow==11.3.0" \
  "tqdm==4.70.1" "PyYAML==6.0.4" "shapely==2.2.0" "lazy-loader==0.6" "fsspec==2026.9.0" "opencv-python-headless==4.13.0.92"
install --no-deps "sleap-io==0.9.5"
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import warnings
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import imageio.v3 as images
import numpy as np
import sleap_io as sio

SIZE, SIDE = (120, 160), 10


def video(frames=10):
    """A video whose frame k is grey 20 k."""
    files = []
    folder = Path(mkdtemp(dir="."))
    for k in range(frames):
        files.append(str(folder / f"{k}.png"))
        images.imwrite(files[-1], np.full(SIZE, 20 * k, np.uint8))
    return sio.Video.from_filename(files)


def labels(videos, frames, kind):
    """An object in each of the frames, of frame k at x = 10 k."""
    skeleton = sio.Skeleton(["a", "b"])
    found = []
    for one in videos:
        for k in frames:
            frame = sio.LabeledFrame(video=one, frame_idx=k)
            x = SIDE * k
            if kind == "detect":
                frame.bboxes.append(sio.UserBoundingBox.from_xywh(x, 20, SIDE, SIDE, category="mouse"))
            elif kind == "segment":
                frame.rois.append(sio.UserROI.from_polygon([(x, 20), (x + SIDE, 20), (x + 5, 30)], category="mouse"))
            else:
                frame.instances.append(sio.Instance.from_numpy(np.array([[x, 20.0], [x + SIDE, 30.0]]), skeleton=skeleton))
            found.append(frame)
    return sio.Labels(labeled_frames=found, skeletons=[skeleton] if kind == "pose" else [])


def written(given, kind, splits):
    """By split, for each image which frame it shows and of which frames the objects in its labels are."""
    root = Path(mkdtemp(dir="."))
    sio.save_ultralytics(given, str(root), split_ratios=splits, task=kind, verbose=False)
    found = {}
    for split in splits:
        found[split] = []
        for image in sorted((root / split / "images").glob("*.png")):
            shown = int(images.imread(image).flat[0]) // 20
            rows = [list(map(float, line.split()[1:])) for line in (root / split / "labels" / f"{image.stem}.txt").read_text().splitlines()]
            lefts = [row[0] - row[2] / 2 if kind == "detect" else min(row[::2]) if kind == "segment" else row[-6] for row in rows]
            found[split].append((shown, [round(x * SIZE[1] / SIDE) for x in lefts]))
    return found


print("sleap-io", version("sleap-io"))
known = True
every, late = list(range(10)), list(range(5, 10))
for kind in ("detect", "segment", "pose"):
    for frames in (every, late):
        seen = written(labels([video()], frames, kind), kind, {"train": 1.0})["train"]
        right = sorted(shown for shown, _ in seen) == frames and all(objects == [shown] for shown, objects in seen)
        print(f"{kind}, frames {frames}: expected {len(frames)} images, each with its own object, seen {len(seen)}: {seen[:3]}")
        known &= right if kind == "pose" else seen == [(0, frames)]
    seen = {split: len(rows) for split, rows in written(labels([video()], every, kind), kind, {"train": 0.8, "val": 0.2}).items()}
    print(f"{kind}, 80% and 20%: expected {{'train': 8, 'val': 2}}, seen {seen}")
    known &= seen == ({"train": 8, "val": 2} if kind == "pose" else {"train": 1, "val": 0})
    seen = len(written(labels([video() for _ in range(3)], every, kind), kind, {"train": 1.0})["train"])
    print(f"{kind}, three videos: expected 30 images, seen {seen}")
    known &= seen == (30 if kind == "pose" else 3)

back = {}
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for corners in range(3, 35):
        turn = np.linspace(0.1, 0.1 + 2 * np.pi, corners, endpoint=False)
        frame = sio.LabeledFrame(video=video(1), frame_idx=0)
        frame.rois.append(sio.UserROI.from_polygon(list(zip(80 + 50 * np.cos(turn), 60 + 50 * np.sin(turn))), category="mouse"))
        root = Path(mkdtemp(dir="."))
        sio.save_ultralytics(sio.Labels(labeled_frames=[frame]), str(root), split_ratios={"train": 1.0}, task="segment", verbose=False)
        assert "task: segment" in (root / "data.yaml").read_text()
        back[corners] = len(sio.load_ultralytics(str(root), split="train").rois)
lost = [corners for corners, count in back.items() if count == 0]
print(f"outlines of 3 to 34 corners, written and read: expected 0 lost, seen {len(lost)}: {lost}; warnings: {len(told)}")
known &= lost == list(range(5, 35, 3)) and len(told) == len(lost)
raise SystemExit(not known)
PYTHON
