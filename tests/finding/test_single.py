"""What may be the only digit of a picture: with everything, without the border's, each large mark."""

import cv2
import numpy as np
import pytest

from digitnet.finding.components import crop_ink
from digitnet.finding.ink import UInt8, find_ink, find_inks
from digitnet.finding.single import Group, choose, list_groups


def list_all(picture: UInt8) -> list[Group]:
    """List the groups of every ink of a picture."""
    return [group for ink in find_inks(picture) for group in list_groups(ink)]


def box_of(group: Group) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, in pixels of the picture."""
    part, scale = group.component, group.ink.scale
    left, top, right, bottom = (round(side / scale) for side in (part.left, part.top, part.right, part.bottom))
    return left, top, right, bottom


def ring(radius: int, pen: int, side: int = 300, level: int = 40) -> UInt8:
    """Draw a ring in the middle of a square sheet: ``(side, side)``."""
    picture = np.full((side, side), 230, np.uint8)
    cv2.circle(picture, (side // 2, side // 2), radius, level, pen, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize("pen", [2, 6, 14, 30, 50])
@pytest.mark.parametrize("level", [40, 190])
def test_a_mark_is_found_whole_whatever_the_pen(pen: int, level: int) -> None:
    radius = 80
    expected = 150 - radius - pen / 2, 150 - radius - pen / 2, 151 + radius + pen / 2, 151 + radius + pen / 2
    assert any(np.allclose(box_of(group), expected, atol=4) for group in list_all(ring(radius, pen, level=level)))


def test_a_neighbour_that_the_border_cuts_is_left_out_of_one_group_and_joined_in_another() -> None:
    picture = ring(60, 10)
    cv2.circle(picture, (0, 150), 40, 40, 10, cv2.LINE_AA)
    left = {box_of(group)[0] for group in list_all(picture)}
    assert min(left) <= 1
    assert any(abs(one - 85) <= 4 for one in left)


@pytest.mark.parametrize("margin", [20, 4, 1, 0])
def test_a_mark_that_reaches_the_border_is_found(margin: int) -> None:
    picture = ring(80, 12)
    cut = np.ascontiguousarray(picture[64 - margin : 237 + margin, 64 - margin : 237 + margin])
    expected = margin, margin, margin + 173, margin + 173
    assert any(np.allclose(box_of(group), expected, atol=4) for group in list_all(cut))


def test_a_thin_stroke_is_as_wide_in_the_crop_as_those_of_mnist() -> None:
    picture = ring(520, 8, side=1_300)
    (group, *_) = list_groups(find_ink(picture))
    crop = crop_ink(group.component, group.ink)
    middle = crop[crop.shape[0] // 2] / 255
    stroke = middle[: len(middle) // 2].sum() / max(crop.shape)
    assert 0.08 <= stroke <= 0.14  # of the longer side; MNIST's thin strokes have 2 of 20 pixels


def test_of_equal_doubt_the_group_that_leaves_out_less_is_chosen() -> None:
    assert choose([0.0, 2.0], [0.9, 0.9]) == 0
    assert choose([0.5, 0.0], [0.99, 0.2]) == 0
    assert choose([0.3, 4.0, 0.0], [0.0, 0.99, 0.0]) == 1


def test_an_empty_sheet_has_no_groups() -> None:
    assert list_all(np.full((200, 300), 230, np.uint8)) == []


def test_no_two_groups_are_of_the_same_ink() -> None:
    picture = ring(60, 10)
    picture[250:253] = 40  # a ruled line, so that marks are grouped with it and without it
    lists = [list_groups(ink) for ink in find_inks(picture)]
    assert max(map(len, lists)) >= 2
    for groups in lists:
        seen = {(group.component.left, group.component.top, group.component.mask.tobytes()) for group in groups}
        assert len(seen) == len(groups)


@pytest.mark.parametrize("turned", [False, True])
def test_a_narrow_strip_along_the_border_is_no_part_of_the_digit_and_none_alone(turned: bool) -> None:
    picture, alone = ring(60, 10), np.full((300, 300), 230, np.uint8)
    for one in (picture, alone):
        one[40:280, -7:] = 40  # what lies beside the sheet
    turn = np.transpose if turned else np.asarray
    groups = list_all(np.ascontiguousarray(turn(picture)))
    assert groups
    assert all(max(box_of(group)) < 230 for group in groups)
    assert not list_all(np.ascontiguousarray(turn(alone)))


def test_a_one_that_fills_its_crop_is_found() -> None:
    crop = np.full((80, 16), 230, np.uint8)
    crop[:, 4:13] = 40
    assert list_all(crop)


def test_a_stroke_that_the_paper_breaks_into_specks_is_found_whole() -> None:
    picture = np.full((600, 600), 230, np.uint8)
    for start in range(0, 360, 5):  # dashes of 4 pixels and their round ends, then gaps of 9
        cv2.ellipse(picture, (300, 300), (200, 200), 0, start, start + 1, 90, 4)
    cv2.ellipse(picture, (300, 300), (200, 200), 0, 0, 160, 90, 4)  # one part is whole
    assert any(np.allclose(box_of(group), (98, 98, 502, 502), atol=6) for group in list_all(picture))


def test_the_grain_of_bare_paper_is_no_broken_stroke() -> None:
    noise = np.random.default_rng(0).normal(0, 10, (1_200, 900))
    paper = np.clip(255 + noise, 0, 255).astype(np.uint8)
    assert list_all(paper) == []
