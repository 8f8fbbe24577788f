"""Fuzz the gateway and print the figures: python -m tests.fuzz --cases 120000."""

import argparse
import time

from tests.fuzz.properties import PROPERTIES, every_split, run

AT_A_TIME = 5_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=120_000, help="of all properties together")
    cases = parser.parse_args().cases
    began = time.monotonic()
    total = cuts = every_split()
    print(f"event streams: {cuts:,} cuts, each byte of each", flush=True)
    for name, tried in PROPERTIES.items():
        done = 0
        wanted = cases // len(PROPERTIES)
        while done < wanted:
            done += run(tried, min(AT_A_TIME, wanted - done))
        print(f"{name}: {done:,} cases, {time.monotonic() - began:.0f} s", flush=True)
        total += done
    print(f"{total:,} cases, none failed, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
