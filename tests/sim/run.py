#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the conversations against the protocol core.

    run.py --ike-pipe BUILD/tests/sim/ike-pipe [--only WORD] [--seeds N] [--full] [-j 2]

Prints a line a case and at last `N passed, N failed`; exits with 1 when one failed.
"""

import argparse
import importlib
import multiprocessing
import os
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import cases  # noqa: E402
from pipe import Pipe, PipeDied  # noqa: E402

MODULES = (
    'connect',
    'gateways',
    'certificates',
    'certificates_wrong',
    'userauth',
    'userauth_kinds',
    'algorithms',
    'lifetimes',
    'failures',
    'hostile',
    'hostile_sa',
    'evil',
    'fragments',
    'dhcp',
    'chaos',
    'simulator',
)
state = {'pipe': None, 'command': None, 'seeds': 1}


def load():
    for name in MODULES:
        importlib.import_module(f'conversations.{name}')


def parse_arguments():
    parser = argparse.ArgumentParser(description='IKEv1 conversations')
    parser.add_argument('--ike-pipe', default=os.environ.get('IKE_PIPE'), help='path, or a command')
    parser.add_argument('--only', action='append', help='cases whose name has this word')
    parser.add_argument('--seeds', type=int, default=1, help='each case with so many seeds')
    parser.add_argument('--chaos', type=int, default=1000, help='runs of the chaos case')
    parser.add_argument('--full', action='store_true')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('-j', type=int, default=2)
    return parser.parse_args()


def pipe():
    if state['pipe'] is None:
        state['pipe'] = Pipe(state['command'])
    return state['pipe']


def run_case(job):
    """(name, seed) -> (name, seconds, [faults])."""
    name, seed = job
    item, began = cases.REGISTRY[name], time.monotonic()
    sim, faults = None, []
    try:
        sim = cases.Sim(pipe(), seed)
        item.function(sim, *item.argument)
        faults = sim.verdict()
    except PipeDied as error:
        state['pipe'] = None
        faults = [f'the core died: {error}']
    except AssertionError as error:
        faults = [str(error) or traceback.format_exc()]
        faults += sim.verdict() if sim else []
    except Exception:
        faults = [traceback.format_exc()]
    return name, seed, time.monotonic() - began, faults


def end_pipe():
    """The last result of a worker: with sanitizers a leak shows only when the process ends."""
    began = time.monotonic()
    if state['pipe'] is None:
        return []
    code = state['pipe'].close()
    complaint = state['pipe'].complaint()
    faults = [f'ended with {code}\n{complaint}'] if code or 'Sanitizer' in complaint else []
    return [('the core ends cleanly', 1, time.monotonic() - began, faults)]


def work(command, jobs, results):
    """One worker process: cases until the queue says None."""
    state['command'] = command
    for job in iter(jobs.get, None):
        results.put(run_case(job))
    for result in end_pipe():
        results.put(result)
    results.put(None)


def run_all(command, jobs, workers):
    """Results as they come, from so many processes with an ike-pipe each."""
    todo, results = multiprocessing.Queue(), multiprocessing.Queue()
    for job in jobs + [None] * workers:
        todo.put(job)
    processes = [
        multiprocessing.Process(target=work, args=(command, todo, results)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    while processes:
        result = results.get()
        if result is None:
            workers -= 1
            if not workers:
                break
            continue
        yield result
    for process in processes:
        process.join()


def choose(arguments):
    names = [
        n
        for n, item in cases.REGISTRY.items()
        if arguments.full or not getattr(item, 'full', False)
    ]
    if arguments.only:
        names = [n for n in names if any(word in n for word in arguments.only)]
    return names


def report(results):
    failed = passed = 0
    for name, seed, seconds, faults in results:
        if not faults:
            passed += 1
            print(
                f'ok   {seconds:7.2f} s  {name}' + (f' seed {seed}' if seed > 1 else ''), flush=True
            )
            continue
        failed += 1
        print(f'FAIL {seconds:7.2f} s  {name} seed {seed}', flush=True)
        for fault in faults[:12]:
            print('       ' + fault.replace('\n', '\n       '), flush=True)
        if len(faults) > 12:
            print(f'       and {len(faults) - 12} more', flush=True)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


def main():
    arguments = parse_arguments()
    os.environ.setdefault('DIALTONE_CHAOS_RUNS', str(arguments.chaos))
    load()
    names = choose(arguments)
    if arguments.list:
        print('\n'.join(names))
        return 0
    if not arguments.ike_pipe:
        sys.exit('run.py: --ike-pipe PATH (or IKE_PIPE) is missing')
    jobs = [
        (name, seed)
        for seed in range(1, arguments.seeds + 1)
        for name in names
        if seed == 1 or not name.startswith('test_the_simulator')
    ]
    return report(run_all(arguments.ike_pipe, jobs, max(1, arguments.j)))


if __name__ == '__main__':
    sys.exit(main())
