"""What programs ask: images or a picture in, answers out; in our own form, and by the Open Inference Protocol."""
