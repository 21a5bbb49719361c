// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Looks at the frames that across.c hands over, in place, as typed arrays.
//
// across.c starts it, with its end of the connection as descriptor 3.

import Gio from 'gi://Gio';
import Quire from 'gi://Quire?version=1.0';

const connection = Gio.Socket.new_from_fd(3).connection_factory_create_connection();
const answers = connection.get_output_stream();
const {READ} = Quire.MapFlags;
const {READONLY, STABLE} = Quire.FdFlags;

// The next frame; null when there are no more.
function receive() {
    try {
        // Frames of a process that isn't trusted must not shrink under the reader.
        return Quire.Memory.receive(connection, READONLY | STABLE, null);
    } catch (error) {
        if (error.matches(Quire.MemoryError, Quire.MemoryError.CLOSED))
            return null;
        throw error;
    }
}

function sumOf(data) {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    let sum = 0;
    for (let i = 0; i < words.length; i++)
        sum = sum + words[i] | 0;
    return sum;
}

function answer(number, sum) {
    answers.write_all(new Uint8Array(new Uint32Array([number, sum]).buffer), null);
}

// The first one changes while it is looked at: so the view is the block of the producer.
const first = receive();
first.withMap(READ, data => {
    answer(0, sumOf(data));
    connection.get_input_stream().read_bytes(1, null);
    answer(0, sumOf(data));
});
first.close();

let frame;
for (let number = 0; (frame = receive()) !== null; number++) {
    answer(number, frame.withMap(READ, sumOf));
    frame.close();
}
