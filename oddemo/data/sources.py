"""Foreign datasets as splits: which of a source's files or lists become train, val and test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from oddemo.data.records import Dataset
from oddemo.data.splits import USUAL_SPLITS, SplitChoice, split_by_chance
from oddemo.errors import OddemoError

#: Our split → other names for it in the wild.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
#: The name of the only split of a source that lists none.
WHOLE = "all"


def read_source(
    kind: str,
    source: str,
    scratch: Path,
    *,
    choices: tuple[SplitChoice, ...] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, Dataset]:
    """Read a foreign dataset, split by split.

    Args:
        kind: `voc`, `coco`, `tfrecord` or `tfds`.
        source: A folder, a file, a pattern or a name, whatever the kind takes.
        scratch: An empty folder for pictures that are stored inside records.
        choices: The splits to make. If not given: those of train, val and test that the source lists, under their usual
            other names too; the whole as `all` if it lists none.
        class_names: The classes in the order of their ids, where the source does not say.
        seed: Seed for splits by chance.

    Returns:
        Split name → its pictures; all with the same classes.

    Raises:
        OddemoError: If the kind is unknown, a split is missing, or the classes of the splits differ.
    """
    if kind not in _READERS:
        raise OddemoError("This kind of dataset is not known.", expected=", ".join(_READERS), found=kind)
    listed, read = _READERS[kind](source, scratch, class_names)
    if choices is not None and choices[0].fraction is not None:
        if len(listed) > 1 and None not in listed:
            raise OddemoError(
                f"{source} is split already; splits by chance need one whole.",
                expected="train=<name in the source>",
                found=", ".join(map(str, listed)),
            )
        return split_by_chance(read(None if None in listed else listed[0]), choices, seed=seed)
    if choices is None:
        choices = _usual(listed)
    datasets = {choice.name: read(choice.source_name) for choice in choices}
    _refuse_other_classes(datasets)
    return datasets


#: What a source lists (None: it can be read whole), and how to read one of these.
_Reader = tuple[tuple[str | None, ...], Callable[[str | None], Dataset]]


def _usual(listed: tuple[str | None, ...]) -> tuple[SplitChoice, ...]:
    first_alias = {ours: next((name for name in _ALIASES[ours] if name in listed), None) for ours in USUAL_SPLITS}
    found = tuple(SplitChoice(ours, name) for ours, name in first_alias.items() if name is not None)
    return found or (SplitChoice(WHOLE, None if None in listed else listed[0]),)


def _refuse_other_classes(datasets: Mapping[str, Dataset]) -> None:
    first = next(iter(datasets.values()))
    for dataset in datasets.values():
        if dataset.class_names != first.class_names:
            raise OddemoError(
                f"{dataset.name} and {first.name} have different classes.",
                expected=", ".join(first.class_names),
                found=", ".join(dataset.class_names),
                do="give every file the same list of categories",
            )


def _voc(source: str, scratch: Path, class_names: Sequence[str] | None) -> _Reader:
    del scratch
    from oddemo.data.voc import read_voc, voc_splits

    return (*voc_splits(Path(source)), None), lambda split: read_voc(Path(source), split, class_names)


def _coco(source: str, scratch: Path, class_names: Sequence[str] | None) -> _Reader:
    del scratch
    from oddemo.data.coco import read_coco

    if class_names is not None:
        raise OddemoError("COCO files name their classes themselves.", do="leave the class names away")
    folder = Path(source)
    if not folder.is_dir():
        return (None,), lambda split: read_coco(folder if split is None else folder.parent / split)
    files: dict[str | None, Path] = {}
    for name in (alias for aliases in _ALIASES.values() for alias in aliases):
        patterns = (
            f"{name}.json",
            f"annotations/{name}.json",
            f"annotations/instances_{name}*.json",
            f"{name}/*coco.json",
        )
        found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
        if found:
            files[name] = found[0]
    if not files:
        raise OddemoError(
            f"No COCO file is found in {folder}.",
            expected="train.json, annotations/instances_train*.json or train/_annotations.coco.json; also val and test",
            do="give the JSON file itself",
        )
    return tuple(files), lambda split: read_coco(files[split] if split in files else folder / str(split))


def _tfrecord(source: str, scratch: Path, class_names: Sequence[str] | None) -> _Reader:
    from oddemo.data.tfrecord import read_tfrecords

    folder = Path(source)
    if not folder.is_dir():
        return (None,), lambda split: read_tfrecords(source, scratch / (split or WHOLE), class_names)
    names = tuple(name for aliases in _ALIASES.values() for name in aliases if any(folder.glob(f"{name}*record*")))
    if not names:
        raise OddemoError(
            f"No TFRecords are found in {folder}.",
            expected="train-00000-of-00001.tfrecord, val-…, test-…",
            do="give a pattern in quotes, such as 'folder/part-*'",
        )
    return names, lambda split: read_tfrecords(folder / f"{split}*record*", scratch / str(split), class_names)


def _tfds(source: str, scratch: Path, class_names: Sequence[str] | None) -> _Reader:
    from oddemo.data.tfds import read_tfds, tfds_splits

    if class_names is not None:
        raise OddemoError("TensorFlow Datasets name their classes themselves.", do="leave the class names away")
    return tfds_splits(source), lambda split: read_tfds(source, str(split), scratch / str(split))


_READERS: Mapping[str, Callable[[str, Path, Sequence[str] | None], _Reader]] = {
    "voc": _voc,
    "coco": _coco,
    "tfrecord": _tfrecord,
    "tfds": _tfds,
}
#: The kinds of datasets that `read_source` knows.
SOURCE_KINDS = tuple(_READERS)
