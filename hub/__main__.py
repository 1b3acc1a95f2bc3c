"""`python -m hub COMMAND`: take and publish models on the Hugging Face Hub."""

from cvae.cli import run_command

if __name__ == "__main__":
    run_command(
        "python -m hub",
        {
            "pull": ("hub.pull:pull", "Take a checkpoint from the Hub."),
            "push": ("hub.push:push", "Publish a checkpoint on the Hub, with a card that says how good it is."),
            "space": ("hub.space:space", "Serve a model by a Space on the Hub."),
        },
    )
