"""The whole page: started as a user starts it, called by a program, and used in a real browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from cvae.checkpoint import save_checkpoint
from cvae.poses.openpose import write_openpose
from cvae.video import read_clip
from tests.conftest import TINY, moving_square, random_model, write_pictures
from tests.cvae.media import encode_mp4, encode_video
from tests.cvae.poses.coco_drawings import draw_coco, standing
from tests.web.robots import FRAMES, save_own_robot, write_own_trajectory
from training.puppets.clip import PuppetClip
from web.examples import CSS as EXAMPLES_CSS
from web.examples import build_cards, find_dancers

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
SHORT, LONG = 9, 1500
SERVE = """
import sys
from pathlib import Path
import app
app.BUNDLED_ROBOT = Path(sys.argv.pop(1))
app.run_options(app.serve, "python app.py", sys.argv[1:])
"""
"""`python app.py` with another bundled robot."""
FILE: dict[str, object] = {"meta": {"_type": "gradio.FileData"}}
"""How Gradio marks the name of a file."""

pytestmark = pytest.mark.slow
browser_test = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@dataclass(frozen=True)
class Files:
    """What a user uploads."""

    first_frame: Path
    poses: Path
    truth: Path
    long_poses: Path
    text: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    frames, poses = moving_square(SHORT)
    write_pictures(folder / "truth", frames)
    write_pictures(folder / "poses", poses)
    write_pictures(folder / "long", moving_square(LONG)[1])
    (folder / "notes.txt").write_text("I am no picture.\n" * 10)
    for name in ("truth", "poses", "long"):
        shutil.make_archive(str(folder / name), "zip", folder / name)
    return Files(
        folder / "truth" / "0.png",
        folder / "poses.zip",
        folder / "truth.zip",
        folder / "long.zip",
        folder / "notes.txt",
    )


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A robot's frames and tables, and all of them as a zip beside the folder."""
    folder = write_own_trajectory(tmp_path_factory.mktemp("robot") / "trajectory")
    shutil.make_archive(str(folder), "zip", folder)
    return folder


