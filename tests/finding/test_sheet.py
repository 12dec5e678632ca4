"""The sheet: found where a picture shows more, never where it shows only paper."""

import cv2
import numpy as np
import pytest

from digitnet.finding.ink import UInt8, find_inks
from digitnet.finding.sheet import find_sheet
from digitnet.finding.single import list_groups

CORNERS = np.array([[70, 40], [290, 60], [280, 200], [60, 190]])


def draw_sheet(desk: tuple[int, int, int], paper: int = 235) -> UInt8:
    """Draw a sheet on a desk: ``(240, 320, 3)``."""
    picture = np.full((240, 320, 3), desk, np.uint8)
    cv2.fillConvexPoly(picture, CORNERS, (paper,) * 3, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize("desk", [(40, 30, 25), (90, 110, 160), (150, 100, 70)])
def test_a_sheet_is_told_from_the_desk(desk: tuple[int, int, int]) -> None:
    sheet = find_sheet(draw_sheet(desk))
    expected = np.zeros((240, 320), np.uint8)
    cv2.fillConvexPoly(expected, CORNERS, 1)
    assert sheet is not None
    assert (sheet != expected).mean() < 0.03


@pytest.mark.parametrize("darkest", [1.0, 0.7, 0.35])
def test_paper_alone_is_no_sheet_however_the_light_falls_off(darkest: float) -> None:
    light = np.linspace(1, darkest, 320)[None, :, None] * np.ones((240, 1, 3))
    assert find_sheet((230 * light).astype(np.uint8)) is None


def test_a_shadow_with_a_sharp_edge_is_still_paper() -> None:
    picture = np.full((240, 320, 3), 220, np.uint8)
    picture[:, 200:] = 140
    assert find_sheet(picture) is None


def test_thick_strokes_that_enclose_paper_make_no_sheet() -> None:
    picture = np.full((240, 180, 3), 230, np.uint8)
    cv2.ellipse(picture, (90, 120), (70, 100), 0, 0, 360, (30, 30, 30), 26, cv2.LINE_AA)
    assert find_sheet(picture) is None


def test_what_lies_beside_the_sheet_is_in_no_group() -> None:
    picture = draw_sheet((40, 30, 25))
    cv2.putText(picture, "5", (150, 150), cv2.FONT_HERSHEY_SIMPLEX, 2, (30, 30, 30), 5, cv2.LINE_AA)
    cv2.line(picture, (5, 5), (40, 220), (200, 60, 60), 6, cv2.LINE_AA)  # a cable on the desk
    groups = [group for ink in find_inks(picture) for group in list_groups(ink)]
    assert groups
    for group in groups:
        assert group.component.left / group.ink.scale > 50
