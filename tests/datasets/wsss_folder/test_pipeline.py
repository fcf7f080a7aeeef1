"""Seeds of IRN on nested names that are not in ASCII: an id becomes a file and is found again."""

import yaml

from tiny_folder import Folder, write, write_csv, write_image

NAMES = ("Schnitt 1/é 01.jpg", "Schnitt 1/図.v2.png", "切片/é 01.jpg", "a.jpg", "a.png")
RECIPE = {
    "seeds": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "detach": False, "freeze_bn": False},
        "training": {"resize_long": [56, 72], "crop": 64, "loop": {"epochs": 1, "batch": 2}},
        "scales": [1.0],
    }
}


def test_seeds_are_made_and_scored(folder: Folder) -> None:
    for name in NAMES:
        write_image(folder.images / name, (64, 48))
    write_csv(folder.path / "tags.csv", {name: (("Körper", "b c")[n % 2],) for n, name in enumerate(NAMES)})
    write(folder.path / "tiny.yaml", yaml.safe_dump(RECIPE))
    prepared, _ = folder.typed("--val", 0.4)
    done = folder.command("seeds", "irn", "--recipe", "tiny.yaml", seconds=120)
    assert done.code == 0, done.text
    made = {path.name for path in (folder.path / "runs/folder/irn/default/seeds/cam").iterdir()}
    assert made == {f"{sample.id}.npz" for sample in prepared.split("train")} and len(made) == 3
    report = folder.command("report")
    assert report.code == 0 and "without" not in report.err, report.text
