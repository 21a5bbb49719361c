# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Waits for a block of a pool that a signal ends, or does not end."""

import pytest

from helpers import check_survived, run_script

PREAMBLE = '''
pool = Quire.PoolAllocator(64, max_blocks=1, max_wait=-1)
kept = [pool.acquire()]
ticks = []

def send(number):
    """Sends a signal when somebody waits; meanwhile this thread runs."""
    while pool.stats.n_waiting == 0:
        time.sleep(0.001)
    for _ in range(10):
        ticks.append(pool.stats.n_waiting)
        time.sleep(0.001)
    os.kill(os.getpid(), number)

def start(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread
'''


@pytest.mark.parametrize('wait', [
    'pool.acquire()',
    'pool.acquire(-1)',
    'pool.acquire(3600 * 10 ** 6)',
    'pool.acquire(-1, Gio.Cancellable())',
    'pool.alloc(10)',
    'pool.alloc(10, None, align=7)',
    'Memory(10, allocator=pool)',
    'Quire.PoolAllocator(10, allocator=pool).alloc(5)',
])
def test_interrupted(wait: str) -> None:
    """With an hour to wait, or for ever, that it ends at all says that it was prompt."""
    check_survived(run_script(PREAMBLE + f'''
thread = start(send, signal.SIGINT)
try:
    {wait}
except KeyboardInterrupt as error:
    assert error.__cause__ is None
else:
    raise SystemExit('not interrupted')
thread.join()
assert ticks == [1] * 10
stats = pool.stats
assert (stats.n_blocks, stats.n_out, stats.n_waiting) == (1, 1, 0)
kept.clear()
assert len(pool.acquire(0)) == 64
'''))


def test_what_a_handler_raises() -> None:
    """It comes as it is, and not as an error of Quire."""
    check_survived(run_script(PREAMBLE + '''
def handle(number, frame):
    raise TimeoutError('enough')
signal.signal(signal.SIGALRM, handle)
for wait in (pool.acquire, lambda: pool.alloc(1)):
    thread = start(send, signal.SIGALRM)
    error = attempt(wait)
    thread.join()
    assert type(error) is TimeoutError and error.args == ('enough',)
    assert pool.stats.n_waiting == 0
'''))


def test_handler_that_raises_nothing() -> None:
    """The wait goes on, and what the handler does may end it."""
    check_survived(run_script(PREAMBLE + '''
signal.signal(signal.SIGUSR1, lambda number, frame: ticks.append('seen'))
signal.signal(signal.SIGUSR2, lambda number, frame: kept.clear())
def send_both():
    send(signal.SIGUSR1)
    while ticks[-1] != 'seen':
        time.sleep(0.001)
    send(signal.SIGUSR2)
thread = start(send_both)
assert len(pool.acquire(-1)) == 64
thread.join()
assert ticks.count('seen') == 1 and kept == []
'''))


def test_default_allocator() -> None:
    """To make a small block, others are not let run; but they are while it is waited for."""
    check_survived(run_script(PREAMBLE + '''
def give_back():
    while pool.stats.n_waiting == 0:
        time.sleep(0.001)
    kept.clear()
pool.set_default()
for wait in (lambda: Memory(10), lambda: Memory.new(10)):
    thread = start(give_back)
    assert wait().is_type('pool')
    thread.join()
    kept.append(pool.acquire(0))
thread = start(send, signal.SIGINT)
try:
    Memory(10)
except KeyboardInterrupt:
    thread.join()
    raise SystemExit(0)
raise SystemExit('not interrupted')
'''))


def test_no_block_is_lost() -> None:
    """A block comes back as the wait is interrupted. Whichever is first, the block is there
    then; and so it is for another one who waits."""
    check_survived(run_script(PREAMBLE + '''
def give_back(number):
    while pool.stats.n_waiting < 2:
        time.sleep(0.001)
    os.kill(os.getpid(), number)
    time.sleep(0.01 * (turn % 8))
    kept.clear()

def take():
    got.append(len(pool.acquire(-1)))

for turn in range(16):
    got = []
    threads = [start(give_back, signal.SIGINT), start(take)]
    try:
        memory = pool.acquire(-1)
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        memory = None
    for thread in threads:
        thread.join()
    assert got == [64]
    kept.append(pool.acquire(0))
    assert pool.stats.n_blocks == 1
'''))


def test_other_threads_wait_as_long_as_they_like() -> None:
    """A signal is the main thread's; and at the end nobody is waited for who is a daemon."""
    check_survived(run_script(PREAMBLE + '''
daemon = threading.Thread(target=pool.acquire, args=(-1,), daemon=True)
daemon.start()
try:
    send(signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    pass
time.sleep(0.2)
assert daemon.is_alive() and pool.stats.n_waiting == 1
'''))
