"""``digitnet serve``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Switch
from digitnet.cli.output import print_message
from digitnet.errors import UsageError

_MOST_WORKERS = 256


def serve(
    model: Annotated[
        Positional[Path | None], arg(metavar="[MODEL|RUN]", help_behavior_hint="(default: digitnet's own)")
    ] = None,
    port: int = 8000,
    own: Annotated[Path, arg(metavar="DIR")] = Path("own-digits"),
    static: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None,
    no_browser: Switch = False,
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1",
    workers: Annotated[int, arg(metavar="N")] = 1,
    allow_origin: Annotated[tuple[str, ...], arg(metavar="ORIGIN ...", help_behavior_hint="")] = (),
) -> None:
    """Open a page to draw digits on, see what the network makes of them, and teach it your hand.

    Your drawing never leaves this computer. Programs are answered, too: see docs/serving.md.

    For example:
        digitnet serve
        digitnet serve runs/fast-001 --port 8080
        digitnet serve --static site
        digitnet serve --host 0.0.0.0 --workers 4

    Args:
        model: A model file that `digitnet export` wrote, or a run's folder.
        port: The port on this computer; 0 takes any that is free.
        own: The folder where the digits that you name on the page are kept.
        static: Write the page into this new folder instead, for any web server; the browser runs the network.
        no_browser: Print the address only.
        host: The address to listen at. Any but this computer's own serves programs only, and needs a token in
            the environment variable DIGITNET_TOKEN.
        workers: Answer programs, without the page, by so many processes.
        allow_origin: Sites whose pages may ask, such as https://example.org (CORS).
    """
    if model is not None:
        _export_if_needed(model)
    if static is not None:
        from digitnet.serving.shelf import list_models
        from digitnet.serving.static import write_static

        write_static(list_models(model), static, print_message)
        print(static / "index.html")
        return
    from digitnet.serving.address import LOCAL
    from digitnet.serving.command import serve, serve_programs

    if not 1 <= workers <= _MOST_WORKERS:
        raise UsageError.mismatch(
            f"--workers {workers}",
            expected=f"from 1 to {_MOST_WORKERS}",
            found=f"{workers:,}",
            remedy="One for each core is enough.",
        )
    if host == LOCAL and workers == 1:
        serve(model, port, own, browser=not no_browser, origins=allow_origin)
    else:
        serve_programs(model, host, port, workers, allow_origin)


def _export_if_needed(run: Path) -> None:
    """Write the model file of a run that has none yet."""
    if not (run / "config.toml").is_file() or (run / "model.onnx").exists():
        return
    from digitnet.exporting.export import export

    print_message(
        "Calibrating the run on the validation images, and writing its model file: about ten seconds, once."
    )
    export(run)
