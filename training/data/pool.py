"""Work shared by several processes, with results in the order of the work."""

import multiprocessing
import signal
from collections.abc import Callable, Generator
from typing import TypeVar

import cv2

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(work: Callable[[Job], Result], jobs: list[Job], workers: int) -> Generator[tuple[Job, Result], None, None]:
    """Yields each job with its result, in order, from this process alone or from a pool.

    To close the generator ends the pool.

    Args:
        work: A function of a module, since other processes must find it.
        jobs: What it is called with, one by one.
        workers: Processes; 0 takes one for each core.
    """
    workers = min(workers or multiprocessing.cpu_count(), len(jobs))
    if workers <= 1:
        yield from ((job, work(job)) for job in jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, initializer=_start_worker) as pool:
        yield from zip(jobs, pool.imap(work, jobs, chunksize=1), strict=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the pool
    cv2.setNumThreads(1)  # the processes are the parallelism
