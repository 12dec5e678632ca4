"""The kinds of photographs that people take of their handwriting. To add one, name it in KINDS."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """From which ranges a kind of photographs is drawn; what is not named is that of a careful photograph."""

    side: Range = (350, 1300)  # pixels of the picture's longer side
    height: Range = (0.3, 0.75)  # of a digit, as a fraction of the picture's shorter side
    pen: Range = (0.05, 0.12)  # width of the pen, as a fraction of the digit's height
    strength: Range = (0.65, 0.95)  # fraction of the light that the ink absorbs
    colours: tuple[str, ...] = ("black", "blue")
    grain: float = 0.0  # how much the ink breaks up on the paper's tooth
    falloff: Range = (0.0, 0.3)  # fraction of the light that is lost across the picture
    tint: tuple[float, float, float] = (1, 1, 1)  # of the paper: red, green and blue
    desk: float = 0.0  # probability that the sheet ends within the picture
    neighbours: float = 0.0  # probability of other writing that the picture's border cuts
    rules: Range | None = None  # fraction of the light that ruled lines absorb
    cells: bool = False  # each digit is in a cell of a table
    form: float = 0.0  # probability of the printed line of a form under the writing, and half of that beside it
    dots: float = 0.0  # probability of dots and dirt
    variants: float = 0.15  # probability of a hand with flags, feet and bars
    blur: Range = (0.0, 1.2)  # pixels
    noise: Range = (0.005, 0.02)  # of full light
    rows: Range | None = None  # pixels that a digit is high before the picture is enlarged
    margin: tuple[int, int] | None = None  # pixels around the ink at which the picture is cut off, and beyond it
    digits: tuple[int, int] = (1, 1)  # how many, side by side
    spacing: Range = (0.06, 0.3)  # between digits, as a fraction of their height; where it is negative, they touch
    is_written: bool = True  # or is there something else, or nothing

    @property
    def is_line(self) -> bool:
        """Whether there may be several marks, side by side."""
        return self.digits[1] > 1


_PENS = ("black", "blue", "violet", "red", "green", "cyan")

KINDS: dict[str, Kind] = {
    "careful": Kind(),
    "desk": Kind(desk=1.0, height=(0.2, 0.5), pen=(0.02, 0.09)),
    "neighbours": Kind(neighbours=1.0, height=(0.3, 0.6)),
    "thin pen": Kind(height=(0.5, 0.9), pen=(0.006, 0.022), side=(700, 1400)),
    "pencil": Kind(pen=(0.012, 0.05), strength=(0.15, 0.45), grain=0.5, height=(0.35, 0.85), side=(500, 1400)),
    "uneven light": Kind(falloff=(0.4, 0.75), colours=_PENS, pen=(0.02, 0.1), strength=(0.35, 0.9)),
    "other hands": Kind(variants=1.0, pen=(0.02, 0.11)),
    "ruled paper": Kind(rules=(0.08, 0.5), pen=(0.03, 0.1)),
    "felt pen": Kind(pen=(0.12, 0.22), height=(0.15, 0.5), colours=_PENS),
    "close crop": Kind(side=(150, 700), margin=(-2, 12), pen=(0.06, 0.16), blur=(0, 0.8)),
    "table cell": Kind(cells=True, side=(80, 500), height=(0.5, 0.8), pen=(0.05, 0.12)),
    "old ink": Kind(
        side=(44, 160), height=(0.5, 0.8), strength=(0.35, 0.75), colours=("brown", "black"), tint=(1, 0.88, 0.66),
        dots=0.4, neighbours=0.4, blur=(0.4, 1.2), noise=(0.01, 0.03), pen=(0.06, 0.13), variants=0.4,
    ),
    "small": Kind(side=(28, 90), height=(0.55, 0.85), pen=(0.07, 0.15), blur=(0, 0.6)),
    "several": Kind(digits=(2, 6), height=(0.08, 0.3), pen=(0.04, 0.13), desk=0.2),
    "strip": Kind(digits=(3, 6), height=(0.1, 0.3), margin=(-2, 12), pen=(0.06, 0.14), blur=(0, 0.8)),
    "table row": Kind(digits=(6, 14), height=(0.05, 0.1), cells=True, pen=(0.05, 0.12), side=(700, 1400)),
    "something else": Kind(is_written=False, desk=0.3, pen=(0.02, 0.14), colours=_PENS),
    "nothing": Kind(is_written=False, digits=(0, 0), desk=0.7, falloff=(0, 0.6), dots=0.3),
    "touching": Kind(digits=(2, 5), spacing=(-0.18, 0.1), height=(0.1, 0.4), pen=(0.04, 0.13), variants=0.3),
    "form field": Kind(
        digits=(2, 5), spacing=(-0.12, 0.25), side=(200, 900), height=(0.2, 0.5), pen=(0.05, 0.13), margin=(3, 25),
        form=0.7, variants=0.4, colours=_PENS,
    ),
    "letters": Kind(is_written=False, digits=(2, 7), height=(0.08, 0.3), pen=(0.04, 0.13), colours=_PENS),
    "enlarged": Kind(
        side=(80, 300), height=(0.6, 0.85), rows=(7, 18), pen=(0.1, 0.22), blur=(0, 0.5), variants=0.3, dots=0.1,
    ),
}  # fmt: skip
"""Every kind, by its name."""
