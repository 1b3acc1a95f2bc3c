from itertools import islice

import pytest
import torch

from cvae import rollout as module
from cvae.models import PoseCVAE
from cvae.rollout import rollout
from tests.conftest import drawn


def video(count: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, count, 3, 16, 32, generator=torch.Generator().manual_seed(0))


def test_every_pose_but_the_first_gives_one_frame(tiny_model: PoseCVAE) -> None:
    poses = video(20, batch=2)
    frames = list(rollout(tiny_model, poses[:, :1], poses))
    assert len(frames) == 19
    assert all(frame.shape == (2, 3, 16, 32) and frame.min() >= 0 and frame.max() <= 1 for frame in frames)


def test_a_frame_never_depends_on_poses_after_it(tiny_model: PoseCVAE) -> None:
    poses = video(6)
    changed = poses.clone()
    changed[:, 4:] = 0
    before, after = (list(rollout(tiny_model, poses[:, :1], p)) for p in (poses, changed))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(before[:3], after[:3], strict=True))
    assert not torch.allclose(before[3], after[3], atol=1e-3)


def test_each_frame_is_predicted_from_the_one_before(tiny_model: PoseCVAE) -> None:
    poses = video(4)
    frames = list(rollout(tiny_model, poses[:, :1], poses))
    with torch.inference_mode():
        reference = tiny_model.encode_reference(poses[:, 0], poses[:, 0])
        previous = poses[:, 0]
        for t, frame in enumerate(frames, start=1):
            (context,) = tiny_model.encode_conditions(reference, poses[:, t : t + 1])
            step = tiny_model.encode_step(context, previous)
            previous = drawn(tiny_model, step, step.prior.mean)
            torch.testing.assert_close(frame, previous, atol=1e-5, rtol=0)


def test_the_chunk_size_changes_nothing(tiny_model: PoseCVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    poses = video(9)
    whole = torch.cat(list(rollout(tiny_model, poses[:, :1], poses)))
    monkeypatch.setattr(module, "CHUNK", 3)
    torch.testing.assert_close(torch.cat(list(rollout(tiny_model, poses[:, :1], poses))), whole, atol=1e-5, rtol=0)


def test_sequences_of_a_batch_do_not_mix(tiny_model: PoseCVAE) -> None:
    poses = video(4, batch=3)
    together = torch.stack(list(rollout(tiny_model, poses[:, :1], poses)))
    alone = torch.stack(list(rollout(tiny_model, poses[1:2, :1], poses[1:2])))
    torch.testing.assert_close(together[:, 1:2], alone, atol=1e-5, rtol=0)


def test_a_seed_repeats_a_draw_from_the_prior(tiny_model: PoseCVAE) -> None:
    poses = video(4)
    first, again, other = (
        torch.cat(list(rollout(tiny_model, poses[:, :1], poses, sample="prior", generator=generator)))
        for generator in (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-4)


def test_frames_come_one_by_one_without_waiting_for_the_rest(tiny_model: PoseCVAE) -> None:
    poses = video(5).expand(1, 5, 3, 16, 32)
    encoded: list[int] = []
    encode = tiny_model.encode_conditions
    tiny_model.encode_conditions = lambda r, p: encoded.append(p.shape[1]) or encode(r, p)  # type: ignore
    long = poses[:, :1].expand(1, 10_000, 3, 16, 32)
    assert len(list(islice(rollout(tiny_model, poses[:, :1], long), 3))) == 3
    assert encoded == [module.CHUNK]
