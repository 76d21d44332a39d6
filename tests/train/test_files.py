"""Pictures from folders and libraries: which are held out, how they look, what is said of bad ones.

`datasets` and `torchvision` are tried where they are installed. Where they are not, a module with
the few calls of theirs that we make reads the same files.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from genmath.train import Data, load
from genmath.train.order import Order
from tests.cli.command import run

RED, BLUE = (255, 0, 0), (0, 0, 255)


def paint(file: Path, colour: Any, size: tuple[int, int] = (12, 8), mode: str = "RGB") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(file)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve red ones and eight blue ones, each a little darker than the last."""
    root = tmp_path / "photos"
    for i in range(12):
        paint(root / "red" / f"{i}.png", (255 - 4 * i, 0, 0))
    for i in range(8):
        paint(root / "deep" / "blue" / f"{i}.JPG", (0, 0, 255 - 4 * i))
    return root


def batches(data: Data, workers: int, count: int = 5) -> list[Any]:
    order = Order(data.size, 4, 4, 0)
    loader: Any = DataLoader(
        data.train, batch_sampler=order, num_workers=workers, collate_fn=lambda batch: batch
    )
    return [batch for batch, _ in zip(loader, range(count), strict=False)]


def test_folders_are_classes_and_pictures_are_square_between_minus_one_and_one(
    photos: Path,
) -> None:
    data = load(f"folder:{photos},side=6")
    assert data.event.shape == (3, 6, 6)
    assert data.event.classes == 2
    assert data.size + len(data.test.x) == 20
    x, y = data.train.__getitems__(range(data.size))  # type: ignore[attr-defined]
    assert x.shape == (18, 3, 6, 6)
    blue, red = x[y == 0], x[y == 1]  # "deep" comes before "red"
    assert (red[:, 0] > 0.6).all()
    assert (red[:, 1:] == -1).all()
    assert (blue[:, 2] > 0.6).all()


def test_the_middle_square_is_looked_at_and_a_turned_photograph_put_upright(tmp_path: Path) -> None:
    wide = Image.new("RGB", (30, 10), RED)
    wide.paste(BLUE, (10, 0, 20, 10))
    wide.save(tmp_path / "0.png")
    turned = Image.new("RGB", (10, 10), RED)
    turned.paste(BLUE, (0, 0, 10, 5))  # blue above, and to be turned by 180 degrees
    exif = Image.Exif()
    exif[0x0112] = 3
    turned.save(tmp_path / "1.png", exif=exif)
    data = load(f"folder:{tmp_path},side=10")
    shown = {int(x[2, 9, 5] > 0) + 2 * int(x[2, 0, 5] > 0): x for x in _every(data)}
    assert sorted(shown) == [1, 3]  # blue below alone, and blue everywhere
    assert (shown[3][2] == 1).all()


def _every(data: Data) -> Iterator[torch.Tensor]:
    yield from data.test.x
    yield from data.train.__getitems__(range(data.size)).x  # type: ignore[attr-defined]


