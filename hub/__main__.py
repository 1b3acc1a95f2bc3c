"""`python -m hub COMMAND`: take and publish models on the Hugging Face Hub."""

from cvae.cli import run_command

if __name__ == "__main__":
    run_command(
        "python -m hub",
        {
            "pull": ("hub.pull:pull", "Take a checkpoint from the Hub."),
        },
    )
