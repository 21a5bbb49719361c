/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* That the Vala bindings compile, link and do what they say. */

void test_blocks () {
    try {
        var memory = new Quire.Memory.try_new (4096);
        var mapping = memory.map (Quire.MapFlags.READWRITE);
        assert (mapping.get_size () == 4096);
        memory.unmap (mapping);

        memory.fill (0, -1, 0x51);
        memory.write (1, { 1, 2, 3 });
        assert (memory.read (0, 5).get_data ()[3] == 3);

        var head = memory.share (0, 1024);
        var tail = memory.share (1024, -1);
        size_t copied;
        ssize_t offset;
        assert (head.is_span (tail, out offset));
        var both = head.merge (tail, out copied);
        size_t start, maxsize;
        assert (both.get_sizes (out start, out maxsize) == 4096 && copied == 0);
        assert (both.get_parent () != null);
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_errors () {
    try {
        var memory = new Quire.Memory.try_new (16);
        var bytes = memory.to_bytes ();
        assert (bytes.length == 16);
        memory.map (Quire.MapFlags.WRITE);
        assert_not_reached ();
    } catch (Quire.MemoryError.BUSY error) {
        assert (error.message.contains ("1 share alive"));
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_pool () {
    try {
        var pool = new Quire.PoolAllocator.try_new (null, 4096, null, 1);
        pool.prealloc (1);
        var memory = pool.acquire (0);
        var stats = pool.get_stats ();
        assert (stats.n_blocks == 1 && stats.n_out == 1 && stats.n_recycled == 1);
        assert (pool.block_size == 4096 && memory.is_type ("pool"));
        pool.alloc (1, null);
        assert_not_reached ();
    } catch (Quire.MemoryError.BUSY error) {
        assert (error.message.contains ("All 1 blocks"));
    } catch (Error error) {
        assert_not_reached ();
    }

    var guard = new Quire.GuardAllocator ();
    assert (guard.quarantine == 256);
    assert (Quire.Allocator.find ("secure") is Quire.SecureAllocator);
}

/* An allocator as one writes it in Vala. */
class Counting : Quire.Allocator {
    public int blocks = 0;
    public int maps = 0;
    public bool refuses = false;

    public override Quire.Memory alloc (size_t size, Quire.AllocationParams? params) throws Error {
        blocks++;
        return bind (new Quire.Memory.try_new (size), this);
    }

    public override void mapped (Quire.Memory memory, Quire.MapFlags flags) throws Error {
        if (refuses)
            throw new IOError.PERMISSION_DENIED ("Not today");
        assert (get_state (memory) == this);
        maps++;
    }

    public override void unmapped (Quire.Memory memory) {
        maps--;
    }

    public override void released (Object? state) {
        assert (state == this);
        blocks--;
    }
}

void test_allocator () {
    var counting = new Counting ();
    try {
        var memory = counting.alloc (8, null);
        assert (memory.get_allocator () == counting && counting.blocks == 1);

        var mapping = memory.map (Quire.MapFlags.WRITE);
        assert (counting.maps == 1);
        memory.unmap (mapping);
        assert (counting.maps == 0);

        counting.refuses = true;
        memory.fill (0, -1, 1);
        assert_not_reached ();
    } catch (IOError.PERMISSION_DENIED error) {
        assert (error.message == "Not today");
    } catch (Error error) {
        assert_not_reached ();
    }
    assert (counting.blocks == 0 && counting.maps == 0);
}

int main (string[] args) {
    Test.init (ref args);
    Test.add_func ("/vapi/blocks", test_blocks);
    Test.add_func ("/vapi/errors", test_errors);
    Test.add_func ("/vapi/pool", test_pool);
    Test.add_func ("/vapi/allocator", test_allocator);
    return Test.run ();
}
