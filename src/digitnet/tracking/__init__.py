"""Show the measurements of a run in TensorBoard or MLflow: each has a module that calls its own writer."""
