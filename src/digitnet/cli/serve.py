"""``digitnet serve``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Switch


def serve(
    model: Annotated[
        Positional[Path | None], arg(metavar="[MODEL|RUN]", help_behavior_hint="(default: digitnet's own)")
    ] = None,
    port: int = 8000,
    own: Annotated[Path, arg(metavar="DIR")] = Path("own-digits"),
    no_browser: Switch = False,
) -> None:
    """Open a page to draw digits on, see what the network makes of them, and teach it your hand.

    Your drawing never leaves this computer.

    For example:
        digitnet serve
        digitnet serve runs/fast-001 --port 8080

    Args:
        model: A model file that `digitnet export` wrote, or a run's folder.
        port: The port on this computer; 0 takes any that is free.
        own: The folder where the digits that you name on the page are kept.
        no_browser: Print the address only.
    """
    from digitnet.serving.command import serve

    serve(model, port, own, browser=not no_browser)
