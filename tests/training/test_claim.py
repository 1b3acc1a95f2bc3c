import subprocess
import sys
from pathlib import Path

import pytest

from cvae.errors import InputError
from training.claim import LOCK, claimed

ROOT = Path(__file__).parents[2]
HOLD = """
import pathlib, sys, time
from training.claim import claimed
with claimed(pathlib.Path(sys.argv[1]), resume=False):
    print(flush=True)
    time.sleep(60)
"""


def test_a_second_training_is_kept_out_until_the_first_ends(tmp_path: Path) -> None:
    with claimed(tmp_path / "run", resume=False):
        message = r"Another training is at work in .*run; wait for its end, or give another --out\."
        with pytest.raises(InputError, match=message), claimed(tmp_path / "run", resume=True):
            pass
        with pytest.raises(InputError, match="is not an empty folder"), claimed(tmp_path / "run", resume=False):
            pass
    assert not list((tmp_path / "run").iterdir())
    with claimed(tmp_path / "run", resume=False):
        pass


def test_the_claim_of_a_killed_process_ends_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        with pytest.raises(InputError, match="Another training is at work"), claimed(tmp_path / "run", resume=True):
            pass
        process.kill()
    assert (tmp_path / "run" / LOCK).exists()
    with claimed(tmp_path / "run", resume=True):
        pass
    assert not list((tmp_path / "run").iterdir())


def test_a_folder_of_other_things_is_never_claimed(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    for resume in (False, True):
        with pytest.raises(InputError, match="is not an empty folder"), claimed(tmp_path, resume):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
