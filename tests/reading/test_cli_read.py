"""`digitnet read` as a person meets it: answers, sentences, exit codes."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from conftest import Command
from digitnet.cli.main import main
from digitnet.installation import install_command
from digitnet.reading.reader import Reader
from digitnet.reading.result import Reading
from processes import DIGITNET, run
from sheets import draw_sheet

USUAL = "PNG, JPEG, BMP, GIF, WebP, TIFF or AVIF"
ALL = "PNG, JPEG, BMP, GIF, WebP, TIFF, AVIF, HEIC or PDF"

Answer = tuple[int, str, str]  # exit code, standard output, standard error


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()


@pytest.fixture
def read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run `digitnet read` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Answer:
        try:
            code = main(["read", *map(str, words)])
        except SystemExit as leaving:  # tyro's own
            code = int(leaving.code or 0)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run


def test_a_picture_is_answered_with_its_digits_line_by_line(
    read: Callable[..., Answer], reader: Reader, tmp_path: Path
) -> None:
    sheet = draw_sheet(tmp_path / "sheet.png", "14", "708")
    code, out, err = read("sheet.png")
    assert (code, err) == (0, "Next, draw what it saw: digitnet read sheet.png --save-picture seen\n")
    assert out == reader.read(sheet).text + "\n"
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize("flags", [["--quiet"], ["--format", "json"], ["--save-picture", "seen", "--quiet"]])
def test_nothing_is_said_beside_an_answer_for_a_program(
    flags: list[str], read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "sheet.png", "14")
    assert read("sheet.png", *flags)[2] == ""


def test_several_pictures_are_answered_in_the_order_of_their_naming_each_line_after_the_name(
    read: Callable[..., Answer], reader: Reader, tmp_path: Path
) -> None:
    one, two = draw_sheet(tmp_path / "b.png", "14", "7"), draw_sheet(tmp_path / "a.png", "25")
    expected = [f"b.png: {line}" for line in reader.read(one).text.splitlines()]
    expected += [f"a.png: {line}" for line in reader.read(two).text.splitlines()]
    assert read("b.png", "a.png")[1].splitlines() == expected


def test_a_folder_is_all_pictures_in_and_below_it_sorted(read: Callable[..., Answer], tmp_path: Path) -> None:
    for name in ("z.png", "a.JPG", "below/k.bmp", ".hidden.png", ".hidden/x.png"):
        draw_sheet(tmp_path / "scans" / name, "1")
    (tmp_path / "scans" / "notes.txt").write_text("1")
    answers = json.loads(read("scans", "--format", "json")[1])
    assert [answer["picture"] for answer in answers] == ["scans/a.JPG", "scans/below/k.bmp", "scans/z.png"]


def test_a_folder_of_one_picture_is_still_answered_with_a_list(
    read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "scans" / "one.png", "1")
    assert len(json.loads(read("scans", "--format", "json")[1])) == 1
    assert read("scans")[1].startswith("scans/one.png: ")


def test_a_folder_without_pictures_is_refused(read: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    code, out, err = read("scans")
    assert (code, out) == (1, "")
    assert (
        err == f"digitnet: scans: expected a folder with {ALL} files, found none in or below it. Name another.\n"
    )
    for name in ("one.NEF", "two.docx"):
        (tmp_path / "scans" / name).touch()
    assert read("scans")[2] == (
        f"digitnet: scans: expected a folder with {ALL} files, found only scans/one.NEF, scans/two.docx. "
        "Save them as PNG or JPEG.\n"
    )


@pytest.mark.usefixtures("without_pictures")
def test_a_folder_without_pictures_names_the_extra_that_opens_its_files(
    read: Callable[..., Answer], tmp_path: Path
) -> None:
    (tmp_path / "scans").mkdir()
    for name in ("IMG_0002.HEIC", "IMG_0001.HEIC"):
        (tmp_path / "scans" / name).touch()
    assert read("scans")[2] == (
        f"digitnet: scans: expected a folder with {USUAL} files, found only scans/IMG_0001.HEIC, "
        f"scans/IMG_0002.HEIC. Run: {install_command('pictures')}; or save them as PNG or JPEG; on an iPhone: "
        "Settings, Camera, Formats, Most Compatible.\n"
    )


def test_a_folder_tells_what_it_skips(read: Callable[..., Answer], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "scans" / "one.png", "1")
    for name in ("notes.txt", "answers.csv", "one.json", "Thumbs.db", ".DS_Store", ".IMG_0001.HEIC", "film.mov"):
        (tmp_path / "scans" / name).touch()
    assert read("scans")[2].startswith("Next, ")
    (tmp_path / "scans" / "below").mkdir()
    (tmp_path / "scans" / "below" / "raw.NEF").touch()
    code, out, err = read("scans")
    assert code == 0 and out.startswith("scans/one.png: ")
    skipped = f"Skipped 1 file that is not {ALL}: scans/below/raw.NEF. Save it as PNG or JPEG."
    for flags in ([], ["--format", "json"], ["--out", "answers.csv"]):
        code, _, err = read("scans", *flags)
        assert (code, err.splitlines()[0]) == (0, skipped)
    assert read("scans", "--quiet")[2] == ""
    assert read("scans/one.png")[2].startswith("Next, ")  # what was named is not skipped


@pytest.mark.usefixtures("without_pictures")
def test_a_folder_names_the_extra_that_opens_what_it_skips(read: Callable[..., Answer], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "scans" / "one.png", "1")
    (tmp_path / "scans" / "scan.pdf").touch()
    install = f"Run: {install_command('pictures')}; or save"
    assert read("scans")[2].splitlines()[0] == (
        f"Skipped 1 file that is not {USUAL}: scans/scan.pdf. {install} it as PNG or JPEG."
    )
    for name in ("IMG_0002.HEIC", "raw.NEF", "IMG_0001.HEIC", "anim.webm"):
        (tmp_path / "scans" / name).touch()
    assert read("scans")[2].splitlines()[0] == (
        f"Skipped 4 files that are not {USUAL}: scans/IMG_0001.HEIC, scans/IMG_0002.HEIC, scans/raw.NEF, "
        f"scans/scan.pdf. {install} them as PNG or JPEG; on an iPhone: Settings, Camera, Formats, Most Compatible."
    )


@pytest.mark.usefixtures("without_pictures")
def test_a_file_whose_extra_is_missing_is_refused_by_name(read: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.4")
    assert read("scan.pdf") == (
        1,
        "",
        f"digitnet: scan.pdf: expected a {USUAL} file, found a PDF document. "
        f"Run: {install_command('pictures')}; or save its page as PNG or JPEG.\n",
    )


def save(sheet: Path, suffix: str) -> Path:
    """Save a sheet beside itself in another format."""
    path = sheet.with_suffix(suffix)
    with Image.open(sheet) as picture:
        if suffix == ".heic":
            pillow_heif.from_pillow(picture).save(path)
        else:
            picture.save(path)
    return path


def test_a_folder_is_read_whatever_format_a_telephone_or_a_scanner_has(
    read: Callable[..., Answer], tmp_path: Path
) -> None:
    sheet = draw_sheet(tmp_path / "scans" / "a.png", "25", "708")
    suffixes = [".png", ".jpg", ".gif", ".webp", ".tif", ".avif", ".heic", ".pdf"]
    for suffix in suffixes[1:]:
        save(sheet, suffix)
    code, out, err = read("scans")
    assert code == 0 and err.startswith("Next, ")
    assert out.splitlines() == [
        f"scans/a{suffix}: {text}" for suffix in sorted(suffixes) for text in ("25", "708")
    ]


def test_what_the_libraries_say_of_damaged_files_never_reaches_the_terminal(
    digitnet: Command, tmp_path: Path
) -> None:
    sheet, names = draw_sheet(tmp_path / "a.png", "25"), []
    for suffix in (".gif", ".avif", ".heic", ".pdf"):
        content = save(sheet, suffix).read_bytes()
        for kind, damaged in {"half": content[: len(content) // 2], "start": content[:40] + bytes(999)}.items():
            names.append(f"{kind}{suffix}")
            (tmp_path / names[-1]).write_bytes(damaged)
    done = digitnet("read", *names)
    assert (done.returncode, done.stdout) == (1, "")
    *sentences, count = done.stderr.splitlines()
    assert [sentence.partition(": expected a ")[0] for sentence in sentences] == names
    assert count == "digitnet: 8 of 8 pictures could not be read."


def test_json_is_one_object_for_one_picture_and_a_list_for_several(
    read: Callable[..., Answer], reader: Reader, tmp_path: Path
) -> None:
    sheets = [draw_sheet(tmp_path / name, digits) for name, digits in (("a.png", "14"), ("b.png", "25"))]
    expected = [{"picture": sheet.name, **reader.read(sheet).to_json()} for sheet in sheets]
    assert json.loads(read("a.png", "--format", "json")[1]) == expected[0]
    assert json.loads(read("a.png", "b.png", "--format", "json")[1]) == expected


def rows(picture: str, reading: Reading) -> list[dict[str, str]]:
    """What the table says about a reading without specks."""
    return [
        {
            "picture": picture,
            "line": str(number),
            "text": line.text,
            "decision": "not sure" if "?" in line.text else "accepted",
            "probability": f"{min(max(digit.probabilities) for digit in line.digits):.6f}",
            "error": "",
        }
        for number, line in enumerate(reading.lines, start=1)
    ]


def test_csv_has_a_row_for_each_line_of_digits_and_for_each_picture_without_any(
    read: Callable[..., Answer], reader: Reader, tmp_path: Path
) -> None:
    sheet = draw_sheet(tmp_path / "a, b.png", "14", "708")
    draw_sheet(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    code, out, err = read("a, b.png", "blank.png", "broken.png", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(out)))
    assert table[:-2] == rows("a, b.png", reader.read(sheet))
    nothing = dict.fromkeys(table[0], "")
    assert table[-2] == nothing | {"picture": "blank.png", "decision": "not a digit"}
    assert table[-1] == nothing | {"picture": "broken.png", "error": err.splitlines()[1]}
    assert code == 1


def test_a_picture_without_a_digit_is_answered_with_nothing_and_a_message(
    read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "blank.png")
    code, out, err = read("blank.png")
    assert (code, out, err.splitlines()[0]) == (0, "", "blank.png: no digit was found.")
    code, out, _ = read("blank.png", "--format", "json")
    assert code == 0
    assert json.loads(out) == {"picture": "blank.png", "text": "", "sure": False, "pages": 1, "lines": []}


def test_the_error_of_a_single_picture_is_the_only_sentence(read: Callable[..., Answer]) -> None:
    code, out, err = read("nowhere.png")
    assert (code, out) == (1, "")
    assert err.startswith("digitnet: nowhere.png: expected ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("format", ["text", "json", "csv"])
def test_pictures_that_cannot_be_opened_are_named_and_the_others_are_read(
    format: str, read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "sheet.png", "14")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    alone = read("sheet.png", "sheet.png", "--format", format)[1]
    code, out, err = read("broken.png", "sheet.png", "nowhere.png", "sheet.png", "--format", format)
    assert code == 1
    broken, nowhere, count = err.splitlines()
    assert broken.startswith("broken.png: expected ") and nowhere.startswith("nowhere.png: expected ")
    assert count == "digitnet: 2 of 4 pictures could not be read."
    if format == "json":
        assert [answer for answer in json.loads(out) if "error" not in answer] == json.loads(alone)
        assert [answer["error"] for answer in json.loads(out) if "error" in answer] == [broken, nowhere]
    else:
        assert [line for line in out.splitlines() if "expected" not in line] == alone.splitlines()


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ([], {}),
        (["--single"], {"single": True}),
        (["--digits", "3"], {"digits": 3}),
        (["--expect", "7[0-9]"], {"expect": "7[0-9]"}),
    ],
)
def test_flags_are_the_reader_s_arguments(
    flags: list[str],
    changed: dict[str, object],
    read: Callable[..., Answer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw_sheet(tmp_path / "sheet.png", "14")
    given = []

    def note(self: Reader, picture: object, **arguments: object) -> Reading:
        given.append(arguments)
        return Reading(())

    monkeypatch.setattr(Reader, "read", note)
    assert read("sheet.png", *flags)[0] == 0
    assert given == [{"single": False, "digits": None, "expect": None} | changed]


@pytest.mark.parametrize("old", [["--fields", "3"], ["--fields=3"]])
def test_the_old_name_of_a_flag_still_works_with_a_warning(
    old: list[str], read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "sheet.png", "14")
    code, out, err = read("sheet.png", *old)
    assert (code, out) == read("sheet.png", "--digits", "3")[:2]
    assert err == "digitnet: --fields is called --digits now; the next version will not know --fields.\n"


def test_an_expectation_rules_out_what_does_not_match(read: Callable[..., Answer], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "sheet.png", "14")
    answer = json.loads(read("sheet.png", "--expect", "55", "--format", "json")[1])
    assert [digit["label"] for line in answer["lines"] for digit in line["digits"]] == ["5", "5"]


def test_what_was_read_is_drawn_into_a_folder(read: Callable[..., Answer], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "scans" / "a.jpg", "14")
    draw_sheet(tmp_path / "scans" / "b.png", "25")
    code, _, err = read("scans", "--save-picture", "new/drawings")
    assert (code, err) == (0, "What it saw: 2 drawings in new/drawings\n")
    assert sorted(path.name for path in (tmp_path / "new/drawings").iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("flags", [[], ["--format", "json"], ["--format", "csv"], ["--out", "answers.csv"]])
def test_pages_that_were_not_read_are_named(flags: list[str], read: Callable[..., Answer], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "one.png", "14")
    with Image.open(draw_sheet(tmp_path / "a.png", "14")) as first, Image.open(tmp_path / "one.png") as other:
        first.save(tmp_path / "scan.tif", save_all=True, append_images=[other, other])
    remark = "scan.tif: 3 pages; only the first was read. Read the next with --page 2."
    code, out, err = read("one.png", "scan.tif", *flags)
    assert code == 0
    assert [line for line in err.splitlines() if "page" in line] == [remark]
    assert remark not in out
    assert remark not in read("one.png", "scan.tif", "--quiet", "--format", "csv")[2]


@pytest.mark.parametrize("suffix", [".tif", ".pdf"])
def test_every_page_of_a_scan_can_be_read(suffix: str, read: Callable[..., Answer], tmp_path: Path) -> None:
    texts = ("25", "708", "36")
    first, *others = [Image.open(draw_sheet(tmp_path / f"{text}.png", text)) for text in texts]
    first.save(tmp_path / f"scan{suffix}", save_all=True, append_images=others)
    for number, text in enumerate(texts, start=1):
        code, out, err = read(f"scan{suffix}", "--page", number, "--save-picture", "seen", "--format", "json")
        answer = json.loads(out)
        assert (code, answer["text"], answer["pages"]) == (0, text, 3)
        assert ("--page 2" in err) == (number == 1)  # who asks for a page knows that there are several
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {
        "scan.png",
        "scan-page-2.png",
        "scan-page-3.png",
    }
    assert read(f"scan{suffix}", "--page", 4) == (
        1,
        "",
        f"digitnet: scan{suffix}: expected at least 4 pages, found 3. Name another page.\n",
    )


@pytest.mark.parametrize("flags", [[], ["--format", "json"], ["--out", "answers.csv"]])
def test_the_drawing_of_one_picture_is_named(
    flags: list[str], read: Callable[..., Answer], tmp_path: Path
) -> None:
    draw_sheet(tmp_path / "photo.jpg", "14")
    assert read("photo.jpg", "--save-picture", "seen", *flags)[2].splitlines()[-1] == "What it saw: seen/photo.png"
    assert (tmp_path / "seen" / "photo.png").is_file()


def test_only_what_was_drawn_counts(read: Callable[..., Answer], tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_sheet(tmp_path / name, "14")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    said = "What it saw: 2 drawings in seen"
    assert said in read("a.png", "broken.png", "b.png", "--save-picture", "seen")[2].splitlines()
    words = ("a.png", "broken.png", "b.png", "--save-picture", "seen", "--out", "answers.csv")
    assert said in read(*words)[2].splitlines()
    assert "What it saw" not in read(*words)[2]  # all of it was done before
    assert "What it saw" not in read("broken.png", "--save-picture", "seen")[2]


def test_drawings_never_take_each_other_s_place(read: Callable[..., Answer], tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        draw_sheet(tmp_path / name, "14")
    code, out, err = read("a.jpg", "a.png", "--save-picture", "drawings")
    assert (code, out) == (2, "")
    assert "--save-picture: expected pictures of different names, found a.jpg and a.png." in err
    assert not (tmp_path / "drawings").exists()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "Name the pictures to read, or a folder of them; - is standard input."),
        (["a.png", "--single", "--digits", "2"], 2, "--single says that a picture is one digit"),
        (["a.png", "--page", "0"], 2, "--page: expected a whole number of at least 1, found 0."),
        (["a.png", "--digits", "0"], 2, "--digits: expected a whole number of at least 1, found 0."),
        (["a.png", "--min-probability", "95"], 2, "--min-probability: expected a number from 0 to 1, found 95.0"),
        (["a.png", "--min-probability", "-0.1"], 2, "--min-probability: expected a number from 0 to 1, found -0."),
        (["a.png", "--min-probability", "nan"], 2, "--min-probability: expected a number from 0 to 1, found nan"),
        (["a.png", "--min-probability", "high"], 2, "--min-probability"),
        (["a.png", "--expect", "["], 2, "--expect [: expected a regular expression"),
        (
            ["a.png", "--digits", "4", "--expect", "[0-9]{3}", "--out", "b.csv"],
            2,
            "--expect [0-9]{3}: expected a regular expression for 4 digits, as --digits says, "
            "found one that no 4 digits can match. Correct one of the two.",
        ),
        (["a.png", "--fields", "4", "--expect", "[0-9]{3}"], 2, "for 4 digits, as --digits says"),
        (["a.png", "--single", "--expect", "[0-9]{3}"], 2, "for 1 digit, as --single says, found one that"),
        (["a.png", "--format", "xml"], 2, "--format"),
        (["a.png", "--out", "b.csv", "--format", "json"], 2, "leave out --format json"),
        (["a.png", "--out", "b.csv", "--format", "text"], 2, "leave out --format text"),
        (["a.png", "-"], 2, "Standard input (-) is one picture"),
        (["-", "--out", "b.csv"], 2, "Standard input (-) is one picture"),
        (["a.png", "--jobs", "0"], 2, "expected a whole number of at least 1, found 0"),
        (["a.png", "--engine", "abacus"], 2, "abacus"),
        (["a.png", "--address", "127.0.0.1:1"], 2, "takes no address"),
        (["a.png", "--model", "nowhere.onnx"], 1, "nowhere.onnx: expected a model file, could not read it"),
        (["a.png", "--model", "nowhere.onnx", "--out", "b.csv"], 1, "nowhere.onnx: expected a model file"),
        (["a.png", "--out", "a.png"], 1, "a.png: expected a new file, or one that `digitnet read` began"),
        (["a.png", "--out", "/dev/null/b.csv"], 1, "/dev/null: could not be written"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_a_person_gets_wrong_is_answered_in_one_sentence(
    words: list[str], code: int, sentence: str, read: Callable[..., Answer], tmp_path: Path
) -> None:
    sheet = draw_sheet(tmp_path / "a.png", "14").read_bytes()
    found, out, err = read(*words)
    assert (found, out) == (code, "")
    assert sentence in " ".join(err.split())
    assert not (tmp_path / "b.csv").exists()
    assert (tmp_path / "a.png").read_bytes() == sheet


def test_pictures_without_a_flag_take_a_shorter_way_to_the_same_answers(digitnet: Command, tmp_path: Path) -> None:
    draw_sheet(tmp_path / "a.png", "14")
    draw_sheet(tmp_path / "b.png")
    for names in (["a.png"], ["b.png"], ["nowhere.png"], ["a.png", "b.png", "nowhere.png"], ["."]):
        short, long = digitnet("read", *names), digitnet("read", "--format", "text", *names)
        assert (short.returncode, short.stdout, short.stderr) == (long.returncode, long.stdout, long.stderr)


def test_standard_input_is_a_picture_too(reader: Reader, tmp_path: Path) -> None:
    sheet = draw_sheet(tmp_path / "sheet.png", "14")

    read = partial(run, *DIGITNET, "read", "-", text=False)
    expected = reader.read(sheet).text.encode() + b"\n"
    assert read(input=sheet.read_bytes()).stdout == expected
    assert read("--jobs", 1, input=sheet.read_bytes()).stdout == expected
    broken = read(input=b"no picture")
    assert broken.returncode == 1
    assert b"tandard input: expected " in broken.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is a text")
def test_a_name_that_is_no_text_is_a_name_like_others(tmp_path: Path) -> None:
    name = os.fsdecode(b"scan\xff.png")
    draw_sheet(tmp_path / name, "14")
    for flags in ([], ["--format", "csv"], ["--out", "a.csv", "--quiet"]):
        done = run(*DIGITNET, "read", name, "nowhere.png", *flags, cwd=tmp_path, text=False)
        answers = (tmp_path / "a.csv").read_bytes() if "--out" in flags else done.stdout
        assert b"\nscan\xff.png,1," in answers if flags else answers.startswith(b"scan\xff.png: ")
