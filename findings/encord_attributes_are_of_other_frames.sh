#!/usr/bin/env bash
# encord 0.1.211, the SDK of Encord: in the COCO it exports from videos, attributes that change over time are those of other frames, or are gone.
# One would expect of export_coco_labels, "Export labels from the project to the COCO format", whose format's docs say of classifications "All radio and
# checklist attributes and their answers", at each object the answer of its frame, as set_answer(frames=...) put it and the label row's own dictionary has it.
# Seen, of a video labelled in the frames 1 to 4, sits, stands, walks, sits: none, sits, stands, walks. Of one labelled in the frames 10, 11, 20 and 30: none at
# all. Of two videos labelled from frame 0 on: the first is right, the second has none. One video that is labelled from frame 0 on without a gap is right.
# Of 20 random projects of three videos, each labelled in 20 of 100 frames, with 1200 boxes: 25 have the right answer, 58 another, and 1117 none.
# Attributes that do not change over time are right at all 1200 boxes, and so are the boxes themselves and the images that they are in.
# No warning, and neither the docs nor the tracker name it. (Answers are kept by the number of the frame and looked up by COCO's number of the image; and
# those of the first video are kept for all.)
# What is labelled as it changes, a pose, a light, an instrument in use, an occlusion, is then learnt from the pictures of other moments, or as never there.
# `wsss prepare folder --coco` reads no attributes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "encord==0.1.211" "numpy==1.26.4" "opencv-python-headless==4.11.0.86" \
  "pycocotools==2.0.11" "shapely==2.2.0" "pydantic==2.14.4" "orjson==3.13.0" "cryptography==50.0.2" "python-dateutil==2.9.0.post0" "requests==2.34.2" \
  "tqdm==4.70.1" "typing-extensions==4.16.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
import random
from collections import Counter
from datetime import datetime
from importlib.metadata import version

from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.ontology import Ontology
from encord.orm.ontology import Ontology as Record
from encord.orm.storage import CustomerProvidedVideoMetadata
from encord.utilities.coco.exporter import CocoExporter

POSES, COATS = ("sits", "stands", "walks"), ("red", "blue")
structure = OntologyStructure()
person = structure.add_object("person", Shape.BOUNDING_BOX)
pose, coat = (person.add_attribute(RadioAttribute, name, dynamic=name == "pose") for name in ("pose", "coat"))
options = {name: attribute.add_option(name) for attribute, names in ((pose, POSES), (coat, COATS)) for name in names}
ontology = Ontology(Record("people", structure, "ontology", datetime(2026, 1, 1), datetime(2026, 1, 1)), None)


def labels(number, poses, colour):
    """A video of 100 frames with one person, a pose for each labelled frame and one coat; as the SDK gives it, with a number for its placeholder."""
    video = CustomerProvidedVideoMetadata(fps=10, duration=10, width=200, height=100, fileSize=1, mimeType="video/mp4")
    row, one = LabelRowV2.from_media_metadata(ontology, video), person.create_instance()
    for frame in poses:
        one.set_for_frames(BoundingBoxCoordinates(height=0.2, width=0.1, top_left_x=frame / 200, top_left_y=0.5), frames=frame)
    for frame, name in poses.items():
        one.set_answer(options[name], attribute=pose, frames=frame)
    one.set_answer(options[colour], attribute=coat)
    row.add_object_instance(one)
    assert all(one.get_answer(pose, filter_frame=frame)[0].answer.label == name for frame, name in poses.items())
    return json.loads(json.dumps(row.to_encord_dict()).replace("00000000-0000-0000-0000-000000000000", f"video{number}"))


def exported(videos, colours):
    """What the export says of each labelled frame: of its pose, and whether box and coat are right."""
    coco = CocoExporter([labels(k, poses, colours[k]) for k, poses in enumerate(videos)], structure).export()
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    found = [{} for _ in videos]
    for one in coco["annotations"]:
        _, video, frame = names[one["image_id"]].removesuffix(".jpg").split("/")
        number, frame, answers = int(video.removeprefix("video")), int(frame), one["attributes"]["classifications"]
        good = answers["coat"] == colours[number] and abs(one["bbox"][0] - frame) < 1e-6
        found[number][frame] = answers["pose"], good
    return found


print("encord", version("encord"))
known = True
walk = ["sits", "stands", "walks", "sits"]
for name, videos, wanted in (
    ("frames 0 to 3", [dict(enumerate(walk))], [walk]),
    ("frames 1 to 4", [dict(enumerate(walk, 1))], [[None, *walk[:3]]]),
    ("frames 10, 11, 20 and 30", [dict(zip((10, 11, 20, 30), walk))], [[None] * 4]),
    ("two videos, frames 0 to 3", [dict(enumerate(walk))] * 2, [walk, [None] * 4]),
):
    found = exported(videos, ["red"] * len(videos))
    seen = [[one[frame][0] for frame in sorted(one)] for one in found]
    print(f"{name}: expected {[walk] * len(videos)}, seen {seen}")
    known &= seen == wanted and all(good for one in found for _, good in one.values())

counts, goods = Counter(), 0
for seed in range(20):
    chance = random.Random(seed)
    videos = [{frame: chance.choice(POSES) for frame in sorted(chance.sample(range(100), 20))} for _ in range(3)]
    for poses, found in zip(videos, exported(videos, [chance.choice(COATS) for _ in videos])):
        for frame, name in poses.items():
            seen, good = found[frame]
            counts["right" if seen == name else "none" if seen is None else "another"] += 1
            goods += good
print(f"20 projects of three videos, {sum(counts.values())} boxes: expected all right, seen {dict(counts)}; with the right box and coat {goods}")
raise SystemExit(not (known and goods == 1200 and counts == {"right": 25, "another": 58, "none": 1117}))
PYTHON
