"""`python -m training COMMAND`: make data, train, evaluate. Also under `accelerate launch -m`."""

from cvae.cli import run_command

if __name__ == "__main__":
    run_command(
        "python -m training",
        {
            "puppets": ("training.puppets.dataset:write_puppets", "Make a data set of generated dancers."),
            "robot": (
                "training.robot.dataset:write_robot",
                "Make a data set of a generated robot arm that pushes objects.",
            ),
            "prepare": ("training.prepare:prepare", "Make a data set from videos of a person."),
            "shard": ("training.data.shards:shard", "Write a data set as shards, to stream it from beyond one disk."),
            "train": ("training.train:train", "Train a network on clips in the lab's folder layout."),
            "compare": (
                "training.compare:compare",
                "Train the variants of one idea alike, and draw the outcome.",
            ),
            "evaluate": ("training.evaluation.evaluate:evaluate", "Measure a checkpoint on every sequence of a split."),
        },
    )
