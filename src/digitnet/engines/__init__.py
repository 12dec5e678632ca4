"""Call one function on many tasks, at once: on processes of this machine, on Ray, or on Dask.

    with make_engine("processes", workers=4) as engine:
        for outcome in engine.run(read_picture, paths):
            print(outcome.task, outcome.fault or outcome.result)

An engine knows nothing of what it runs. engine has the loop that all three share, calls what travels; processes,
ray_cluster and dask_cluster have what differs; make builds one by its name.
"""
