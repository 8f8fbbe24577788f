"""Entry point of the `daypass` command. Imports little, to install signal handlers early."""

import signal
import sys


def main() -> None:
    """Run the command."""
    if sys.argv[1:2] == ["serve"]:
        # SIGHUP would kill the process. Ignoring it is safe: settings have not been read yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from daypass.cli.commands import main as run  # noqa: PLC0415  (slow to import)

        run()
    except KeyboardInterrupt:
        sys.stderr.write("daypass: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
