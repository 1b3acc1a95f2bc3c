"""What people are told of a network that depends on what it shows, and on what it is given."""

from dataclasses import dataclass

from cvae.config import ModelConfig, SVGConfig


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The words in which two cards differ; Markdown, in which `{data}` is what the network was trained on."""

    gives: str
    """What a user gives, and gets."""
    conditions: str
    """What comes with the frames, behind "its first frame"; empty where nothing does."""
    options: str
    """Of `generate`, for what a user gives."""
    files: str
    """What these files are."""
    task: str
    tags: tuple[str, ...]
    seen: str
    """Limits of what can be shown, as items of a list."""
    misuse: str
    """What not to do with it, as the last items."""
    recordings: str
    """What it was trained on, as somebody may have rights to it."""


_PERSON_LIMITS = """\
- **One person or many.** The look of the person comes from the first frame, but the network draws only what {data} \
taught it. Trained on one person it draws this person, these clothes and this room, and others poorly; the card does \
not know how many people there were, so ask, or try. Scores hold for material like that which was measured, not for \
any photo.
- **One body**, before a camera that stands still. What the first frame does not show, such as a person's back, is \
guessed. Faces and hands have few pixels."""
_PERSON_MISUSE = """
- **Misuse.** Do not show real people doing what they never did unless they agree, and say of what you publish that \
it is generated. It is not made to identify or to judge anybody."""
_PERSON = Subject(
    gives="Give it one picture of a person and a sequence of poses, and it predicts the video",
    conditions=" and its poses",
    options="--first-frame photo.png --poses dance.mp4",
    files="Poses are pictures of skeletons, key points (OpenPose JSON) or a video of a person who moves.",
    task="Pose-driven video prediction",
    tags=("pose-driven", "human-motion"),
    seen=_PERSON_LIMITS,
    misuse=_PERSON_MISUSE,
    recordings="recordings of people",
)
_PERSON_BY_NUMBERS = Subject(
    gives="Give it the first frames of a person's video and the key points of all, and it predicts the others",
    conditions=" and its key points",
    options="--poses dance.mp4",
    files="Poses are a video of a person who moves: its first frames are given, and of the others the key points that "
    "are found in them.",
    task=_PERSON.task,
    tags=_PERSON.tags,
    seen=_PERSON_LIMITS,
    misuse=_PERSON_MISUSE,
    recordings=_PERSON.recordings,
)

_ONE_WORLD = """
- **One world.** It draws the things, colours, light and camera of {data}, and others poorly: scores hold for frames \
like those that were measured, not for any video."""
_ROBOT = Subject(
    gives="Give it the first frames of a robot's video and the actions that follow, and it predicts how it goes on",
    conditions=" and the robot's actions",
    options="--actions trajectory.zip",
    files="The trajectory is a zip or a folder: one table (CSV) of a row of 7 numbers for every frame, 4 of the action "
    "and 3 of the hand's position, or one table of each, with the frames that are given as `0.png`, `1.png`, ...; if "
    "all frames are there, the prediction is compared with them.",
    task="Action-conditioned video prediction",
    tags=("action-conditioned", "robotics"),
    seen="- **Open futures.** The actions say where the hand goes; what becomes of the objects that it pushes is open. "
    "Each draw of the latents shows one of many futures, so samples differ (`--sample prior --seed 1`, `2`, ...), and "
    "objects may fade or change their shape."
    "\n- **Actions like those it has seen.** Numbers far beyond those of its training are cut off." + _ONE_WORLD,
    misuse="\n- **No simulator.** What it shows is a guess; it was not made to decide what a real robot does.",
    recordings="recordings",
)
_ANYTHING = Subject(
    gives="Give it the first frames of a video, and it predicts how it goes on",
    conditions="",
    options=_ROBOT.options,
    files="The trajectory is a zip or a folder with the frames that are given as `0.png`, `1.png`, ..., and a table "
    "(CSV) of a row of 7 numbers for every frame to make: only how many rows there are matters.",
    task="Video prediction",
    tags=(),
    seen="- **Open futures.** Nothing tells the network what happens. Each draw of the latents shows one of many "
    "futures, so samples differ (`--sample prior --seed 1`, `2`, ...), and things may fade or change their shape."
    + _ONE_WORLD,
    misuse="",
    recordings="recordings",
)
_SUBJECTS = {"poses": _PERSON, "keypoints": _PERSON_BY_NUMBERS, "actions": _ROBOT, "none": _ANYTHING}
_NETWORKS = {
    "pose_cvae": "a conditional variational autoencoder (CVAE) that looks up by attention, in the first frame, what "
    "each part of the body looks like",
    "lab4": 'the conditional variational autoencoder (CVAE) of the course lab "DLP Lab 4", which predicts a frame from '
    "the one before and its pose",
}


def subject_of(model: ModelConfig) -> Subject:
    """The words for a network."""
    return _SUBJECTS[model.condition]


def beginning_of(model: ModelConfig) -> str:
    """The frames that are given of a sequence."""
    return "its first frame" if model.past_frames == 1 else f"its first {model.past_frames} frames"


def given_to(model: ModelConfig) -> str:
    """All that is given of a sequence which is predicted."""
    return f"{beginning_of(model)}{subject_of(model).conditions} alone"


def network_of(model: ModelConfig) -> str:
    """What kind of network it is, behind "It is"."""
    return _svg(model) if isinstance(model, SVGConfig) else _NETWORKS[model.family]


def _svg(model: SVGConfig) -> str:
    numbers = {"actions": " and the actions", "keypoints": " and the key points", "none": ""}[model.options.condition]
    short, prior = {
        "learned": ("SVG-LP", ", and predicts from them the prior of each latent"),
        "fixed": ("SVG-FP", "; the prior of each latent is N(0, I)"),
    }[model.options.prior]
    return (
        f"{short} (stochastic video generation with a {model.options.prior} prior, [Denton & Fergus 2018]"
        "(https://arxiv.org/abs/1802.07687)), a recurrent variational autoencoder that sees all frames before"
        f"{numbers}{prior}"
    )
