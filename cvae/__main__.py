"""`python -m cvae COMMAND`: use a network without the page."""

from cvae.cli import run_command

if __name__ == "__main__":
    run_command(
        "python -m cvae",
        {
            "generate": ("hub.generate:main", "Predict a video from a first frame and a sequence of poses."),
            "extract": ("cvae.extract:main", "Find the poses in a video of a person."),
            "import-lab4": ("cvae.import_lab4:main", "Turn a checkpoint of the lab into a checkpoint folder."),
            "fetch-pose-weights": ("cvae.poses.weights:main", "Fetch the networks that find poses, once."),
        },
    )