def test_grey_has_one_channel_and_kinds_of_files_do_not_matter(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", 128, mode="L")
    paint(tmp_path / "b.gif", 3, mode="P")
    paint(tmp_path / "c.webp", (255, 255, 255, 0), mode="RGBA")
    paint(tmp_path / "d.png", 1, mode="1")
    (tmp_path / "notes.txt").write_text("no picture")
    grey, colour = load(f"folder:{tmp_path},grey"), load(f"folder:{tmp_path}")
    assert grey.event.shape == (1, 32, 32)
    assert colour.event.shape == (3, 32, 32)
    assert grey.event.classes == 0
    assert grey.size + len(grey.test.x) == 4
    assert grey.test.y is None


def test_the_same_pictures_are_held_out_wherever_the_folder_lies(
    photos: Path, tmp_path: Path
) -> None:
    first = load(f"folder:{photos}")
    photos.rename(tmp_path / "moved")
    moved, other = (load(f"folder:{tmp_path / 'moved'}", seed) for seed in (0, 1))
    assert torch.equal(first.test.x, moved.test.x)
    assert not torch.equal(first.test.x, other.test.x)
    trained = {tuple(x[:, 0, 0].tolist()) for x in _every(moved)}
    assert len(trained) == 20, "none is in both parts, and none in neither"


def test_the_name_loads_the_same_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    data = load("folder:photos,grey,side=8")
    monkeypatch.chdir("/")
    again = load(data.name)
    assert again.name == data.name
    assert torch.equal(again.test.x, data.test.x)


@pytest.mark.parametrize("name", ["digits", "moons", "shapes", "clips", "folder"])
def test_workers_prepare_the_batches_that_one_process_does(name: str, photos: Path) -> None:
    data = load(f"folder:{photos}" if name == "folder" else name)
    for alone, together in zip(batches(data, 0), batches(data, 2), strict=True):
        assert torch.equal(alone.x, together.x)
        assert (alone.y is None and together.y is None) or torch.equal(alone.y, together.y)


# ---- what cannot be read -------------------------------------------------------------------------


def spoil(data: Data, photos: Path) -> Path:
    """Cut off a picture that is trained on."""
    number = data.train.numbers[0]  # type: ignore[attr-defined]
    file = sorted(f for f in photos.rglob("*") if f.is_file())[number]
    file.write_bytes(file.read_bytes()[:40])
    return file


def test_a_bad_picture_is_named(photos: Path) -> None:
    data = load(f"folder:{photos}")
    bad = spoil(data, photos)
    with pytest.raises(ValueError, match=f"{bad}.*cannot be read; skip leaves it out"):
        data.train.__getitems__(range(data.size))  # type: ignore[attr-defined]


def test_a_bad_picture_is_left_out_where_that_is_asked_for(photos: Path) -> None:
    data = load(f"folder:{photos},skip")
    bad = spoil(data, photos)
    with pytest.warns(UserWarning, match=f"{bad}.*left out"):
        x, y = data.train.__getitems__([0, 1])  # type: ignore[attr-defined]
    assert torch.equal(x[0], x[1])
    assert y[0] == y[1]


def test_a_folder_without_one_good_picture_is_no_data(photos: Path) -> None:
    for file in photos.rglob("*.*"):
        file.write_bytes(b"nothing")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match="no picture can be read"),
    ):
        load(f"folder:{photos},skip")


def test_a_bad_picture_that_a_worker_finds_is_one_line(photos: Path) -> None:
    bad = spoil(load(f"folder:{photos}"), photos)
    done = run(
        "train", "ddpm", "--data", f"folder:{photos},side=8", "--workers", "1", "--batch", "18",
        "--set", "width=8", cwd=photos.parent,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"genmath: data: {bad} (")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder:", "folder:WHAT"),
        ("folder:nowhere", "a folder that is there"),
        ("folder:{photos},side=big", "a side in pixels, not 'big'"),
        ("folder:{photos},side=0", "a side in pixels"),
        ("folder:{photos}/red/0.png", "a folder that is there"),
        ("folder:{photos}/none", "at least two"),
    ],
)
def test_a_folder_that_cannot_be_used(photos: Path, name: str, said: str) -> None:
    (photos / "none").mkdir()
    with pytest.raises(ValueError, match="data: got .*" + said):
        load(name.format(photos=photos))


def test_pictures_beside_folders_of_them_have_no_class(photos: Path) -> None:
    paint(photos / "stray.png", RED)
    with pytest.raises(ValueError, match=r"stray\.png beside deep"):
        load(f"folder:{photos}")


# ---- libraries -----------------------------------------------------------------------------------


class Rows:
    """A part of a set as `datasets` gives it."""

    def __init__(self, root: Path) -> None:
        classes = sorted(folder.name for folder in root.iterdir())
        self.files = [(f, i) for i, name in enumerate(classes) for f in (root / name).iterdir()]
        label = type("ClassLabel", (), {"num_classes": len(classes)})()
        self.features = {"image": type("Image", (), {})(), "label": label}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> dict[str, Any]:
        file, label = self.files[number]
        with Image.open(file) as image:
            image.load()
        return {"image": image, "label": label}


def load_dataset(name: str) -> dict[str, Rows]:
    if not Path(name).is_dir():
        raise FileNotFoundError(f"{name} is not on the hub\nnor here")
    return {part.name: Rows(part) for part in Path(name).iterdir()}


