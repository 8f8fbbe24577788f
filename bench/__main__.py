"""`make bench`; in part: `python -m bench --only unary --peers nginx,daypass --quick`."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from tests.support.programs import ProgramMissingError

from bench import install, machine, report
from bench.parts import cold_start, crowd, growth, keys, streams, unary
from bench.peers import PEERS, Stage
from bench.process import BenchError
from bench.rounds import FULL, QUICK, Effort, Runs, say

Part = Callable[[Stage, list[str], Effort], dict[str, Runs]]

PARTS: dict[str, Part] = {
    "unary": unary.measure,
    "streams": streams.measure,
    "crowd": crowd.measure,
    "keys": keys.measure,
    "cold_start": cold_start.measure,
    "growth": growth.measure,
}


def main() -> None:
    """Measure the parts that are asked for, print the figures, and write the report."""
    options = _options()
    os.sched_setaffinity(0, machine.LOAD_CORES)
    machine.allow_many_files()
    machine.end_in_order()
    effort = QUICK if options.quick else FULL
    measured: dict[str, report.Measurement] = {}
    failed = []
    for number, name in enumerate(options.only, 1):
        say(f"Part {number} of {len(options.only)}: {name}")
        try:
            with ExitStack() as stack:
                runs = PARTS[name](Stage(stack), options.peers, effort)
        except (BenchError, ProgramMissingError) as error:
            print(f"\n{name} could not be measured: {error}", file=sys.stderr)
            failed.append(name)
            continue
        measured[name] = report.Measurement(
            measured_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            machine=machine.describe(),
            versions=install.versions(),
            runs=runs,
        )
    print(report.as_text(measured))
    if options.quick or options.peers != list(PEERS):
        say("A short run: docs/performance.md is left as it is.")
    else:
        report.write(measured)
    if failed:
        sys.exit(f"bench: not measured: {', '.join(failed)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=_names(PARTS), default=list(PARTS), help="parts to measure")
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS), help="of these peers")
    parser.add_argument("--quick", action="store_true", help="one short round, for trying")
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def parse(value: str) -> list[str]:
        names = [name for name in value.split(",") if name]
        unknown = [name for name in names if name not in known]
        if unknown:
            message = f"{unknown[0]} is none of {', '.join(known)}"
            raise argparse.ArgumentTypeError(message)
        # In the order of their definition, whatever was typed.
        return [name for name in known if name in names] or list(known)

    return parse


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
