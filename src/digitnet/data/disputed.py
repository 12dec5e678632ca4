"""Labels of MNIST's test images that human annotators dispute.

Source: Northcutt, Athalye, Mueller, "Pervasive Label Errors in Test Sets" (NeurIPS 2021), file
mturk/mnist_mturk.json of the repository cleanlab/label-errors. Five annotators looked at each of 100 suspect
images; for these 15 fewer than three of them chose the label of the file. Only suspect images were annotated, so
there may be more.
"""

from digitnet.data.dataset import Dataset
from digitnet.files import sha256

# SHA-256 of the 10,000 x 28 x 28 pixels of MNIST's test images: recognises the data set under any name
_MNIST_TEST_PIXELS = "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"

# position in the test file: what the five annotators said
_VERDICTS = {
    947: "nobody of five saw the label's 8, all saw a 9",
    1621: "two of five saw the label's 0, three a 6",
    1901: "two of five saw the label's 9, three a 4",
    2130: "five people could not settle between the label's 4 and a 9",
    2462: "nobody of five saw the label's 2, four saw a 0, one neither",
    2597: "nobody of five saw the label's 5, four saw a 3, one neither",
    2654: "most of five people saw neither the label's 6 nor the other digit they were offered",
    3520: "most of five people saw neither the label's 6 nor the other digit they were offered",
    3558: "one of five saw the label's 5, four a 0",
    5937: "one of five saw the label's 5, three a 3, one neither",
    6651: "nobody of five saw the label's 0, all saw a 6",
    6783: "two of five saw the label's 1, three a 6",
    8527: "five people could not settle between the label's 4 and a 9",
    9679: "most of five people saw neither the label's 6 nor the other digit they were offered",
    9729: "two of five saw the label's 5, three a 6",
}


def disputed_labels(dataset: Dataset) -> dict[int, str]:
    """Map positions in the test split to what annotators said; empty unless the test images are MNIST's."""
    if sha256(dataset.test.images.tobytes()) != _MNIST_TEST_PIXELS:
        return {}
    return dict(_VERDICTS)
