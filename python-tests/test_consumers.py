# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Whoever takes a buffer may keep it longer than the block has a name, or work on it while
the block is closed: what it has is the block's bytes until it is done, and then the lock
is free.

As in test_crash.py, each script has an interpreter of its own; what was freed is
overwritten there.
"""

import pytest

from helpers import RunAll, Scripts, check_survived

PRELUDE = '''
SIZE = 1 << 16
CONTENT = bytes(i * 7 % 251 for i in range(SIZE))

class Watched(bytearray):
    pass

def make():
    """A block, and the parent of all, to see the lock by."""
    memory = Memory(SIZE)
    memory[:] = CONTENT
    # A name for the lock that is no handle of the script's.
    share = memory[:]
    witness = share.get_parent()
    share.close()
    return memory, witness

def forget(memory):
    """The handle goes, and what it had would be overwritten if that were free."""
    memory.close()
    gc.collect()
    for _ in range(20):
        Memory(SIZE, fill=0xee)

def check_free(witness):
    gc.collect()
    assert witness.describe_lock() == 'free', witness.describe_lock()
'''

SCRIPTS: Scripts = {}

SCRIPTS['numpy.ndarray'] = '''
import numpy
memory, witness = make()
numbers = numpy.ndarray(SIZE, 'u1', buffer=memory)
words = numpy.ndarray((128, 128), '<u4', buffer=memory)
# It has no lock.
assert witness.describe_lock() == 'free'
witness.close()
forget(memory)
del memory, witness
gc.collect()
assert numbers.tobytes() == words.tobytes() == CONTENT
words[:] = 5
assert numbers.sum() == 5 * SIZE // 4
'''

SCRIPTS['numpy.frombuffer'] = '''
import numpy
memory, witness = make()
numbers = numpy.frombuffer(memory, 'u1')
pieces = [numbers[::3], numbers.reshape(256, 256).T, numbers.view('<u4'), numpy.lib.stride_tricks.as_strided(numbers)]
forget(memory)
del memory, numbers
assert pieces[0].tobytes() == CONTENT[::3]
assert witness.describe_lock() == '1 READ+WRITE map'
pieces[2][:] = 1
del pieces
check_free(witness)
assert witness[0] == 1
'''

SCRIPTS['ctypes'] = '''
memory, witness = make()
class Pair(ctypes.Structure):
    _fields_ = [('first', ctypes.c_uint32), ('second', ctypes.c_uint64)]
array = (ctypes.c_uint8 * SIZE).from_buffer(memory)
pairs = (Pair * 100).from_buffer(memory, 16)
inner = pairs[50]
pointer = ctypes.pointer(array)
forget(memory)
del memory, pairs, array
gc.collect()
assert bytes(pointer.contents) == CONTENT
inner.second = 0
assert bytes(pointer.contents)[16 + 50 * 16 + 8:][:8] == bytes(8)
del pointer, inner
check_free(witness)
'''

SCRIPTS['struct'] = '''
import struct
memory, witness = make()
struct.pack_into('<I', memory, 8, 0xdeadbeef)
check_free(witness)
words = struct.iter_unpack('<I', memory)
assert next(words) == struct.unpack_from('<I', CONTENT)
forget(memory)
del memory
assert [word for word, in words][1] == 0xdeadbeef
check_free(witness)
'''

SCRIPTS['array'] = '''
import array
memory, witness = make()
numbers = array.array('I')
numbers.frombytes(memory)
assert numbers.tobytes() == CONTENT
assert array.array('B', memory).tobytes() == CONTENT
check_free(witness)
wrapped = Memory.wrap(numbers)
assert isinstance(attempt(numbers.append, 1), BufferError)
del numbers
wrapped[0:4] = b'abcd'
assert wrapped[4:] == CONTENT[4:]
'''

SCRIPTS['re'] = '''
import re
memory, witness = make()
words = re.finditer(b'\\\\x00', memory)
match = next(words)
forget(memory)
del memory
assert match.start() == 0
assert sum(1 for _ in words) == CONTENT.count(0) - 1
# A match asks what it was found in, and that is closed.
assert isinstance(attempt(match.group), TypeError) and match.string.closed
del match, words
check_free(witness)
'''

SCRIPTS['PIL'] = '''
Image = __import__('PIL.Image').Image
memory, witness = make()
image = Image.frombuffer('L', (256, 256), memory, 'raw', 'L', 0, 1)
piece = image.crop((0, 0, 16, 16))
forget(memory)
del memory
assert image.tobytes() == CONTENT
assert image.resize((256, 256)).tobytes() == CONTENT
assert piece.tobytes()[:16] == CONTENT[:16]
del image, piece
check_free(witness)
copied = Image.frombytes('L', (256, 256), bytes(witness))
check_free(witness)
assert copied.tobytes() == CONTENT
'''

SCRIPTS['sockets'] = '''
import socket
left, right = socket.socketpair()
memory, witness = make()
outcome = []
def receive():
    outcome.append(right.recv_into(memory))
thread = threading.Thread(target=receive)
thread.start()
while witness.describe_lock() == 'free':
    time.sleep(0.001)
# It waits for data, and has a map of the block.
assert isinstance(attempt(lambda: memory[:]), Quire.Error.Busy)
forget(memory)
left.send(b'through a socket')
thread.join()
assert outcome == [16]
check_free(witness)
assert witness[:16] == b'through a socket'

left.setblocking(False)
target = Memory(SIZE)
sent = left.sendmsg([witness, witness[5:10], b'!'])
received = right.recvmsg_into([memoryview(target)[:100], memoryview(target)[100:]])[0]
assert received and bytes(target)[:received] == (bytes(witness) + bytes(witness)[5:10] + b'!')[:received]
check_free(witness)
check_free(target)
'''

SCRIPTS['readv and writev'] = '''
reader, writer = os.pipe()
memory, witness = make()
other = Memory(10)
outcome = []
thread = threading.Thread(target=lambda: outcome.append(os.readv(reader, [memory, other])))
thread.start()
while witness.describe_lock() == 'free':
    time.sleep(0.001)
forget(memory)
del memory
assert os.writev(writer, [b'abc', Memory.wrap(b'def'), Memory(3, fill=71)[1:]]) == 8
thread.join()
assert outcome == [8]
check_free(witness)
assert witness[:8] == b'abcdefGG'

# One that fills the pipe, and is closed while it waits.
full = Memory(1 << 20, fill=7)
thread = threading.Thread(target=lambda: outcome.append(os.writev(writer, [full])))
thread.start()
time.sleep(0.05)
forget(full)
data = b''
while len(data) < 1 << 20:
    data += os.read(reader, 1 << 16)
    if not thread.is_alive() and len(data) >= outcome[-1]:
        break
thread.join()
assert set(data) == {7}
'''

SCRIPTS['asyncio'] = '''
import asyncio, socket
class Receiver(asyncio.BufferedProtocol):
    """Has the loop read straight into a block."""
    def __init__(self):
        self.memory, self.witness = make()
        self.received = 0
        self.done = asyncio.get_running_loop().create_future()
    def get_buffer(self, hint):
        return memoryview(self.memory)[self.received:]
    def buffer_updated(self, count):
        self.received += count
    def eof_received(self):
        self.done.set_result(None)

async def main():
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    transport, protocol = await loop.create_connection(Receiver, sock=right)
    left.setblocking(False)
    content = bytes(reversed(CONTENT))[:40000]
    source = Memory(40000)
    source[:] = content
    await loop.sock_sendall(left, source)
    left.close()
    await protocol.done
    assert protocol.received == 40000
    assert protocol.witness[:40000] == content
    transport.close()
    forget(protocol.memory)
    check_free(protocol.witness)
    check_free(source)

asyncio.run(main())
'''

SCRIPTS['asyncio that is cancelled'] = '''
import asyncio, socket
async def main():
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    right.setblocking(False)
    memory, witness = make()
    task = asyncio.ensure_future(loop.sock_recv_into(right, memory))
    await asyncio.sleep(0.01)
    task.cancel()
    forget(memory)
    del memory
    left.send(b'late')
    await asyncio.sleep(0.01)
    assert task.cancelled()
    del task
    await asyncio.sleep(0)
    check_free(witness)
    assert witness[:4] == CONTENT[:4]
asyncio.run(main())
'''

SCRIPTS['hashes in threads'] = '''
import hashlib, zlib
memory, witness = make()
expected = hashlib.sha256(CONTENT).digest(), zlib.crc32(CONTENT)
def work():
    for _ in range(50):
        found = attempt(lambda: (hashlib.sha256(memory).digest(), zlib.crc32(memory)))
        assert found == expected or isinstance(found, Quire.Error.Closed), found
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
time.sleep(0.01)
forget(memory)
for thread in threads: thread.join()
check_free(witness)
assert witness == CONTENT
'''

SCRIPTS['files'] = '''
import io, tempfile
memory, witness = make()
with tempfile.TemporaryFile() as file:
    assert file.write(memory) == SIZE
    file.seek(0)
    target = Memory(SIZE)
    assert file.readinto(target) == SIZE
    assert target == memory
    file.seek(0)
    os.preadv(file.fileno(), [memory, target], 10)
assert witness[:100] == CONTENT[10:110]
stream = io.BytesIO(memory)
reader = io.BufferedReader(io.BytesIO(bytes(target)))
reader.readinto(memory)
reader.readinto1(memory)
forget(memory)
assert len(stream.getvalue()) == SIZE
check_free(witness)
'''

SCRIPTS['views that are dropped'] = '''
memory, witness = make()
def drop(make_thing):
    thing = make_thing()
    del thing
    assert witness.describe_lock() == 'free', witness.describe_lock()
for make_thing in (lambda: memory.map(), lambda: memory.map(Flags.WRITE).data, lambda: memoryview(memory)[5:],
                   lambda: memory.map(Flags.READWRITE).__enter__(), lambda: iter(memory), lambda: memory.cast('I'),
                   lambda: memory.__dlpack__(), lambda: pickle.PickleBuffer(memory),
                   lambda: Memory.wrap(memory), lambda: Memory.wrap(memoryview(memory)[3:5])):
    drop(make_thing)

def leave():
    info = memory.map(Flags.WRITE)
    view = info.data
    raise KeyError
assert isinstance(attempt(leave), KeyError)
gc.collect()
check_free(witness)
'''

SCRIPTS['generators'] = '''
def bytes_of(memory):
    with memory.map() as view:
        for byte in view:
            yield byte
memory, witness = make()
generator = bytes_of(memory)
assert next(generator) == CONTENT[0]
assert witness.describe_lock() == '1 READ map'
forget(memory)
del memory
assert next(generator) == CONTENT[1]
del generator
check_free(witness)
'''

SCRIPTS['slices after the unmap'] = '''
memory, witness = make()
info = memory.map(Flags.READWRITE)
view = info.data
piece, cast = view[5:10], view.cast('I')
for end in (lambda: memory.unmap(info), info.unmap):
    assert isinstance(attempt(end), BufferError)
with info as inner:
    deep = inner[1:3]
# The map waits for them.
assert witness.describe_lock() == '1 READ+WRITE map'
forget(memory)
del memory, info, view
assert bytes(piece) == CONTENT[5:10] and bytes(deep) == CONTENT[1:3]
cast[0] = 0
assert isinstance(attempt(inner.tobytes), ValueError)
del piece, cast, deep
check_free(witness)
assert witness[:4] == bytes(4)
'''

SCRIPTS['subprocess'] = '''
import subprocess
memory, witness = make()
process = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
output, _ = process.communicate(memory)
assert output == CONTENT
forget(memory)
check_free(witness)
'''

SCRIPTS['sqlite'] = '''
import sqlite3
memory, witness = make()
database = sqlite3.connect(':memory:')
database.execute('create table t (data blob)')
database.execute('insert into t values (?)', (memory,))
forget(memory)
[(data,)] = database.execute('select data from t')
assert data == CONTENT
database.close()
check_free(witness)
'''

ALL = {name: PRELUDE + script for name, script in SCRIPTS.items()}


@pytest.mark.parametrize('name', ALL)
def test_script(name: str, run_all: RunAll) -> None:
    if name == 'PIL':
        pytest.importorskip('PIL')
    check_survived(run_all(ALL)[name].result())