@dataclass(frozen=True)
class Sources:
    """Poses as people have them, all of one dancer; and a picture of the same dancer, twice as far away."""

    keypoints: Path
    coco: Path
    person: Path
    long_person: Path
    cut_person: Path
    farther: Path


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, dancer: PuppetClip) -> Sources:
    folder = tmp_path_factory.mktemp("sources")
    write_openpose(folder / "openpose", dancer.keypoints, (128, 256))
    shutil.make_archive(str(folder / "openpose"), "zip", folder / "openpose")
    coco = np.stack([draw_coco(np.add(standing(), (2 * step, 0, 0))) for step in range(SHORT)])
    long = np.concatenate([dancer.frames, dancer.frames[::-1]] * 40)
    person = encode_mp4(folder / "person.mp4", dancer.frames, "-g", "1")
    whole = encode_video(folder / "whole.mkv", long, "-c:v", "mjpeg", "-q:v", "4").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 50])
    write_pictures(folder, cv2.copyMakeBorder(dancer.frames[0], 64, 64, 128, 128, cv2.BORDER_REPLICATE)[None])
    return Sources(
        folder / "openpose.zip",
        encode_mp4(folder / "coco.mp4", coco),
        person,
        encode_mp4(folder / "long.mp4", long),
        folder / "cut.mkv",
        folder / "0.png",
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running page with two tiny random models; that of the person was chosen."""
    folder = tmp_path_factory.mktemp("page")
    save_checkpoint(folder / "tiny", TINY, random_model(TINY), {})
    robot = save_own_robot(folder / "robot")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(robot), "--checkpoint", str(folder / "tiny"), "--port", str(port)]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    for name in ("MODEL_ID", "SPACE_ID"):
        environment.pop(name, None)
    with subprocess.Popen(
        [*command, "--device", "cpu"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = next(iter(server.stdout), "")
        try:
            assert line.startswith(f"Marionette is ready on http://127.0.0.1:{port} "), line
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


# A program ----------------------------------------------------------------------------------------------


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Client]:
    client = Client(url, verbose=False, download_files=str(tmp_path), analytics_enabled=False)
    yield client
    client.close()


def test_program_predicts_a_video_over_http(client: Client, files: Files) -> None:
    gif, mp4, psnr, summary = client.predict(
        first_frame=handle_file(files.first_frame),
        poses=handle_file(files.poses),
        truth=handle_file(files.truth),
        sample="mean",
        seed=0,
        api_name="/generate",
    )
    assert read_clip(Path(gif)).frames.shape == (SHORT, 16, 32, 3)
    assert len(read_clip(Path(mp4)).frames) == SHORT
    rows = [line.split(",") for line in Path(psnr).read_text().splitlines()]
    assert rows[0] == ["frame", "psnr"]
    assert [float(value) for _, value in rows[1:]] == pytest.approx(summary["psnr"], abs=1e-3)
    assert summary["mean_psnr"] == pytest.approx(np.mean(summary["psnr"]))
    assert summary["frames"] == SHORT - 1


def test_program_needs_nothing_but_first_frame_and_poses(client: Client, files: Files) -> None:
    gif, _, psnr, summary = client.predict(
        first_frame=handle_file(files.first_frame), poses=handle_file(files.poses), api_name="/generate"
    )
    assert Path(gif).exists()
    assert (psnr, summary["mean_psnr"], summary["psnr"]) == (None, None, [])


def test_program_needs_no_first_frame_where_a_video_of_a_person_brings_it(client: Client, sources: Sources) -> None:
    _, mp4, psnr, summary = client.predict(
        first_frame=None, poses=handle_file(sources.person), retarget=True, api_name="/generate"
    )
    assert len(summary["psnr"]) == 11
    assert Path(psnr).exists()
    assert summary["fps"] == read_clip(Path(mp4)).fps == 25


def test_program_is_told_what_was_wrong(client: Client, files: Files) -> None:
    with pytest.raises(AppError, match=r"notes\.txt.* is text; expected"):
        client.predict(first_frame=handle_file(files.text), poses=handle_file(files.poses), api_name="/generate")


def test_program_predicts_the_video_of_a_robot(client: Client, trajectory: Path) -> None:
    gif, mp4, psnr, summary = client.predict(
        frames=None, actions=handle_file(trajectory.with_suffix(".zip")), api_name="/generate_robot"
    )
    assert read_clip(Path(gif)).frames.shape == (FRAMES, 16, 16, 3)
    assert len(read_clip(Path(mp4)).frames) == FRAMES
    assert [line.split(",")[0] for line in Path(psnr).read_text().splitlines()] == ["frame", "2", "3", "4", "5"]
    assert (summary["frames"], summary["fps"], len(summary["psnr"])) == (FRAMES - 2, 5, FRAMES - 2)


def test_program_is_told_what_was_wrong_with_a_robot(client: Client, trajectory: Path) -> None:
    with pytest.raises(AppError, match=r"There are 1 given frames; this network needs 2"):
        client.predict(
            frames=handle_file(trajectory / "0.png"),
            actions=handle_file(trajectory.with_suffix(".zip")),
            api_name="/generate_robot",
        )


def test_endpoints_of_both_models_are_the_only_public_ones(client: Client) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    names = {
        name: [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        for name, endpoint in endpoints.items()
    }
    assert names == {
        "/generate": ["first_frame", "poses", "truth", "sample", "seed", "retarget", "fps"],
        "/generate_robot": ["frames", "actions", "truth", "sample", "seed", "fps"],
    }


def answer_to(url: str, first_frame: object, poses: object = None) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{url}/gradio_api/call/generate",
        json.dumps({"data": [first_frame, poses, None, "mean", 0, True, 0]}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            event = json.load(answer)["event_id"]
        with urllib.request.urlopen(f"{url}/gradio_api/call/generate/{event}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def uploaded(url: str, path: Path) -> str:
    """The file's place on the server after an upload."""
    answer = httpx.post(f"{url}/gradio_api/upload", files={"files": (path.name, path.read_bytes())})
    place: str = answer.json()[0]
    return place


def test_server_fetches_no_file_from_the_web(url: str) -> None:
    status, text = answer_to(url, {"path": "http://127.0.0.1:9/a.png", **FILE})
    assert (status, "uploaded" in text) == (422, True)


@pytest.mark.parametrize("mark", [{}, FILE])
def test_server_reads_no_file_that_was_not_uploaded(url: str, files: Files, mark: dict[str, object]) -> None:
    """All is as it should be but for the place of the first frame."""
    poses = {"path": uploaded(url, files.poses), **FILE}
    _, text = answer_to(url, {"path": uploaded(url, files.first_frame), **FILE}, poses)
    assert "event: complete" in text
    _, text = answer_to(url, {"path": str(files.first_frame), **mark}, poses)
    assert "event: error" in text


# A browser ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page, opened; at the end, nothing may have been asked of any other server and no script may have failed."""
    faults: list[str] = []

    def check(request: Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            faults.append(f"asked {request.url}")

    page = browser.new_page(viewport={"width": 1360, "height": 900}, reduced_motion="reduce")
    page.on("request", check)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(url)
    expect(page.locator("#generate")).to_be_enabled()
    yield page
    page.close()
    assert not faults


def upload(page: Page, name: str, path: Path) -> None:
    page.locator(f"#{name} input[type=file]").set_input_files(path)
    if name == "first-frame":
        expect(page.locator("#first-frame img")).to_be_visible(timeout=10_000)
    else:
        expect(page.locator(f"#{name}")).to_contain_text(path.stem)


def give_inputs(page: Page, files: Files, poses: Path, truth: Path | None = None) -> None:
    upload(page, "first-frame", files.first_frame)
    upload(page, "poses", poses)
    if truth:
        upload(page, "truth", truth)


def finish(page: Page) -> None:
    expect(page.locator("#player .player")).to_have_attribute("data-phase", "done", timeout=30_000)
    expect(page.locator("#player .scrubber")).to_be_enabled()


FRAME_AT_HAND = "() => Number(/^Frame (\\d+) of/.exec(document.querySelector('#player .status').textContent)[1])"


def frame_at_hand(page: Page) -> int:
    """The number of the newest frame of a run that goes on."""
    number: int = page.evaluate(FRAME_AT_HAND)
    return number


def shown(page: Page, track: str = "prediction") -> list[int]:
    """The pixels of the canvas."""
    script = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    pixels: list[int] = page.locator(f"#player [data-track={track}] canvas").evaluate(script)
    return pixels


class TestBrowser:
    """Used by hand."""

    pytestmark = browser_test

    def test_upload_generate_scrub_and_download(self, page: Page, files: Files, tmp_path: Path) -> None:
        give_inputs(page, files, files.poses, files.truth)
        expect(page.locator("#pose-strip")).to_contain_text(f"{SHORT} poses")
        page.click("#generate")
        finish(page)
        status = page.locator("#player .status")
        expect(status).to_have_text(re.compile(rf"{SHORT - 1} frames in [\d.]+ s, mean PSNR [\d.]+ dB"))
        expect(page.locator("#player .count")).to_have_text(f"0 / {SHORT - 1}")
        truth = read_clip(files.truth).frames
        for number in (0, 5):
            page.locator("#player .scrubber").fill(str(number))
            expect(page.locator("#player .count")).to_have_text(f"{number} / {SHORT - 1}")
            pixels = np.array(shown(page, "truth")).reshape(16, 32, 4)[..., :3]
            assert np.array_equal(pixels, truth[number])
        expect(page.locator("#player .reading")).to_have_text(re.compile(r"Frame 5: [\d.]+ dB"))
        expect(page.locator("#player .curve .mean-line")).to_have_count(1)
        expect(page.locator("#gif img")).to_be_visible()
        for kind, ending in (("gif", ".gif"), ("mp4", ".mp4"), ("psnr", ".csv")):
            with page.expect_download() as download:
                page.click(f"#download-{kind}")
            download.value.save_as(tmp_path / f"got{ending}")
            assert download.value.suggested_filename.endswith(ending)
        assert len(read_clip(tmp_path / "got.gif").frames) == SHORT
        assert len((tmp_path / "got.csv").read_text().splitlines()) == SHORT

    def test_frames_appear_while_they_are_made_until_stop(self, page: Page, files: Files) -> None:
        give_inputs(page, files, files.long_poses)
        page.click("#generate")
        expect(page.locator("#player .status")).to_have_text(re.compile(rf"Frame \d+ of {LONG - 1}, \d+ frames/s"))
        page.wait_for_function(
            "document.querySelector('#player canvas').getContext('2d').getImageData(9, 9, 1, 1).data[3]"
        )
        expect(page.locator("#generate")).to_be_disabled()
        page.click("#stop")
        finish(page)
        expect(page.locator("#player .status")).to_have_text(re.compile(rf"Stopped after \d+ of {LONG - 1} frames"))
        expect(page.locator("#generate")).to_be_enabled()
        expect(page.locator("#stop")).to_be_disabled()
        expect(page.locator("#download-psnr")).to_be_hidden()

    @pytest.mark.parametrize(
        ("name", "rows", "text"),
        [
            ("keypoints", 1, "12 poses from key points"),
            ("coco", 1, f"{SHORT} poses from skeletons on black (25 frames a second, 0.4 s long)"),
            ("person", 2, "12 poses from a video of a person (256x128 pixels, 25 frames a second, 0.5 s long)"),
            (
                "cut_person",
                2,
                re.compile(r'1\d of 960 frames of "cut.mkv" could be read; the file is damaged or cut short\.'),
            ),
        ],
    )
    def test_strip_says_what_poses_were_taken_for(
        self, page: Page, sources: Sources, name: str, rows: int, text: str | re.Pattern[str]
    ) -> None:
        upload(page, "poses", getattr(sources, name))
        strip = page.locator("#pose-strip")
        expect(strip).to_contain_text(text)
        expect(strip.locator("img")).to_have_count(rows)
        expect(page.locator("#stop")).to_be_disabled()
        page.get_by_label("Clear").first.click()
        expect(strip).to_be_hidden()

    def test_key_points_move_the_person_of_the_first_frame(self, page: Page, files: Files, sources: Sources) -> None:
        give_inputs(page, files, sources.keypoints)
        page.click("#generate")
        finish(page)
        expect(page.locator("#player .count")).to_have_text("0 / 11")

    def test_video_of_a_person_is_first_frame_poses_and_truth(self, page: Page, sources: Sources) -> None:
        upload(page, "poses", sources.person)
        page.click("#generate")
        finish(page)
        expect(page.locator("#player .status")).to_have_text(re.compile(r"11 frames in [\d.]+ s, mean PSNR [\d.]+ dB"))

    def test_poses_of_another_person_are_fitted_unless_that_is_unwanted(self, page: Page, sources: Sources) -> None:
        upload(page, "first-frame", sources.farther)
        upload(page, "poses", sources.person)
        poses = []
        for fitted in (True, False):
            page.locator("#retarget input").set_checked(fitted)
            page.click("#generate")
            finish(page)
            expect(page.locator("#player .status")).not_to_contain_text("PSNR")
            inked = np.array(shown(page, "pose")).reshape(16, 32, 4)[..., :3].min(axis=-1) < 250
            poses.append(np.flatnonzero(inked.any(axis=1)).size)
        assert poses[0] < 0.7 * poses[1]

    def test_stop_ends_a_search_and_another_upload_too(self, page: Page, sources: Sources) -> None:
        strip = page.locator("#pose-strip")
        upload(page, "poses", sources.long_person)
        expect(strip).to_contain_text(re.compile(r"Reading: frame \d+ of 960"))
        expect(strip.locator("progress")).to_have_count(1)
        page.click("#stop")
        expect(strip).to_contain_text("Stopped")
        expect(page.locator("#stop")).to_be_disabled()
        page.get_by_label("Clear").first.click()
        upload(page, "poses", sources.long_person)
        expect(strip).to_contain_text("Reading")
        page.get_by_label("Clear").first.click()
        upload(page, "poses", sources.coco)
        expect(strip).to_contain_text("skeletons on black")

    def test_second_user_is_told_to_wait(self, page: Page, browser: Browser, url: str, files: Files) -> None:
        other = browser.new_page()
        other.goto(url)
        give_inputs(other, files, files.poses)
        give_inputs(page, files, files.long_poses)
        page.click("#generate")
        expect(page.locator("#player .status")).to_contain_text("Frame ")
        other.click("#generate")
        waiting = other.locator("#player .status")
        expect(waiting).to_contain_text("Waiting for the model")
        for _ in range(3):
            number = frame_at_hand(page)
            page.wait_for_function(f"({FRAME_AT_HAND})() > {number}")
            expect(waiting).to_contain_text("Waiting for the model", timeout=1)
        page.click("#stop")
        finish(page)
        finish(other)
        expect(other.locator("#player .count")).to_have_text(f"0 / {SHORT - 1}")
        other.context.close()

    def test_keys_and_clicks_on_the_curve_move_the_player(self, page: Page, files: Files) -> None:
        give_inputs(page, files, files.poses, files.truth)
        page.click("#generate")
        finish(page)
        count, button = page.locator("#player .count"), page.locator("#player .play")
        expect(count).to_have_text(f"0 / {SHORT - 1}")
        page.locator("#player .scrubber").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        expect(count).to_have_text(f"1 / {SHORT - 1}")
        box = page.locator("#player .curve svg").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] - 18, box["y"] + 60)
        expect(count).to_have_text(f"{SHORT - 1} / {SHORT - 1}")
        page.keyboard.press("Space")
        expect(button).to_have_attribute("aria-label", "Pause")
        expect(count).not_to_have_text(f"{SHORT - 1} / {SHORT - 1}")
        page.keyboard.press("Space")
        expect(button).to_have_attribute("aria-label", "Play")

    def test_text_file_is_told_on_the_page(self, page: Page, files: Files) -> None:
        upload(page, "first-frame", files.first_frame)
        upload(page, "poses", files.text)
        toast = page.get_by_test_id("toast-body").first
        expect(toast).to_contain_text("is text; expected")
        page.click("#generate")
        expect(page.locator("#player .status")).to_contain_text("is text; expected")
        expect(page.locator("#generate")).to_be_enabled()
        assert "Traceback" not in page.content()

    def test_missing_input_is_told_on_the_page(self, page: Page) -> None:
        page.click("#generate")
        expect(page.get_by_test_id("toast-body").first).to_contain_text("There are no poses")
        expect(page.locator("#generate")).to_be_enabled()

    def test_full_queue_is_told_on_the_page(self, page: Page) -> None:
        refusal = {"status": 503, "json": {"detail": "Queue is full. Max size is 16 and size is 16."}}
        page.route("**/gradio_api/queue/join*", lambda route: route.fulfill(**refusal))
        page.click("#generate")
        expect(page.locator("#player .status")).to_contain_text("too many people are waiting")
        expect(page.locator("#generate")).to_be_enabled()
        page.unroute_all()
        page.click("#generate")
        expect(page.locator("#player .status")).to_contain_text("There are no poses")

    def test_frames_that_cannot_be_fetched_are_told(self, page: Page, files: Files) -> None:
        page.route("**/prediction-0.png", lambda route: route.abort())
        give_inputs(page, files, files.poses)
        page.click("#generate")
        expect(page.locator("#gif img")).to_be_visible()
        expect(page.locator("#player .status")).to_contain_text("could not be fetched")
        expect(page.locator("#player .scrubber")).to_be_disabled()
        page.unroute_all()
        page.click("#generate")
        finish(page)
        expect(page.locator("#player .status")).to_contain_text(f"{SHORT - 1} frames in")

    def test_one_click_runs_an_example(self, page: Page) -> None:
        page.locator("#examples .example").first.click()
        finish(page)
        expect(page.locator("#player .status")).to_contain_text("mean PSNR")
        expect(page.locator("#truth")).to_contain_text("truth")

    def test_page_has_one_column_on_a_phone(self, page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        left, right = page.locator("#generate").bounding_box(), page.locator("#player").bounding_box()
        assert left is not None
        assert right is not None
        assert right["y"] > left["y"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


class TestRobotInBrowser:
    """The tab of the robot, used by hand."""

    pytestmark = browser_test

    @pytest.fixture
    def robot(self, page: Page) -> Page:
        page.get_by_role("tab", name="Robot").click()
        expect(page.locator("#robot-generate")).to_be_enabled()
        expect(page.locator("#generate")).to_be_hidden()
        return page

    def give(self, page: Page, trajectory: Path) -> None:
        page.locator("#robot-actions input[type=file]").set_input_files(trajectory.with_suffix(".zip"))
        expect(page.locator("#robot-actions")).to_contain_text("trajectory")

    def status(self, page: Page) -> Locator:
        return page.locator("#robot-player .status")

    def test_trajectory_is_predicted_compared_and_downloaded(
        self, robot: Page, trajectory: Path, tmp_path: Path
    ) -> None:
        self.give(robot, trajectory)
        robot.click("#robot-generate")
        expect(self.status(robot)).to_have_text(re.compile(rf"{FRAMES - 2} frames in [\d.]+ s, mean PSNR [\d.]+ dB"))
        expect(robot.locator("#robot-player .player")).to_have_attribute("data-phase", "done")
        count, reading = robot.locator("#robot-player .count"), robot.locator("#robot-player .reading")
        expect(count).to_have_text(f"0 / {FRAMES - 1}")
        expect(robot.locator("#robot-player .hand")).to_have_attribute("aria-label", re.compile("x 0.0, y 0.0, z 10.0"))
        for number, text in ((1, "Frame 1: given"), (2, re.compile(r"Frame 2: [\d.]+ dB"))):
            robot.locator("#robot-player .scrubber").fill(str(number))
            expect(reading).to_have_text(text)
        expect(robot.locator("#robot-player .hand")).to_have_attribute("aria-label", re.compile("x 2.0, y 0.0, z 10.0"))
        with robot.expect_download() as download:
            robot.click("#robot-download-psnr")
        download.value.save_as(tmp_path / "psnr.csv")
        assert (tmp_path / "psnr.csv").read_text().splitlines()[1].startswith("2,")

    def test_robot_is_steered_with_mouse_and_keyboard(self, robot: Page, trajectory: Path) -> None:
        self.give(robot, trajectory)
        slider = robot.locator("#steer-0 input[type=number]")
        slider.fill("-3")
        robot.click("#steer-step")
        expect(self.status(robot)).to_have_text("Step 1 of at most 100")
        expect(robot.locator("#robot-player .hand")).to_have_attribute("aria-label", re.compile("x −2.0"))
        expect(robot.locator("#robot-download-gif")).to_be_visible()
        place = robot.locator("#steer-step").bounding_box()
        for number, key in ((2, "Enter"), (3, "Space")):
            robot.keyboard.press(key)
            expect(self.status(robot)).to_have_text(f"Step {number} of at most 100")
            expect(robot.locator("#robot-player .count")).to_have_text(f"{number + 1} / {number + 1}")
        assert robot.locator("#steer-step").bounding_box() == place  # nothing jumps
        expect(slider).to_have_value("-3")
        expect(robot.locator("#robot-player .play")).to_have_attribute("aria-label", "Play")
        robot.click("#steer-undo")
        expect(robot.locator("#robot-player .count")).to_have_text("3 / 3")
        robot.click("#steer-restart")
        expect(self.status(robot)).to_have_text("Start: the last given frame")
        expect(robot.locator("#robot-player .count")).to_have_text("1 / 1")
        robot.click("#steer-undo")
        expect(self.status(robot)).to_have_text("There is no step to undo.")
        expect(robot.locator("#robot-player .stage")).to_be_visible()

    def test_steering_without_a_beginning_is_told(self, robot: Page) -> None:
        robot.click("#steer-step")
        expect(robot.get_by_test_id("toast-body").first).to_contain_text("or click an example")
        expect(self.status(robot)).to_contain_text("begins where the hand is")
        expect(robot.locator("#steer-step")).to_be_enabled()

    def test_full_queue_is_told_by_the_player_of_this_tab_alone(self, robot: Page) -> None:
        refusal = {"status": 503, "json": {"detail": "Queue is full. Max size is 16 and size is 16."}}
        robot.route("**/gradio_api/queue/join*", lambda route: route.fulfill(**refusal))
        robot.click("#steer-step")
        expect(self.status(robot)).to_contain_text("too many people are waiting")
        assert robot.locator("#player .status").text_content() == ""

    def test_one_click_runs_an_example_that_can_then_be_steered(self, robot: Page) -> None:
        robot.locator("#robot-examples .example").first.click()
        expect(self.status(robot)).to_contain_text("mean PSNR")
        expect(robot.locator("#robot-frames")).to_contain_text(re.compile(r"1\s*\.png"))
        expect(robot.locator("#robot-truth")).to_contain_text(re.compile(r"2\s*\.png"))
        expect(robot.locator("#steer-step")).to_be_enabled()
        robot.click("#steer-step")
        expect(self.status(robot)).to_have_text(re.compile("Step 1 of at most 100"))
        expect(robot.locator("#robot-player .curve")).to_be_hidden()

    def test_each_tab_keeps_its_own_video(self, robot: Page, trajectory: Path) -> None:
        self.give(robot, trajectory)
        robot.click("#steer-step")
        expect(robot.locator("#robot-player .count")).to_have_text("2 / 2")
        robot.get_by_role("tab", name="Person").click()
        expect(robot.locator("#player .empty")).to_be_visible()
        robot.keyboard.press("ArrowLeft")
        robot.get_by_role("tab", name="Robot").click()
        expect(robot.locator("#robot-player .count")).to_have_text("2 / 2")

    def test_tab_has_one_column_on_a_phone(self, robot: Page) -> None:
        robot.set_viewport_size({"width": 390, "height": 844})
        left, right = robot.locator("#robot-generate").bounding_box(), robot.locator("#robot-player").bounding_box()
        assert left is not None and right is not None and right["y"] > left["y"]
        assert robot.evaluate("document.documentElement.scrollWidth") <= 390
        steps = [robot.locator(f"#steer-{name}").bounding_box() for name in ("step", "undo", "restart")]
        assert len({box["y"] for box in steps if box}) == 1


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
@pytest.mark.parametrize(("height", "width"), [(64, 128), (128, 64)])
def test_three_example_cards_stand_in_a_row_on_a_phone(
    browser: Browser, tmp_path: Path, height: int, width: int
) -> None:
    for name in "abc":
        folder = write_pictures(tmp_path / name, moving_square(1, height, width)[0])
        (folder / "0.png").rename(folder / "first_frame.png")
        (folder / "poses.gif").write_bytes(b"x")
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.set_content(
        f"<style>{EXAMPLES_CSS}</style>{build_cards(find_dancers(tmp_path), 'Examples', 'examples').value}"
    )
    cards = [card.bounding_box() for card in page.locator(".example").all()]
    pictures = [picture.bounding_box() for picture in page.locator(".example img").all()]
    page.close()
    assert len({card["y"] for card in cards if card}) == 1
    for card, picture in zip(cards, pictures, strict=True):
        assert card is not None
        assert picture is not None
        assert card["width"] - picture["width"] <= 14  # padding and border
        assert picture["height"] == pytest.approx(min(160, picture["width"] * height / width), abs=1)
