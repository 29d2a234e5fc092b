"""`edgeface motion --dask` on a real cluster of this machine."""

import os
import signal

import distributed
import numpy as np
import pytest
import soundfile
from support.process import edgeface, start, wait_for

from edgeface.batch.ledger import NAME
from edgeface.core.resources import BUNDLED_VOICE

pytestmark = pytest.mark.system


@pytest.fixture
def cluster(tmp_path):
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path),
    ) as cluster:
        yield cluster


def test_all_files_are_done_although_a_worker_is_killed(cluster, tmp_path):
    sound, rate_hz = soundfile.read(BUNDLED_VOICE, dtype="int16")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i in range(6):
        soundfile.write(str(corpus / f"{i}.wav"), np.tile(sound, 4), rate_hz)
    (corpus / "bad.wav").write_bytes(b"RIFF")
    out = tmp_path / "out"
    process = start(
        "motion",
        "corpus/*.wav",
        "-o",
        "out/",
        "--dask",
        cluster.scheduler_address,
        cwd=str(tmp_path),
    )
    wait_for(lambda: list(out.glob("*.npz")), 120)
    with distributed.Client(cluster) as client:
        os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
    output, said = process.communicate(timeout=240)
    assert process.returncode == 65, said
    assert "corpus/bad.wav" in said and "1 of 7 files failed" in said
    assert output.startswith("6 made, 0 kept, 1 failed")
    assert len((out / NAME).read_text().splitlines()) == 6
    for i in range(6):
        with np.load(str(out / f"{i}.npz")) as file:
            assert len(file["landmarks"]) == -(-4 * len(sound) * 25 // rate_hz)


def test_no_scheduler(tmp_path, speech_wav):
    address = "tcp://127.0.0.1:1"
    result = edgeface("motion", speech_wav, "-o", f"{tmp_path}/out/", "--dask", address)
    assert result.returncode == 69 and result.stderr.count("\n") == 1, result.stderr
    assert address in result.stderr
