"""Objects from a CSV with a row for each: a box in columns or a cell, or run lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from wsss_cli.data.coco_entries import plain_id, whole
from wsss_cli.errors import WsssError
from wsss_folder.box_columns import BoxColumns, find_boxes, is_shares
from wsss_folder.cells import is_no_value, is_present, read_confidence
from wsss_folder.one_hot import UNCERTAIN, YES, is_binary
from wsss_folder.record import Record, Source, Thing
from wsss_folder.run_cells import Order, find_runs, is_known, is_nothing, read_cell
from wsss_folder.table import CONFIDENCE, Table

BOTH = ("image_label", "image_id_class_id", "image_class")  # columns of an image and, after the last _, its class
WIDTH, HEIGHT = ("image_width", "img_width", "width"), ("image_height", "img_height", "height")
OTHERS = ("name", "object", "class_id", "category_id", "label_id", "defect_id")  # of a class, where none has its name
SizeOf = Callable[[str], tuple[int, int]]
"""(width, height) of the image that a name means.  Raises WsssError."""


@dataclass(frozen=True)
class Objects:
    """How a table tells objects.

    key, group   the columns of the image and of crowds;  tags  that of the class, None if there is none
    boxes, runs  where they are: one of them is not None
    """

    table: Table
    key: str
    tags: str | None
    boxes: BoxColumns | None
    runs: str | None
    group: str | None


def find_objects(table: Table, key: str, tags: str | None) -> Objects | None:
    """How a table tells objects; None if it has neither boxes nor run lengths."""
    boxes = find_boxes(table)
    runs = find_runs(table) if boxes is None else None
    if boxes is None and runs is None:
        return None
    used = (*(boxes.columns if boxes else ()), runs)
    others = (c for name in OTHERS if (c := table.column((name,))) not in (None, key, *used))
    named = tags if tags is not None and tags not in used else next(others, None)
    return Objects(table, key, named, boxes, runs, table.column(("is_group_of",)))


def split_both(table: Table) -> Table:
    """A table whose one column names image and class ("a.jpg_4") with a column for each; any other as it is."""
    column = table.column(BOTH)
    if column is None or not all("_" in cells[column] for _, cells in table.rows):
        return table
    rows = []
    for line, cells in table.rows:
        image, _, name = cells[column].rpartition("_")
        rows.append((line, {"image": image, "class": name, **{c: v for c, v in cells.items() if c != column}}))
    return replace(table, columns=("image", "class", *(c for c in table.columns if c != column)), rows=rows)


def read_objects(
    found: Objects, least: float, asked: Sequence[str], order: Order, size_of: SizeOf | None = None
) -> Source:
    """A record for each row; one without a box or run says that there is none, or, with a class, gives a tag.

    least  the confidence from which an object counts;  asked  the classes, of which a lone one may be left unsaid
    order  how run lengths count pixels;  size_of  for these: the size of an image that no column tells
    Raises WsssError: no class, an order that is not known.
    """
    table = found.table
    if found.runs and order == "auto" and not is_known(table, found.runs):
        what = f"{table.path}: column '{found.runs}' holds run lengths, which may go down the columns or along the rows"
        raise WsssError(what, "say which: --rle-order columns, or rows (Sartorius, GI tract)")
    name_of = _names(found, asked)
    confidence = table.column(CONFIDENCE)
    records = []
    for image, where, cells in table.images(found.key):
        sure = read_confidence(cells, confidence, where)
        row = _Row(found, image, where, cells, name_of(cells))
        records.append(row.record(order, size_of) if is_present(sure, least) else row.absent(sure))
    records = _in_shares(records) if found.boxes else records
    return Source(
        f"{'boxes' if found.boxes else 'run lengths'} {table.kind}",
        table.path,
        records,
        notes=tuple(_notes(found, records, order)),
    )


@dataclass(frozen=True)
class _Row:
    """One row; name is the class, "" if it says that there is none."""

    found: Objects
    image: str
    where: str
    cells: Mapping[str, str]
    name: str

    def record(self, order: Order, size_of: SizeOf | None) -> Record:
        record = Record((self.image,), self.where)
        if not self.name:
            return record
        size = self._size()
        try:
            things = tuple(self._things(order, size, size_of))
        except (ValueError, OverflowError) as error:
            what = f"{self.where}: the box or run lengths of '{self.name}' cannot be read: {error}"
            return replace(record, problem=WsssError(what, "correct the row"))
        except WsssError:  # no such image, or one that cannot be opened: told when it is looked for
            return record
        if not things:
            classified = self.found.tags is not None and not self.found.runs
            return replace(record, tags=(self.name,), shapeless=1) if classified else record
        return replace(record, things=things, size=size)

    def absent(self, sure: float) -> Record:
        return Record((self.image,), self.where, unlabelled="" if sure == 0 else UNCERTAIN)

    def _things(self, order: Order, size: tuple[int, int] | None, size_of: SizeOf | None) -> Iterator[Thing]:
        boxes, runs, group = self.found.boxes, self.found.runs, self.found.group
        many = group is not None and self.cells[group].lower() in YES
        for corners in boxes.read(self.cells) if boxes else ():
            yield Thing(self.name, corners, crowd="ignore" if many else "")
        if runs and not is_nothing(self.cells[runs]):
            if size is None and size_of is None:
                raise ValueError("the size of the image is not known")
            sides = size or (size_of(self.image) if size_of else (0, 0))
            rle = read_cell(self.cells[runs], *sides, order)
            yield Thing(self.name, rle.corners(), rle=rle)

    def _size(self) -> tuple[int, int] | None:
        """As columns tell that are not those of the box."""
        used = self.found.boxes.columns if self.found.boxes else ()
        columns = (self.found.table.column(names) for names in (WIDTH, HEIGHT))
        width, height = (whole(self.cells[c]) if c and c not in used else None for c in columns)
        return (width, height) if width and height else None


def _names(found: Objects, asked: Sequence[str]) -> Callable[[Mapping[str, str]], str]:
    """A function from a row to the name of its class; of 0 and 1, 0 is none and 1 the lone class asked for."""
    column = found.tags
    if column is None:
        if len(asked) != 1:
            what = f"{found.table.path} has objects but no column for their class"
            raise WsssError(what, "name the class of all of them: --classes ship, or the column with --tags-column")
        return lambda cells: asked[0]
    if is_binary(found.table, column) and _zeros_are_none(found, column):
        name = asked[0] if len(asked) == 1 else column
        return lambda cells: name if cells[column].lower() in YES else ""
    return lambda cells: "" if is_no_value(cells[column]) and cells[column] not in asked else _name(cells[column])


def _name(cell: str) -> str:
    return str(plain_id(cell)) if cell else ""


def _zeros_are_none(found: Objects, column: str) -> bool:
    return all(cells[column].lower() in YES or not _has_object(found, cells) for _, cells in found.table.rows)


def _has_object(found: Objects, cells: Mapping[str, str]) -> bool:
    if found.runs:
        return not is_nothing(cells[found.runs])
    try:
        return found.boxes is not None and bool(found.boxes.read(cells))
    except ValueError:
        return True


def _in_shares(records: list[Record]) -> list[Record]:
    if not is_shares([thing.corners for record in records for thing in record.things]):
        return records
    return [replace(r, things=tuple(replace(t, relative=True) for t in r.things)) for r in records]


def _notes(found: Objects, records: Sequence[Record], order: Order) -> Iterator[str]:
    name = found.table.path.name
    shares = any(thing.relative for record in records for thing in record.things)
    if found.boxes:
        yield f"{name}: {found.boxes}{', shares of the sides' if shares else ''}"
    else:
        down = "along the rows" if order == "rows" else "down the columns"
        yield f"{name}: run lengths are in column '{found.runs}', pixels counted from 1 {down}"
    bare = sum(record.shapeless for record in records)
    if bare:
        yield f"{name}: {bare} row(s) have a class but no box: a tag each"
