import numpy as np
import torch

from cvae.poses.skeleton import JOINTS, OTHER_SIDE, draw_skeletons
from training.augment import change_view, crop, mirror, recolour, spoil_previous
from training.data.clips import Batch
from training.dice import Dice
from training.puppets.clip import PuppetClip


def batch() -> Batch:
    pictures = torch.rand(6, 8, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pictures[:, 0], pictures[:, 1], pictures[:, 2:5], pictures[:, 5:])


def dice(count: int = 6) -> Dice:
    return Dice(0, range(count))


def test_a_share_of_zero_changes_nothing() -> None:
    after = change_view(batch(), 0.0, (0.5, 2.0), 0.3, 0, 0, dice())
    torch.testing.assert_close(after.frames, batch().frames, atol=1e-5, rtol=0)
    torch.testing.assert_close(after.conditions, batch().conditions, atol=1e-5, rtol=0)


def test_frames_poses_and_reference_move_together() -> None:
    dot = torch.zeros(4, 1, 3, 16, 32)
    dot[..., 7:9, 15:17] = 1
    before = Batch(dot[:, 0], 1 - dot[:, 0], dot.repeat(1, 2, 1, 1, 1), 1 - dot.repeat(1, 2, 1, 1, 1))
    after = change_view(before, 1.0, (0.8, 1.2), 0.2, 0, 0, dice(4))
    assert not torch.allclose(after.frames, before.frames)
    torch.testing.assert_close(after.reference, after.frames[:, 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(after.conditions, 1 - after.frames, atol=1e-5, rtol=0)


def test_zooming_by_two_shows_the_middle_twice_as_large() -> None:
    before = batch()
    after = change_view(before, 1.0, (2.0, 2.0), 0.0, 0, 0, dice())
    expected = torch.nn.functional.interpolate(before.reference[..., 4:12, 8:24], scale_factor=2, mode="bilinear")
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(after.reference[inner], expected[inner], atol=1e-4, rtol=0)


def test_a_turn_keeps_lengths_and_a_stretch_areas() -> None:
    dots = torch.zeros(64, 1, 3, 32, 64)
    places = [(10, 30), (20, 30), (15, 40)]
    for y, x in places:
        dots[..., y - 1 : y + 2, x - 1 : x + 2] = 1

    def triangles(turn: float, stretch: float) -> np.ndarray:
        """The dots' places afterwards, `(64, 3, 2)`, those near each one's old place taken for it."""
        before = Batch(dots[:, 0], dots[:, 0], dots, dots)
        frames = change_view(before, 1.0, (1.0, 1.0), 0.0, turn, stretch, dice(64)).frames[:, 0, 0].numpy()
        y, x = np.mgrid[:32, :64]
        found = []
        for old_y, old_x in places:
            weights = frames * (np.hypot(y - old_y, x - old_x) < 4.5)
            total = weights.sum((1, 2))
            found.append(np.stack([(weights * x).sum((1, 2)) / total, (weights * y).sum((1, 2)) / total], axis=1))
        return np.stack(found, axis=1)

    def sides(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2)

    turned, stretched = triangles(15.0, 0.0), triangles(0.0, 0.2)
    np.testing.assert_allclose(sides(turned), np.broadcast_to(sides(triangles(0, 0))[:1], (64, 3)), atol=0.3)
    assert turned.std(axis=0).max() > 0.5
    height, width = stretched[:, 1, 1] - stretched[:, 0, 1], stretched[:, 2, 0] - stretched[:, 0, 0]
    np.testing.assert_allclose(height * width, 100, rtol=0.04)
    assert width.max() > 1.15 * 10
    assert width.min() < 10 / 1.15


def test_outside_the_picture_poses_are_white_and_frames_repeat_their_edge() -> None:
    black = torch.full((2, 2, 3, 16, 32), 0.25)
    before = Batch(black[:, 0], black[:, 0], black, black)
    after = change_view(before, 1.0, (0.5, 0.5), 0.0, 0, 0, dice(2))
    torch.testing.assert_close(after.frames, black)
    assert (after.conditions[..., 0, :] == 1).all()


def test_a_spoiled_frame_stays_a_picture_and_without_noise_the_same() -> None:
    previous = batch().reference
    assert torch.equal(spoil_previous(previous, 0.0, dice()), previous)
    spoiled = spoil_previous(previous, 0.2, dice())
    assert not torch.equal(spoiled, previous)
    assert spoiled.min() >= 0
    assert spoiled.max() <= 1


def test_recolouring_swaps_the_channels_of_a_whole_clip_and_leaves_poses() -> None:
    before = batch()
    after = recolour(before, 1.0, dice())
    assert torch.equal(after.conditions, before.conditions)
    assert torch.equal(after.reference_condition, before.reference_condition)
    for b in range(6):
        order = [
            next(i for i in range(3) if torch.equal(after.reference[b, c], before.reference[b, i])) for c in range(3)
        ]
        assert sorted(order) == [0, 1, 2]
        assert torch.equal(after.frames[b], before.frames[b][:, order])
    assert not torch.equal(after.frames, before.frames)
    assert torch.equal(recolour(before, 0.0, dice()).frames, before.frames)


def test_a_crop_is_a_part_of_the_picture_enlarged() -> None:
    ramp = torch.arange(32.0).repeat(6, 2, 3, 16, 1) / 31
    before = Batch(ramp[:, 0], ramp[:, 0], ramp, ramp)
    after = crop(before, 1.0, 0.5, dice())
    torch.testing.assert_close(after.reference, after.frames[:, 1], atol=1e-5, rtol=0)
    widths = after.reference[:, 0, 8, -3] - after.reference[:, 0, 8, 2]  # of 28 columns that had been 27 steps apart
    assert (widths > 0.5 * 27 / 31 - 0.02).all() and (widths < 27 / 31).all() and widths.std() > 0.02
    assert (after.conditions[..., 2:-2, 2:-2] <= 1).all()
    assert torch.equal(crop(before, 0.0, 0.5, dice()).frames.round(decimals=4), ramp.round(decimals=4))


def test_every_joint_has_its_counterpart_on_the_other_side() -> None:
    assert [JOINTS[i] for i in OTHER_SIDE[:7]] == ["neck", "LSho", "LElb", "LWri", "RSho", "RElb", "RWri"]
    assert [OTHER_SIDE[i] for i in OTHER_SIDE] == list(range(len(JOINTS)))


def test_a_mirrored_pose_is_the_picture_of_the_mirrored_joints(dancer: PuppetClip) -> None:
    keypoints, size = dancer.keypoints.copy(), dancer.poses.shape[1:3]
    keypoints = keypoints[:, list(OTHER_SIDE)]
    keypoints[..., 0] = size[1] - keypoints[..., 0]

    def pictures(drawn: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(drawn).permute(0, 3, 1, 2)[None] / 255

    given, expected = pictures(dancer.poses), pictures(draw_skeletons(keypoints, size))
    after = mirror(Batch(given[:, 0], given[:, 0], given, given), 1.0, dice(1))

    def decibels(poses: torch.Tensor) -> float:
        return -10 * float((poses - expected).square().mean().log10())

    assert decibels(after.conditions) > decibels(given.flip(-1)) + 6  # colours are swapped, all but where limbs cross
    assert torch.equal(after.frames, given.flip(-1))
    torch.testing.assert_close(after.reference_condition, after.conditions[:, 0])


def test_a_share_of_the_clips_is_mirrored_whole() -> None:
    before, after = batch(), mirror(batch(), 0.5, dice())
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(after.frames, before.frames, strict=True)]
    assert mirrored == [torch.equal(a, b.flip(-1)) for a, b in zip(after.reference, before.reference, strict=True)]
    unchanged = [torch.equal(a, b) for a, b in zip(after.conditions, before.conditions, strict=True)]
    assert unchanged == [not changed for changed in mirrored]
    assert 0 < sum(mirrored) < 6
