"""List the test images that a finished run reads wrongly, the most confident mistakes first."""

import sys

from digitnet import Run, evaluate, find_mistakes

run = Run(sys.argv[1])
data = run.dataset

for mistake in find_mistakes(evaluate(run).logits, data)[:20]:
    doubt = f"   (the label itself is disputed: {mistake.disputed})" if mistake.disputed else ""
    print(
        f"image {mistake.index:>5}: a {data.label_names[mistake.true]} read as "
        f"{data.label_names[mistake.predicted]} with {mistake.confidence:.0%}{doubt}"
    )
