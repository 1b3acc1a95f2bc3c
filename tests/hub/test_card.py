import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from huggingface_hub import ModelCard, ModelCardData
from markdown_it import MarkdownIt

from cvae.checkpoint import Checkpoint
from cvae.config import FAMILIES, Config, DataConfig, Lab4Config, ModelConfig, PoseCVAEConfig
from hub.card import Card, card_text, metadata
from hub.measured import MOST_SEQUENCES
from hub.scores import Curve, FrameScores, Kind, Results, Steps
from tests.conftest import random_model
from tests.hub.robot import robot_config
from tests.hub.server import HubServer

TRAINING = {
    "options": {"data": "me", "steps": None, "recipe": {"clips": {"batch_size": 4}, "network": {"widths": [16, 32]}}},
    "machine": {"device": "cpu", "mixed_precision": "bf16"},
    "code": "a840a9c8",
    "step": 12000,
    "minutes": 33.1,
    "validation_psnr": 30.324,
}


def results(*names: str, truth: bool = True) -> Results:
    def kind(value: float) -> Kind:
        known = value if truth else None
        return Kind(mean=known, sequences=dict.fromkeys(names, known))

    return Results(
        checkpoint="me",
        split="test",
        sample="mean",
        psnr=kind(31.234),
        ssim=kind(0.94961),
        copying=kind(19.5),
        drift=Kind(mean=None, sequences=dict.fromkeys(names)),
        competition=kind(31.1),
        frames={name: FrameScores(psnr=[31.0] * 629) for name in names},
    )


@pytest.fixture
def card(checkpoint: Checkpoint) -> Card:
    return Card(
        reference="alice/walk",
        checkpoint=checkpoint,
        training=TRAINING,
        results=results("0", "1"),
        sample="A dancer.",
        training_figure="training.png",
        score_figure="psnr.png",
        license="cc-by-nc-4.0",
    )


@pytest.fixture
def robots_card(card: Card) -> Card:
    """Of a network that predicts a robot, measured over 100 samples of ten frames each."""
    return dataclasses.replace(card, checkpoint=robot(), results=results_of_samples(), sample="A robot.")


def robot(**changes: Any) -> Checkpoint:
    config = robot_config(**changes)
    return Checkpoint("me", config, random_model(config))


def results_of_samples() -> Results:
    return dataclasses.replace(
        results("0", "1"),
        sample="prior",
        samples=100,
        best=Kind(mean=33.456, sequences={"0": 33.0, "1": 33.912}),
        best_ssim=Kind(mean=0.97, sequences={"0": 0.96, "1": 0.98}),
        steps=Steps(psnr=Curve(mean=[30.0, 25.0, 20.5])),
    )


def front_matter(card: Card) -> dict[str, Any]:
    _, yaml_text, _ = card_text(card).split("---\n", 2)
    read: dict[str, Any] = yaml.safe_load(yaml_text)
    return read


def page(card: Card) -> str:
    """The card as the Hub would render it."""
    body = card_text(card).split("---\n", 2)[2]
    html: str = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    return html


def bare(card: Card) -> Card:
    """Of a checkpoint of which nothing is known."""
    return dataclasses.replace(card, training={}, results=None, sample=None, training_figure=None, score_figure=None)


@pytest.mark.parametrize("make", [lambda card: card, bare], ids=["everything known", "nothing known"])
@pytest.mark.parametrize("whose", ["card", "robots_card"])
def test_the_hub_and_its_client_accept_the_card(
    hub_here: HubServer, whose: str, make: Any, request: pytest.FixtureRequest
) -> None:
    known = make(request.getfixturevalue(whose))
    ModelCard(card_text(known)).validate()
    with pytest.raises(ValueError, match="license"):  # so it was this Hub that said yes
        ModelCard(card_text(dataclasses.replace(known, license="mine"))).validate()


def test_the_client_reads_the_scores_back(card: Card) -> None:
    data = ModelCard(card_text(card)).data
    assert isinstance(data, ModelCardData) and data.eval_results
    found = {(result.dataset_split, result.metric_type): result.metric_value for result in data.eval_results}
    assert found == {("test", "psnr"): 31.234, ("test", "ssim"): 0.9496, ("validation", "psnr"): 30.324}
    assert {result.task_type for result in data.eval_results} == {"image-to-video"}


