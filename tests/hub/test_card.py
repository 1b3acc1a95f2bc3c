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
from cvae.config import FAMILIES, Lab4Config, PoseCVAEConfig
from hub.card import MOST_SEQUENCES, Card, card_text, metadata
from hub.scores import FrameScores, Kind, Results
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
        sample="a dancer",
        training_figure="training.png",
        psnr_figure="psnr.png",
        license="cc-by-nc-4.0",
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
    return dataclasses.replace(card, training={}, results=None, sample=None, training_figure=None, psnr_figure=None)


@pytest.mark.parametrize("make", [lambda card: card, bare], ids=["everything known", "nothing known"])
def test_the_hub_and_its_client_accept_the_card(hub_here: HubServer, card: Card, make: Any) -> None:
    known = make(card)
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


def test_every_sequence_has_a_row_with_its_scores(card: Card) -> None:
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page(card), re.DOTALL)]
    assert ["<code>0</code>", "629", "31.23", "0.9496", "19.50", "–", "31.10"] in cells
    means = ["<strong>31.23</strong>", "<strong>0.9496</strong>", "<strong>19.50</strong>", "<strong>–</strong>"]
    assert ["<strong>mean of 2</strong>", "", *means, "<strong>31.10</strong>"] in cells


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


@pytest.mark.parametrize("model", [PoseCVAEConfig(widths=(16, 16), attention_levels=(1,)), Lab4Config()])
def test_every_family_of_networks_has_its_words(card: Card, model: PoseCVAEConfig | Lab4Config) -> None:
    known = card.checkpoint
    other = dataclasses.replace(known, config=dataclasses.replace(known.config, model=model))
    assert "conditional variational autoencoder (CVAE)" in page(dataclasses.replace(card, checkpoint=other))
    assert {model.family for model in (PoseCVAEConfig(), Lab4Config())} == set(FAMILIES)


def test_the_card_of_the_bundled_weights_lists_their_options(card: Card) -> None:
    told = json.loads((Path(__file__).parents[2] / "weights/puppets-64x128/training.json").read_text())
    shown = page(dataclasses.replace(card, training=told))
    assert "<td><code>optimizer.peak-lr</code></td>\n<td><code>0.0015</code></td>" in shown