class MNIST:
    """The set as `torchvision` reads it, from the files that it has downloaded."""

    classes = tuple("0123456789")

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        stem = Path(root) / "MNIST" / "raw" / ("train" if train else "t10k")
        pictures = Path(f"{stem}-images-idx3-ubyte").read_bytes()
        self.labels = Path(f"{stem}-labels-idx1-ubyte").read_bytes()[8:]
        self.pictures = torch.frombuffer(bytearray(pictures[16:]), dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Image.Image, int]:
        pixels = self.pictures[784 * number : 784 * (number + 1)]
        return Image.frombytes("L", (28, 28), pixels.numpy().tobytes()), self.labels[number]


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where data are downloaded to."""
    monkeypatch.chdir(tmp_path)
    if importlib.util.find_spec("datasets") is None:
        stand_in: Any = ModuleType("datasets")
        stand_in.load_dataset = load_dataset
        monkeypatch.setitem(sys.modules, "datasets", stand_in)
    if importlib.util.find_spec("torchvision") is None:
        sets: Any = SimpleNamespace(MNIST=MNIST)
        monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(datasets=sets))  # type: ignore[arg-type]
        monkeypatch.setitem(sys.modules, "torchvision.datasets", sets)
    return tmp_path


def test_a_set_of_datasets_with_a_part_to_test_on(libraries: Path) -> None:
    for part, count in (("train", 6), ("test", 3)):
        for i in range(count):
            paint(libraries / "set" / part / "blue" / f"{i}.png", BLUE)
            paint(libraries / "set" / part / "red" / f"{i}.png", RED)
    data = load(f"hf:{libraries / 'set'},side=8")
    assert data.name == f"hf:{libraries / 'set'},side=8"
    assert (data.size, data.event.classes, data.event.shape) == (12, 2, (3, 8, 8))
    assert data.test.y is not None
    assert sorted(data.test.y.tolist()) == [0, 0, 0, 1, 1, 1]
    x, y = data.train.__getitems__(range(12))  # type: ignore[attr-defined]
    assert torch.equal(y == 1, x[:, 0, 0, 0] == 1)


def test_a_set_of_datasets_without_one_holds_some_out(libraries: Path) -> None:
    for i in range(20):
        paint(libraries / "set" / "train" / "red" / f"{i}.png", (200 + i, 0, 0))
        paint(libraries / "set" / "train" / "rose" / f"{i}.png", (200 + i, 99, 99))
    data = load(f"hf:{libraries / 'set'},grey")
    assert (data.size, len(data.test.x), data.event.shape) == (36, 4, (1, 32, 32))


def test_what_datasets_cannot_load_is_a_line(libraries: Path) -> None:
    with pytest.raises(ValueError, match="data: got 'hf:/no/set', expected a set that can be had"):
        load("hf:/no/set")


def test_a_set_of_torchvision(libraries: Path) -> None:
    raw = libraries / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem, count in (("train", 10), ("t10k", 4)):
        pixels = b"".join(bytes([25 * i]) * 784 for i in range(count))
        head = struct.pack(">IIII", 2051, count, 28, 28)
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(head + pixels)
        head = struct.pack(">II", 2049, count)
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(head + bytes(range(count)))
    data = load("torchvision:MNIST,side=28,grey")
    assert (data.size, len(data.test.x)) == (10, 4)
    assert (data.event.classes, data.event.shape) == (10, (1, 28, 28))
    x, y = data.train.__getitems__([0, 3])  # type: ignore[attr-defined]
    assert y.tolist() == [0, 3]
    assert x[:, 0, 0, 0].tolist() == pytest.approx([-1, 75 / 127.5 - 1])
    with pytest.raises(ValueError, match=r"a set of torchvision\.datasets"):
        load("torchvision:NMIST")


@pytest.mark.parametrize(
    ("name", "library"), [("hf:x", "datasets"), ("torchvision:X", "torchvision")]
)
def test_a_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        ImportError, match=f"{library} is not installed; run: pip install {library}"
    ):
        load(name)
