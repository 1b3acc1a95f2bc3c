"""The front matter of README.md, and what the Hub holds against it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

HERE = Path(__file__).parent
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static")
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", re.DOTALL)
LICENSES = frozenset((HERE / "licenses.txt").read_text().split())
TASKS = frozenset((HERE / "tasks.txt").read_text().split())
REPO_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def front_matter(content: str) -> dict[str, Any] | None:
    """The metadata of a card; None without any.

    Raises:
        ValueError: If it is no YAML mapping.
    """
    match = FRONT_MATTER.match(content)
    if match is None:
        return None
    try:
        metadata = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        raise ValueError(f"Invalid YAML: {error}") from None
    if metadata is not None and not isinstance(metadata, dict):
        raise ValueError("YAML metadata must be a mapping")
    return metadata


def card_errors(content: str, kind: str) -> list[str]:
    """What the Hub would refuse a README.md for. `kind` is `model`, `dataset` or `space`."""
    try:
        metadata = front_matter(content) or {}
    except ValueError as error:
        return [str(error)]
    if kind == "space":
        return [*common_errors(metadata), *space_errors(metadata)]
    return [*common_errors(metadata), *model_errors(metadata)]


def card_warnings(content: str) -> list[str]:
    return [] if FRONT_MATTER.match(content) else ["empty or missing yaml metadata in repo card"]


def common_errors(metadata: dict[str, Any]) -> Iterator[str]:
    licenses = metadata.get("license", [])
    for name in licenses if isinstance(licenses, list) else [licenses]:
        if name not in LICENSES:
            yield f'"license" must be one of [{", ".join(sorted(LICENSES))}], not {name!r}'
    for field in ("tags", "models", "datasets", "preload_from_hub"):
        values = metadata.get(field, [])
        if field == "datasets" and isinstance(values, str):
            values = [values]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            yield f'"{field}" must be an array of strings'


def model_errors(metadata: dict[str, Any]) -> Iterator[str]:
    if (task := metadata.get("pipeline_tag")) is not None and task not in TASKS:
        yield f'"pipeline_tag" must be one of [{", ".join(sorted(TASKS))}], not {task!r}'
    if not isinstance(metadata.get("library_name", ""), str):
        yield '"library_name" must be a string'
    models = metadata.get("model-index", [])
    if not isinstance(models, list):
        yield '"model-index" must be an array'
        return
    for i, model in enumerate(models):
        if not isinstance(model.get("name"), str):
            yield f'"model-index[{i}].name" is required'
        if not isinstance(model.get("results"), list):
            yield f'"model-index[{i}].results" is required'
            continue
        for j, result in enumerate(model["results"]):
            yield from result_errors(result, f"model-index[{i}].results[{j}]")


def result_errors(result: dict[str, Any], where: str) -> Iterator[str]:
    for part, fields in (("task", ("type",)), ("dataset", ("type", "name"))):
        for name in fields:
            if not isinstance((result.get(part) or {}).get(name), str):
                yield f'"{where}.{part}.{name}" is required'
    metrics = result.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        yield f'"{where}.metrics" is required'
        return
    for k, metric in enumerate(metrics):
        if not isinstance(metric.get("type"), str):
            yield f'"{where}.metrics[{k}].type" is required'
        value = metric.get("value")
        if value is None or (isinstance(value, float) and value != value):
            yield f'"{where}.metrics[{k}].value" is required'


def space_errors(metadata: dict[str, Any]) -> Iterator[str]:
    sdk = metadata.get("sdk")
    if sdk not in SDKS:
        yield f'"sdk" must be one of [{", ".join(SDKS)}], not {sdk!r}'
    for field in ("colorFrom", "colorTo"):
        if (color := metadata.get(field)) is not None and color not in COLORS:
            yield f'"{field}" must be one of [{", ".join(COLORS)}], not {color!r}'
    if (emoji := metadata.get("emoji")) is not None and not (isinstance(emoji, str) and 1 <= len(emoji) <= 8):
        yield '"emoji" must be one emoji'
    if len(str(metadata.get("short_description", ""))) > 60:
        yield '"short_description" length must be less than or equal to 60 characters long'
    for field in ("sdk_version", "python_version"):
        if not re.fullmatch(r"\d+(\.\d+){0,2}\w*", str(metadata.get(field, "3"))):
            yield f'"{field}" must be a version'
    if not isinstance(metadata.get("pinned", False), bool):
        yield '"pinned" must be a boolean'
    if not isinstance(metadata.get("app_port", 7860), int):
        yield '"app_port" must be a number'
    for name in metadata.get("models", []):
        if not REPO_NAME.fullmatch(str(name)):
            yield f'"models" must name repositories, not {name!r}'
