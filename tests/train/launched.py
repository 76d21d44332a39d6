"""A long training, for a launcher to launch and a test to stop."""

import sys
from pathlib import Path

from genmath.train import Run, Stopped, fit
from tests.train.tiny import Flow

if __name__ == "__main__":
    long = Flow(steps=10**5, micro=8)
    run = Run(Path(sys.argv[1]))
    try:
        fit(long, run=run, progress=lambda at: print("under way", at.step, flush=True))
    except Stopped as error:
        print(error, flush=True)
