"""Clients that ask without pause until the service is gone; prints how many answers they got.

.venv/bin/python -m benchmarks.serving.stopped_clients PORT
"""

import asyncio
import sys

from benchmarks.serving.clients import connect, make_request

CLIENTS = 16


async def count_answers(port: int) -> int:
    """Ask by several clients; return how many whole answers came."""
    request = make_request(port)
    answers = 0

    async def ask() -> None:
        nonlocal answers
        try:
            client = await connect(port)
            while True:
                status = await client.ask(request)
                answers += status == 200
        except OSError:
            return

    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return answers


if __name__ == "__main__":
    print(asyncio.run(count_answers(int(sys.argv[1]))))
