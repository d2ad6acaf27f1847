"""Times cases on demand, as benches/src/case.rs does: a line `SECONDS NAME` is answered by the microseconds of
processor time a run."""

import sys
import time


def measure(run, seconds):
    begin, runs, count = time.process_time(), 0, 1
    while True:
        for _ in range(count):
            run()
        runs += count
        passed = time.process_time() - begin
        if passed >= seconds:
            return 1e6 * passed / runs
        count = int(min(max(runs * (seconds / max(passed, 1e-7) - 1), 1), 2 * runs))


def serve(version, makers):
    """`makers[name]()` makes the function that is timed, when it is first asked for."""
    # What libraries print does not come between the answers.
    out, sys.stdout = sys.stdout, sys.stderr
    runs = {}
    print("ready", "|".join(makers), file=out, flush=True)
    for line in sys.stdin:
        seconds, name = line.rstrip("\n").split(" ", 1)
        try:
            if name == "version":
                print(version, file=out, flush=True)
                continue
            if name not in runs:
                runs[name] = makers[name]()
                measure(runs[name], 0.05)
            print(measure(runs[name], float(seconds)), file=out, flush=True)
        except Exception as error:
            reason = str(error).split("\n")[0]
            print(f"error: {type(error).__name__}: {reason}", file=out, flush=True)
