"""The render queue: a SQLite store, a supervisor and a worker process.

Knows requests, results and engines by name; knows no gradio. Only the worker loads torch.

    queue.py         JobQueue, what the page and the API use
    job.py           Job, Event and Estimate, what they see; job_row.py reads a Job from the library
    store.py         a person's queries: each takes the owner; order.py has the order of what waits
    dispatch.py      the worker's and the supervisor's queries
    inputs.py        a job's own copies of its input files
    runner.py        one job: engine, progress, preview, outcome; used by both kinds of worker
    worker.py        the worker process (`python -m studio.jobs.worker`)
    supervisor.py    starts, watches and ends the worker, a process or a thread
    timing.py        how long a running job will take; gauge.py measures its memory and disk
    learning.py      what a request will take, learnt from run_history.py; room.py says what does not fit
    database.py      the library, brought to the newest version by migrations/
    imports.py       files that were brought into the gallery: jobs that are done from their first moment
    disk.py          what jobs take on the disk and how that is given back; quota.py says how much is allowed
    housekeeping.py  what is done now and then: daily backups, the trash's oldest
    backups.py       copies of the library; recovery.py opens a lost or damaged one
    job_file.py      the request in the job's own folder; found.py tells from a folder what a lost job was
    inspection.py    compares library and disk, repair.py mends: `python -m studio.reconcile`
"""
