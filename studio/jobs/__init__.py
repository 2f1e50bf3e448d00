"""The render queue: a SQLite store, a supervisor and a worker process.

Knows requests, results and engines by name; knows no gradio. Only the worker loads torch.

    queue.py      JobQueue, what the page and the API use
    job.py        Job and Estimate, what they see
    store.py      a person's queries: each takes the owner
    dispatch.py   the worker's and the supervisor's queries
    runner.py     one job: engine, progress, preview, outcome; used by both kinds of worker
    worker.py     the worker process (`python -m studio.jobs.worker`)
    supervisor.py starts, watches and ends the worker, a process or a thread
"""
