"""`python -m pytest_mighetero.llm --port 8000`: serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from pytest_mighetero.cpu.device import single_threaded, visible_device

if TYPE_CHECKING:
    from pytest_mighetero.llm.engine import Engine

# How long a thread may hold the interpreter while others wait for it: a token would
# otherwise be sent up to the default 5 ms after it was there.
_SWITCH_SECONDS = 0.0005


class ServeError(Exception):
    """What prevents serving, as a sentence."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pytest_mighetero.llm",
        description="Serve a small language model on NumPy, with OpenAI's API.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def number(text: str) -> int:
        value = int(text)
        if value < 1:
            raise argparse.ArgumentTypeError(f"expected at least 1, found {value}")
        return value

    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on")
    add("--port", type=int, default=8000, help="0 takes a free one")
    add("--model", default="mighetero-tiny", help="the name that requests ask for")
    add("--layers", type=number, default=2, help="a token's work grows with them")
    add("--width", type=number, default=128, help="and with their square of this")
    add("--context", type=number, default=4096, help="most tokens, prompt and answer")
    add("--batch", type=number, default=16, help="most requests answered at a time")
    return parser


def main() -> NoReturn:
    """Serve; exits 1 with a sentence where that is not possible."""
    args = build_parser().parse_args()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    os.environ.update(single_threaded(os.environ))
    try:
        device = visible_device(os.environ)
        if device is not None:
            device.pin()
    except RuntimeError as error:
        sys.exit(str(error))
    sys.setswitchinterval(_SWITCH_SECONDS)
    Thread(target=_serve, args=(args,), daemon=True).start()
    # A handler would run late, or never, where a thread is about to wait for work.
    signal.sigwait(ends)
    os._exit(0)


def _serve(args: argparse.Namespace) -> NoReturn:
    """Serve for ever; what prevents it ends the process."""
    try:
        _engine(args).run()
    except ServeError as error:
        print(error, file=sys.stderr, flush=True)
    except BaseException:  # noqa: BLE001 - the main thread would wait on
        traceback.print_exc()
    os._exit(1)


def _engine(args: argparse.Namespace) -> Engine:
    """Return what answers the requests that are listened for from now on.

    Raises:
        ServeError: The model's size or the address cannot be had.
    """
    # After the number of threads is set, which NumPy reads when it is imported.
    from pytest_mighetero.llm.api import Server
    from pytest_mighetero.llm.engine import Engine
    from pytest_mighetero.llm.transformer import Size, Transformer

    try:
        model = Transformer(Size(args.layers, args.width, context=args.context))
    except ValueError as error:
        raise ServeError(error) from error
    engine = Engine(model, args.batch)
    address = f"{args.host}:{args.port}"
    try:
        server = Server(args.host, args.port, engine, args.model, args.context)
    except (OSError, OverflowError) as error:
        raise ServeError(f"Cannot listen on {address}: {error}") from error
    Thread(target=server.serve_forever, daemon=True).start()
    where = f"http://{args.host}:{server.server_port}"
    print(f"Serving {args.model} on {where}", flush=True)
    return engine


if __name__ == "__main__":
    main()
