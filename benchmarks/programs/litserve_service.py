"""LitServe around digitnet's network, with batches of up to 64 requests that arrive within 2 ms."""

from typing import Any

import litserve
import numpy as np
import numpy.typing as npt

from digitnet.reading.network import Answers, Network

PORT = 8766


class Digits(litserve.LitAPI):
    """Answers one image a request; LitServe gathers them."""

    def setup(self, device: str) -> None:
        """Load the network."""
        self.network = Network()

    def decode_request(self, request: dict[str, list[list[float]]]) -> npt.NDArray[np.float32]:
        """Return the image ``(28, 28)``, 0 to 255."""
        return np.array(request["images"][0], np.float32).reshape(28, 28) * 255

    def batch(self, inputs: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Stack the images."""
        return np.stack(inputs)

    def predict(self, x: npt.NDArray[np.float32]) -> Answers:
        """Answer them."""
        return self.network.answer_images(x)

    def unbatch(self, output: Answers) -> list[Answers]:
        """Part the answers."""
        return [output.part(slice(k, k + 1)) for k in range(len(output.decisions))]

    def encode_response(self, output: Answers) -> dict[str, Any]:
        """Write the answer as the plain handler does."""
        row = output.probabilities[0]
        best = int(row.argmax())
        return {
            "predictions": [
                {
                    "label": str(best),
                    "probability": float(row[best]),
                    "decision": int(output.decisions[0]),
                    "probabilities": row.tolist(),
                }
            ]
        }


if __name__ == "__main__":
    api = Digits(api_path="/v1/predict", max_batch_size=64, batch_timeout=0.002)
    litserve.LitServer(api, accelerator="cpu").run(port=PORT, log_level="error", generate_client_file=False)
