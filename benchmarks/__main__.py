"""`python -m benchmarks NAME`: how fast training, generation and loading are, on this machine."""

from cvae.cli import run_command

if __name__ == "__main__":
    run_command(
        "python -m benchmarks",
        {
            "training": ("benchmarks.training_speed:compare_training", "Our training against the lab's own loop."),
            "robot": ("benchmarks.robot_speed:compare_robot", "Our training of robot video against the lab's way."),
            "generation": (
                "benchmarks.generation_speed:compare_generation",
                "Our network against the lab's, generating.",
            ),
            "page": ("benchmarks.page_speed:measure_page", "The page: start, prediction, memory."),
            "data": ("benchmarks.data_speed:compare_loading", "Loading from folders, from shards and as the lab does."),
        },
    )
