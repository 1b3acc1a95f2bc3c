"""What a user gives of a person, on the left half of the tab."""

from dataclasses import dataclass

import gradio as gr

from cvae.checkpoint import Checkpoint
from web.panels import TRUTH, TRUTH_HINT, Buttons, Options, build_buttons, build_options, hint, upload

_PICTURES = "skeletons (on white, or COCO-18 on black) or key points (OpenPose JSON, .npz)"
_NUMBERS = "key points (OpenPose JSON, .npz) or skeletons (COCO-18 on black)"


@dataclass(frozen=True)
class PersonPanel:
    """The inputs and the two buttons."""

    first_frame: gr.Image
    poses: gr.File
    strip: gr.HTML
    retarget: gr.Checkbox
    truth: gr.File
    options: Options
    buttons: Buttons

    @property
    def files(self) -> list[gr.Image | gr.File]:
        """What is uploaded."""
        return [self.first_frame, self.poses, self.truth]


def build_person_panel(checkpoint: Checkpoint) -> PersonPanel:
    """Lay out the inputs in the order of their numbers."""
    with gr.Column(elem_classes="input"):
        first_frame = gr.Image(
            label="1. First frame",
            type="filepath",
            sources=["upload", "webcam", "clipboard"],
            height=200,
            elem_id="first-frame",
            elem_classes="pixels",
        )
        hint(_first_frame_hint(checkpoint))
    with gr.Column(elem_classes="input"):
        poses = upload("2. Poses", "poses")
        accepted = _NUMBERS if checkpoint.config.model.condition == "keypoints" else _PICTURES
        hint(f"A video of a person, {accepted}: files or a zip. The first pose belongs to the first frame.")
        strip = gr.HTML(visible=False, elem_classes="strip", elem_id="pose-strip")
        retarget = gr.Checkbox(
            True,
            label="Fit the poses to the person of the first frame",
            info="Where they come from a video of another person.",
            container=False,
            elem_id="retarget",
        )
    with gr.Column(elem_classes="input"):
        truth = upload(TRUTH, "truth")
        hint(TRUTH_HINT)
    options = build_options(checkpoint, "as the poses")
    return PersonPanel(first_frame, poses, strip, retarget, truth, options, build_buttons())


def _first_frame_hint(checkpoint: Checkpoint) -> str:
    size, given = checkpoint.config.data, checkpoint.config.model.past_frames
    if given > 1:
        return f"Leave it empty: this network begins with {given} frames, which a video of the person brings under 2."
    return (
        f"It becomes {size.width}x{size.height} pixels (width x height), or, where poses are fitted, its part "
        "around the person: the larger the better. Not needed if the poses come from a video of the person."
    )
