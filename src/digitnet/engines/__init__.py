"""Call one function on many tasks in parallel: on processes of this machine, on Ray, or on Dask.

    with make_engine("processes", workers=4) as engine:
        for outcome in engine.run(read_picture, paths):
            print(outcome.task, outcome.error or outcome.result)

An engine knows nothing about the function. `engine` is the loop that all three share, `calls` what is sent to a
worker and back; `processes`, `ray_cluster` and `dask_cluster` are the differences; `make` makes an engine.
"""