def test_the_metadata_name_task_library_and_licence(card: Card) -> None:
    told = front_matter(card)
    assert (told["pipeline_tag"], told["library_name"]) == ("image-to-video", "marionette")
    assert told["license"] == "cc-by-nc-4.0"
    assert told["model-index"][0]["name"] == "walk"
    assert {"psnr", "ssim"} == set(told["metrics"])


def test_a_model_without_scores_has_no_model_index(card: Card) -> None:
    assert "model-index" not in front_matter(bare(card))
    assert metadata(bare(card)).metrics is None


def rows(card: Card) -> list[list[str]]:
    """The cells of all tables, heads too, without their markup."""
    found = re.findall(r"<tr>(.*?)</tr>", page(card), re.DOTALL)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in found]


def test_every_sequence_has_a_row_with_its_scores(card: Card) -> None:
    drift = Kind(mean=0.5, sequences={"0": None, "1": 0.5})
    found = rows(dataclasses.replace(card, results=dataclasses.replace(results("0", "1"), drift=drift)))
    assert ["sequence", "frames", "PSNR (dB)", "SSIM", "copying (dB)", "drift (dB)", "8-bit (dB)"] in found
    assert ["0", "629", "31.23", "0.9496", "19.50", "–", "31.10"] in found
    assert ["mean of 2", "", "31.23", "0.9496", "19.50", "0.50", "31.10"] in found


def test_a_column_that_would_be_empty_is_left_out_and_not_explained(card: Card) -> None:
    assert ["0", "629", "31.23", "0.9496", "19.50", "31.10"] in rows(card)
    assert "drift" not in page(card).lower()


def test_of_several_samples_the_best_stand_beside_the_mean(robots_card: Card) -> None:
    found, best = rows(robots_card), "best of 100"
    assert ["sequence", "frames", "PSNR (dB)", "SSIM", f"{best} (dB)", f"{best}, SSIM", "copying (dB)"] in found
    assert ["mean of 2", "", "31.23", "0.9496", "33.46", "0.9700", "19.50"] in found
    assert "100 samples were drawn from the prior; PSNR and SSIM are their mean" in page(robots_card)
    told = {result.metric_name: result.metric_value for result in metadata(robots_card).eval_results or ()}
    assert told["PSNR (dB), mean of 100 samples"] == 31.234
    assert told["PSNR (dB), best of 100 samples"] == 33.456


def test_the_limits_tell_what_each_frame_loses_where_no_drift_was_measured(robots_card: Card) -> None:
    told = "over 3 predicted frames, PSNR is 30.00 dB in the first of them and 20.50 dB in the last."
    assert told in page(robots_card)


@pytest.mark.parametrize(("drift", "told"), [(0.104, "lose 0.10 dB"), (-5.32, "gain 5.32 dB")])
def test_the_limits_tell_what_long_videos_lose(card: Card, drift: float, told: str) -> None:
    long = dataclasses.replace(results("0"), drift=Kind(mean=drift, sequences={"0": drift}))
    assert f"the last 100 frames {told} against the first." in page(dataclasses.replace(card, results=long))


def test_the_limits_tell_no_loss_where_it_was_not_measured(card: Card) -> None:
    assert "Measured here" not in page(card)


def test_many_sequences_are_cut_and_the_mean_is_of_all(card: Card) -> None:
    many = dataclasses.replace(card, results=results(*(str(i) for i in range(MOST_SEQUENCES + 5))))
    assert f"mean of {MOST_SEQUENCES + 5}" in page(many)
    assert f"<code>{MOST_SEQUENCES - 1}</code>" in page(many) and f"<code>{MOST_SEQUENCES}</code>" not in page(many)


def test_without_truth_or_results_the_card_says_that_nothing_was_measured(card: Card) -> None:
    for unknown in (None, results()):
        assert "It was not measured on a test set." in page(dataclasses.replace(card, results=unknown))


def test_the_pictures_are_those_that_are_there(card: Card) -> None:
    assert re.findall(r'<img src="([^"]+)"', page(card)) == ["sample.gif", "psnr.png", "training.png"]
    assert re.findall(r"<img", page(bare(card))) == []


