"""The entry point of the `daypass` command. Imports little: its signals hold from the beginning."""

import signal
import sys


def main() -> None:
    """Run the command."""
    if sys.argv[1:2] == ["serve"]:
        # SIGHUP would end the process. Nothing is lost: the settings are not read yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from daypass.cli.commands import main as run  # noqa: PLC0415  (slow to import)

        run()
    except KeyboardInterrupt:
        sys.stderr.write("daypass: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
