import torch

from training.augment import recolour, spoil_previous, zoom_and_shift
from training.data import Batch


def batch() -> Batch:
    pictures = torch.rand(6, 8, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pictures[:, 0], pictures[:, 1], pictures[:, 2:5], pictures[:, 5:])


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_share_of_zero_changes_nothing() -> None:
    after = zoom_and_shift(batch(), 0.0, (0.5, 2.0), 0.3, seeded())
    torch.testing.assert_close(after.frames, batch().frames, atol=1e-5, rtol=0)
    torch.testing.assert_close(after.poses, batch().poses, atol=1e-5, rtol=0)


def test_frames_poses_and_reference_move_together() -> None:
    dot = torch.zeros(4, 1, 3, 16, 32)
    dot[..., 7:9, 15:17] = 1
    before = Batch(dot[:, 0], 1 - dot[:, 0], dot.repeat(1, 2, 1, 1, 1), 1 - dot.repeat(1, 2, 1, 1, 1))
    after = zoom_and_shift(before, 1.0, (0.8, 1.2), 0.2, seeded())
    assert not torch.allclose(after.frames, before.frames)
    torch.testing.assert_close(after.reference, after.frames[:, 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(after.poses, 1 - after.frames, atol=1e-5, rtol=0)


def test_zooming_by_two_shows_the_middle_twice_as_large() -> None:
    before = batch()
    after = zoom_and_shift(before, 1.0, (2.0, 2.0), 0.0, seeded())
    expected = torch.nn.functional.interpolate(before.reference[..., 4:12, 8:24], scale_factor=2, mode="bilinear")
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(after.reference[inner], expected[inner], atol=1e-4, rtol=0)


def test_outside_the_picture_poses_are_white_and_frames_repeat_their_edge() -> None:
    black = torch.full((2, 2, 3, 16, 32), 0.25)
    before = Batch(black[:, 0], black[:, 0], black, black)
    after = zoom_and_shift(before, 1.0, (0.5, 0.5), 0.0, seeded())
    torch.testing.assert_close(after.frames, black)
    assert (after.poses[..., 0, :] == 1).all()


def test_a_spoiled_frame_stays_a_picture_and_without_noise_the_same() -> None:
    previous = batch().reference
    assert torch.equal(spoil_previous(previous, 0.0, seeded()), previous)
    spoiled = spoil_previous(previous, 0.2, seeded())
    assert not torch.equal(spoiled, previous)
    assert spoiled.min() >= 0
    assert spoiled.max() <= 1


def test_recolouring_swaps_the_channels_of_a_whole_clip_and_leaves_poses() -> None:
    before = batch()
    after = recolour(before, 1.0, seeded())
    assert torch.equal(after.poses, before.poses)
    assert torch.equal(after.reference_pose, before.reference_pose)
    for b in range(6):
        order = [
            next(i for i in range(3) if torch.equal(after.reference[b, c], before.reference[b, i])) for c in range(3)
        ]
        assert sorted(order) == [0, 1, 2]
        assert torch.equal(after.frames[b], before.frames[b][:, order])
    assert not torch.equal(after.frames, before.frames)
    assert torch.equal(recolour(before, 0.0, seeded()).frames, before.frames)