def test_the_settings_have_the_names_of_the_command_line(card: Card) -> None:
    assert "<td><code>clips.batch-size</code></td>\n<td><code>4</code></td>" in page(card)
    assert "<td><code>network.widths</code></td>\n<td><code>16, 32</code></td>" in page(card)


@pytest.mark.parametrize("section", ["How good", "How to use it", "How it was trained", "Limits", "Licence"])
def test_no_section_is_missing_whatever_is_known(card: Card, section: str) -> None:
    for one in (card, bare(card)):
        assert re.search(rf"<h2>{section}.*</h2>\n<", page(one))


def test_the_commands_name_the_branch(card: Card) -> None:
    assert "--checkpoint alice/walk@better " in card_text(dataclasses.replace(card, reference="alice/walk@better"))


def test_no_value_escapes_into_the_page(card: Card) -> None:
    nasty = "`x` | <script>alert(1)</script>\n# Heading {name} \x1b[31m" + "y" * 500
    training = TRAINING | {"options": {"data": nasty, "recipe": {nasty: nasty}}, "code": nasty}
    shown = page(dataclasses.replace(card, training=training, results=results(nasty)))
    assert "<script>" not in shown and "<h1>Heading" not in shown and "\x1b" not in shown
    assert "y" * 100 not in shown
    assert json.dumps(front_matter(dataclasses.replace(card, training=training)))


NETWORKS: list[tuple[ModelConfig, str]] = [
    (
        PoseCVAEConfig(widths=(16, 16), attention_levels=(1,)),
        "conditional variational autoencoder (CVAE) that looks up",
    ),
    (Lab4Config(), "conditional variational autoencoder (CVAE) of the course lab"),
    (robot_config().model, "all frames before and the actions, and predicts from them the prior of each latent"),
    (robot_config(prior="fixed").model, "all frames before and the actions; the prior of each latent is N(0, I)"),
]


@pytest.mark.parametrize(("model", "words"), NETWORKS)
def test_every_family_of_networks_has_its_words(card: Card, model: ModelConfig, words: str) -> None:
    config = Config(model=model, data=DataConfig(height=16, width=16))
    other = dataclasses.replace(card.checkpoint, config=config)
    assert words in page(dataclasses.replace(card, checkpoint=other))
    assert {model.family for model, _ in NETWORKS} == set(FAMILIES)


PERSONAL = (
    r"(?i)\b(persons?|people|pos(e|es|ed)|pose-driven|body|bodies|faces?|dancers?|skeletons?|human\S*|dance\S*)\b"
)


@pytest.mark.parametrize("make", [lambda card: card, bare])
@pytest.mark.parametrize("condition", ["actions", "none"])
def test_nothing_is_said_of_persons_where_there_are_none(robots_card: Card, condition: str, make: Any) -> None:
    text = card_text(dataclasses.replace(make(robots_card), checkpoint=robot(condition=condition)))
    assert re.findall(PERSONAL, text) == []


def test_the_card_of_a_robot_tells_how_it_is_used_and_what_is_open(robots_card: Card) -> None:
    text = card_text(robots_card)
    assert "python -m cvae generate --checkpoint alice/walk --actions trajectory.zip --out out.gif" in text
    assert "predicted from its first 2 frames and the robot's actions alone" in text
    assert "*Copying* shows the last given frame" in text
    assert "samples differ" in text
    assert {"svg", "robotics", "action-conditioned"} < set(front_matter(robots_card)["tags"])
    (task,) = {result["task"]["name"] for result in front_matter(robots_card)["model-index"][0]["results"]}
    assert task == "Action-conditioned video prediction"


def test_a_person_who_is_driven_by_key_points_is_given_as_a_video(robots_card: Card) -> None:
    text = card_text(dataclasses.replace(bare(robots_card), checkpoint=robot(condition="keypoints")))
    assert "--checkpoint alice/walk --poses dance.mp4 --out" in text
    assert "Do not show real people doing what they never did" in text
    assert "robot" not in text and "action" not in text


def test_the_card_of_the_bundled_weights_lists_their_options(card: Card) -> None:
    told = json.loads((Path(__file__).parents[2] / "weights/puppets-64x128/training.json").read_text())
    shown = page(dataclasses.replace(card, training=told))
    assert "<td><code>optimizer.peak-lr</code></td>\n<td><code>0.0015</code></td>" in shown
