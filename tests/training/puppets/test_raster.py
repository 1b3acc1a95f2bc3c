import numpy as np
import pytest

from training.puppets.raster import Ball, Blend, Buffers, Cone, Lens

WHITE = np.ones(3)
LENS = Lens(200.0, np.array([32.0, 32.0]))


def drawn(*solids):
    buffers = Buffers(64, 64)
    for solid in solids:
        solid.draw(buffers, LENS)
    return buffers


def ball(x=0.0, y=0.0, z=-4.0, radius=0.3, color=WHITE):
    return Ball(np.array([x, y, z]), np.eye(3), (radius, radius, radius), color)


def test_sphere_covers_the_area_of_its_disc_and_bulges_by_its_radius():
    buffers = drawn(ball())
    assert np.isfinite(buffers.depth).sum() == pytest.approx(np.pi * 15**2, rel=0.02)
    assert buffers.depth.min() == pytest.approx(3.7, abs=0.01)


@pytest.mark.parametrize(
    "other",
    [
        Cone(np.array([0, 0, -4.0]), 0.3, np.array([0, 0, -4.0]), 0.3, WHITE),
        Blend(
            np.array([[0, 0, -4.0]], np.float32),
            np.eye(3, dtype=np.float32)[None] / 0.3,
            np.full((1, 3), 0.3, np.float32),
            np.zeros((0, 4), np.float32),
            0.05,
            WHITE,
        ),
    ],
    ids=["cone", "blend"],
)
def test_cone_and_blend_can_be_spheres(other):
    expected, found = drawn(ball()), drawn(other)
    both = np.isfinite(expected.depth) & np.isfinite(found.depth)
    assert (np.isfinite(expected.depth) != np.isfinite(found.depth)).sum() < 60  # a blend's edge is a little soft
    assert np.abs(expected.depth[both] - found.depth[both]).max() < 0.06
    close = both & (expected.depth < 3.85)
    assert np.abs(expected.normal[close] - found.normal[close]).max() < 0.05


def test_nearer_solid_hides_the_farther_in_any_order():
    near, far = ball(color=np.array([1.0, 0, 0])), ball(z=-5.0, radius=0.6, color=np.array([0, 1.0, 0]))
    for pair in ((near, far), (far, near)):
        assert drawn(*pair).color[32, 32].tolist() == [1, 0, 0]


def test_normals_of_a_ball_point_away_from_its_middle():
    buffers = drawn(ball())
    assert buffers.normal[32, 45, 0] > 0.7  # right
    assert buffers.normal[20, 32, 1] > 0.7  # up
    assert buffers.normal[32, 32, 2] > 0.99  # to the viewer


def test_solids_behind_the_camera_are_not_drawn():
    assert not np.isfinite(drawn(ball(z=1.0)).depth).any()


def test_cut_cone_ends_at_its_hem():
    start, end = np.array([0, 0.3, -4.0]), np.array([0, -0.3, -4.0])
    round_end, cut = drawn(Cone(start, 0.2, end, 0.2, WHITE)), drawn(Cone(start, 0.2, end, 0.2, WHITE, cut=True))
    assert np.isfinite(round_end.depth[52, 32])
    assert not np.isfinite(cut.depth[52, 32])
