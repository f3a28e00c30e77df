"""One run test, from lease to verdict: one frozen value after the other.

=========  =============================================  =========================
RunSpec    what is asked for                              ``spec.runspec``
Placement  GPU, lease, seats, who is left out and why     ``placement.place``
RunPlan    for each workload what is launched, how long   ``plan.run_plan``
Attempt    the processes of one try; it alone changes     ``rig.Rig.plan``
Evidence   what each workload has left behind             ``evidence.workload``
Measured   the evidence of one try at main's end          ``attempt.Attempt.measure``
Verdict    what is wrong with it, and fails the test      ``verdict``
Record     what is kept of all that                       ``case.Case.write_record``
=========  =============================================  =========================

``case`` is one test, step by step; ``rig`` what main is measured with, by
``repetition`` and ``tune``, try after try; ``ledger`` what becomes known on the way, of
which ``findings`` makes properties. What lives while the run does has one life and one
file each: ``tenancy`` of the harness folder, ``backgrounds``, ``watch``.
``evidence`` reads what is left behind and compares windows; ``judge`` judges results.

What goes wrong with a GPU or the harness folder is a DeviceError, with a process or a
log a HarnessError, and what a Verdict fails a RunError. Nothing here handles them: they
are the test's.
"""
