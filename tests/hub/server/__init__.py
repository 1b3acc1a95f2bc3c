"""A Hub on loopback: disk-backed, over real HTTP, as the client of huggingface_hub wants it, with faults on demand."""

from .hub import HubServer

__all__ = ["HubServer"]
