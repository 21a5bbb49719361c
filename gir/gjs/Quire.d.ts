// Copyright 2026 The Quire authors
//
// SPDX-License-Identifier: LGPL-2.1-or-later

// Quire as JavaScript sees it, with the override. The types of GLib, GObject and Gio are
// those of @girs.

/// <reference lib="esnext.disposable" />

declare module 'gi://Quire?version=1.0' {
    import type Gio from 'gi://Gio?version=2.0';
    import type GLib from 'gi://GLib?version=2.0';
    import type GObject from 'gi://GObject?version=2.0';

    /** Blocks of memory: counted, mappable, shared and merged without a copy. */
    namespace Quire {
        const MAJOR_VERSION: number;
        const MINOR_VERSION: number;
        const MICRO_VERSION: number;

        /**
         * Whether the data of a map is the block itself. If it is not, it is a copy, which
         * is written back when the map ends.
         */
        const zeroCopy: boolean;

        /** The quark of {@link MemoryError}. */
        function memory_error_quark(): GLib.Quark;

        /** For bindings: what is called in place of an allocator's function has to call this. */
        function binding_answer(): void;

        /** For bindings: of which class and functions. */
        function binding_expect_answers(allocator_type: GObject.GType<Allocator>, functions: number): void;

        /** The same as {@link Memory.merge_list}. */
        function memory_merge_list(memories: Memory[]): [Memory, number];

        /** The same as {@link Memory.receive}, and so on. */
        function memory_receive(connection: Gio.UnixConnection, flags: FdFlags, cancellable: Gio.Cancellable | null): Memory;
        function memory_receive_async(connection: Gio.UnixConnection, flags: FdFlags, cancellable: Gio.Cancellable | null, callback: (source: Gio.UnixConnection, result: Gio.AsyncResult) => void): void;
        function memory_receive_finish(result: Gio.AsyncResult): Memory;
        function memory_send_finish(result: Gio.AsyncResult): void;

        /** How a block is mapped or locked. */
        enum MapFlags {
            NONE,
            /** To look at it. READ maps go together, and with READ+WRITE ones. */
            READ,
            /** To write it. WRITE maps go together, and with READ+WRITE ones. */
            WRITE,
            /** Both. */
            READWRITE,
            /** Counts an owner: with two of them nobody may write. */
            EXCLUSIVE,
            /** Only when no other map stands, and while it stands no other is granted. */
            UNIQUE,
            /** The first bit that is free for others. */
            LAST,
        }

        /** What a block is like. */
        enum MemoryFlags {
            NONE,
            /** Nobody may write it. */
            READONLY,
            /** It can't be shared; a copy is made instead, where one is asked for. */
            NO_SHARE,
            /** The bytes before the data are 0. */
            ZERO_PREFIXED,
            /** The bytes after the data are 0. */
            ZERO_PADDED,
            /** The block is in one piece of the memory of the machine. */
            PHYSICALLY_CONTIGUOUS,
            /** It can't be mapped. */
            NOT_MAPPABLE,
            /** The first bit that is free for allocators. */
            LAST,
        }

        /** How a block is made over a descriptor. */
        enum FdFlags {
            /** The block has a duplicate of the descriptor. */
            NONE,
            /** The block takes the descriptor itself, and closes it. */
            TAKE,
            /** To read only. */
            READONLY,
            /** What is written stays in the block. */
            PRIVATE,
            /** Refuse what somebody could truncate. */
            STABLE,
            /** The block uses the caller's descriptor, and does not close it. */
            BORROW,
        }

        /** What nobody can do any more to the file behind a block. */
        enum Seals {
            NONE,
            SEAL,
            SHRINK,
            GROW,
            WRITE,
            FUTURE_WRITE,
        }

        /** Why something was refused. What is refused changes nothing. */
        class MemoryError extends GLib.Error {
            static $gtype: GObject.GType<MemoryError>;

            static readonly FAILED: number;
            /** The block is read-only. */
            static readonly READ_ONLY: number;
            /** What stands on the block does not go together with it. */
            static readonly BUSY: number;
            /** The block can't be mapped. */
            static readonly NOT_MAPPABLE: number;
            /** The block can't be shared. */
            static readonly NOT_SHAREABLE: number;
            /** Not within the block. */
            static readonly OUT_OF_RANGE: number;
            /** There is no memory for it. */
            static readonly NO_SPACE: number;
            /** No memory could ever hold it. */
            static readonly TOO_LARGE: number;
            /** The handle was closed, or the map has ended. */
            static readonly CLOSED: number;
            /** It makes no sense, or not for this block. */
            static readonly NOT_SUPPORTED: number;

            constructor(properties: {code: number, message: string});

            static quark(): GLib.Quark;

            domain: GLib.Quark;
            code: number;
            message: string;

            toString(): string;
            valueOf(): any;
        }

        /** How to allocate a block. */
        class AllocationParams {
            static $gtype: GObject.GType<AllocationParams>;

            constructor(properties?: {flags?: MemoryFlags, align?: number, prefix?: number, padding?: number});

            static ['new'](): AllocationParams;

            /** What the block shall be like. */
            flags: MemoryFlags;
            /** The alignment of the data as a mask, in bytes less 1. */
            align: number;
            /** Bytes before the data. */
            prefix: number;
            /** Bytes after the data. */
            padding: number;

            copy(): AllocationParams;
            toString(): string;
        }

        /**
         * Where blocks come from.
         *
         * A class that derives from this one, made with GObject.registerClass(), says how in
         * vfunc_alloc(); the other functions are there for who wants to know. They are called
         * on the thread of the engine only.
         */
        class Allocator extends GObject.Object {
            static $gtype: GObject.GType<Allocator>;

            /**
             * Calls what waits for allocators: what came while the collector was at work, or
             * from another thread. The main loop does it, too. Returns how many there were.
             */
            static dispatch(): number;

            /** The allocator of a name; of null, the default one. */
            static find(name: string | null): Allocator | null;

            /** The alignment of blocks that ask for none, as a mask. */
            static get_default_align(): number;
            static getDefaultAlign(): number;

            /** Makes an allocator known by a name. */
            static register(name: string, allocator: Allocator): void;

            /** Allocates a block. */
            alloc(size: number | bigint, params?: AllocationParams | null): Memory;

            /**
             * Makes a block of this allocator over another one, which nobody else can map
             * then. The state is what vfunc_released() gets when the block is gone.
             */
            bind(backing: Memory, state?: any): Memory;

            /** The state of a block of this allocator, or of a share of one; or null. */
            get_state(memory: Memory): any;
            getState(memory: Memory): any;

            /** The type of its blocks, as `system`. */
            get_mem_type(): string;
            getMemType(): string;

            /** Makes it the default one. */
            set_default(): void;
            setDefault(): void;

            /** Whether its functions are called here; the first call decides where. */
            set_home(): boolean;
            setHome(): boolean;

            /** Makes a block, and returns what bind() gives. What it throws, the caller catches. */
            vfunc_alloc(size: number, params: AllocationParams): Memory;

            /** Is told of a map, and refuses it by throwing something. */
            vfunc_mapped(memory: Memory, flags: MapFlags): void;

            /** Is told that a map has ended. */
            vfunc_unmapped(memory: Memory): void;

            /** Is told that a block is gone. */
            vfunc_released(state: any): void;
        }

        /** Knows blocks over descriptors, {@link Memory.new_from_fd}; has none of its own. */
        class FdAllocator extends Allocator {
            static $gtype: GObject.GType<FdAllocator>;
        }

        /** Blocks that other processes can have too: files that have no name. */
        class MemfdAllocator extends FdAllocator {
            static $gtype: GObject.GType<MemfdAllocator>;

            constructor(properties?: {name?: string, seals?: Seals, huge_page_size?: number});

            static ['new'](name: string | null, seals: Seals): MemfdAllocator;

            /** What the files are called in the lists of the system. */
            readonly name: string;
            get_name(): string;
            getName(): string;

            /** Which seals a block has from the start. */
            readonly seals: Seals;
            get_seals(): Seals;
            getSeals(): Seals;

            /** The size of the pages in bytes; 0 for pages of the ordinary size. */
            readonly huge_page_size: number;
            readonly hugePageSize: number;
            get_huge_page_size(): number;
            getHugePageSize(): number;
        }

        /** What goes on in a {@link PoolAllocator}, at one moment. */
        class PoolStats {
            static $gtype: GObject.GType<PoolStats>;

            constructor();

            /** How many blocks the pool has, those that are out included. */
            n_blocks: number;
            /** How many of them wait for the next who asks. */
            n_free: number;
            /** How many are out. */
            n_out: number;
            /** How many have been out at once, at most. */
            max_out: number;
            /** How many threads wait for a block. */
            n_waiting: number;
            /** How many blocks were ever made. */
            n_made: number;
            /** How often one was given that was used before, or made ahead. */
            n_recycled: number;

            copy(): PoolStats;
            toString(): string;
        }

        /**
         * An allocator that uses its blocks again, which all have one size.
         *
         * A block is back when no script can reach it any more, which the collector finds
         * out. When all are out, and another one is asked for, the collector comes first.
         */
        class PoolAllocator extends Allocator {
            static $gtype: GObject.GType<PoolAllocator>;

            constructor(properties?: {
                allocator?: Allocator, block_size?: number, params?: AllocationParams,
                max_blocks?: number, max_wait?: number, initial_blocks?: number,
            });

            /**
             * A pool of blocks of an allocator, null for the default one; 0 is for as many
             * blocks as are asked for.
             */
            static ['new'](allocator: Allocator | null, block_size: number | bigint,
                params: AllocationParams | null, max_blocks: number): PoolAllocator;

            readonly allocator: Allocator;
            readonly block_size: number;
            readonly blockSize: number;
            readonly params: AllocationParams;
            readonly max_blocks: number;
            readonly maxBlocks: number;
            /** How many blocks were made at once. */
            readonly initial_blocks: number;
            readonly initialBlocks: number;
            /**
             * How long {@link alloc} waits for a block if all are out, in microseconds. The
             * blocks have to come back on other threads: the script stands still.
             */
            max_wait: number;
            maxWait: number;

            /** Gets a block of full size. It waits as {@link max_wait} says. */
            acquire(max_wait: number, cancellable: Gio.Cancellable | null): Memory;

            /** The same, while the main loop goes on. */
            acquire_async(max_wait: number, cancellable: Gio.Cancellable | null,
                callback: (pool: PoolAllocator, result: Gio.AsyncResult) => void): void;
            acquireAsync(max_wait: number, cancellable: Gio.Cancellable | null,
                callback: (pool: PoolAllocator, result: Gio.AsyncResult) => void): void;

            /** Gives the block that {@link acquire_async} was for. */
            acquire_finish(result: Gio.AsyncResult): Memory;
            acquireFinish(result: Gio.AsyncResult): Memory;

            /** Makes blocks ahead, until the pool has so many. */
            prealloc(n_blocks: number): void;

            /** Gives free blocks back until no more are left than this. Tells how many. */
            trim(keep: number): number;

            /** Gives all free blocks back. */
            flush(): number;

            /** Closes the pool for good. Blocks that are out are good. */
            close(): void;
            is_closed(): boolean;
            isClosed(): boolean;

            get_stats(): PoolStats;
            getStats(): PoolStats;

            get_allocator(): Allocator;
            getAllocator(): Allocator;
            get_block_size(): number;
            getBlockSize(): number;
            get_max_blocks(): number;
            getMaxBlocks(): number;
            get_max_wait(): number;
            getMaxWait(): number;
            set_max_wait(max_wait: number): void;
            setMaxWait(max_wait: number): void;
        }

        /** An allocator that stops who goes outside of a block: for debugging. */
        class GuardAllocator extends Allocator {
            static $gtype: GObject.GType<GuardAllocator>;

            constructor(properties?: {quarantine?: number, aborts?: boolean});

            static ['new'](): GuardAllocator;

            /** How many blocks that were freed are kept as fences. */
            readonly quarantine: number;
            get_quarantine(): number;
            getQuarantine(): number;

            /** Whether the process ends when a block was written outside. */
            readonly aborts: boolean;
            get_aborts(): boolean;
            getAborts(): boolean;

            /** How often a block was found to be written outside. */
            readonly n_damaged: number;
            readonly nDamaged: number;
            get_n_damaged(): number;
            getNDamaged(): number;
        }

        /** An allocator of blocks for what is secret: locked, not dumped, wiped. */
        class SecureAllocator extends Allocator {
            static $gtype: GObject.GType<SecureAllocator>;

            constructor();

            static ['new'](): SecureAllocator;
        }

        /**
         * A mapping as it is introspected, of no use to scripts: {@link Memory.map} gives
         * a {@link MapInfo}.
         */
        class Mapping {
            static $gtype: GObject.GType<Mapping>;

            private constructor();

            get_memory(): Memory | null;
            get_flags(): MapFlags;
            get_size(): number;
            get_maxsize(): number;
            is_released(): boolean;
            release(): void;
            view_bytes(): GLib.Bytes;
            write_back(data: Uint8Array): void;
            toString(): string;
        }

        /** A map of a block: a lock on it, and its data. */
        class MapInfo {
            private constructor();

            /**
             * The block itself (see {@link Quire.zeroCopy}), the same array at each access.
             * With the map it ends: then its length is 0, and to ask for it here is
             * an error, CLOSED.
             *
             * JavaScript can't forbid to write to an array: with a map to read, a write is
             * a write to the block all the same, and outside the lock. Over pages that
             * the system lets nobody write, as of a file that is mapped, it is a copy.
             */
            readonly data: Uint8Array;

            /** How the block is mapped. */
            readonly flags: MapFlags;
            get_flags(): MapFlags;
            getFlags(): MapFlags;

            /** How many bytes are mapped. */
            readonly size: number;
            get_size(): number;
            getSize(): number;

            /** How many bytes there are from the start of the data to the end of the block. */
            readonly maxsize: number;
            get_maxsize(): number;
            getMaxsize(): number;

            /** The block that is mapped; null when the map has ended. */
            readonly memory: Memory | null;
            get_memory(): Memory | null;
            getMemory(): Memory | null;

            /** Whether the map has ended. */
            is_released(): boolean;
            isReleased(): boolean;

            /** Ends the map. A second time that is an error, CLOSED. */
            unmap(): void;

            /** Ends the map, if it has not ended. */
            release(): void;

            /** The same as {@link release}. */
            close(): void;

            /** The same as {@link release}, where the engine has it. */
            [Symbol.dispose](): void;

            toString(): string;
        }

        /** A block of memory. Offsets and sizes are in bytes; a size of -1 is "to the end". */
        class Memory implements Iterable<number> {
            static $gtype: GObject.GType<Memory>;

            /** A new block. What is in it is not told. */
            constructor(size: number | bigint);
            static ['new'](size: number | bigint): Memory;

            /** A new block with an alignment, prefix and padding. */
            static new_with_params(size: number | bigint, params: AllocationParams | null): Memory;
            static newWithParams(size: number | bigint, params: AllocationParams | null): Memory;

            /** A block over bytes, without a copy. It is read-only. */
            static new_from_bytes(bytes: GLib.Bytes): Memory;
            static newFromBytes(bytes: GLib.Bytes): Memory;

            /** A new block with a copy of the bytes of an array or buffer. */
            static wrap(data: ArrayBuffer | ArrayBufferView): Memory;

            /**
             * A block over a descriptor: size bytes at an offset in its file, or -1 for all
             * to the end.
             */
            static new_from_fd(fd: number, offset?: number | bigint, size?: number | bigint, flags?: FdFlags): Memory;
            static newFromFd(fd: number, offset?: number | bigint, size?: number | bigint, flags?: FdFlags): Memory;

            /** Receives what another process has sent: the same pages. */
            static receive(connection: Gio.UnixConnection, flags: FdFlags, cancellable: Gio.Cancellable | null): Memory;

            /** The same without blocking. */
            static receive_async(connection: Gio.UnixConnection, flags: FdFlags, cancellable: Gio.Cancellable | null,
                callback: (source: Gio.UnixConnection, result: Gio.AsyncResult) => void): void;
            static receiveAsync(connection: Gio.UnixConnection, flags: FdFlags, cancellable: Gio.Cancellable | null,
                callback: (source: Gio.UnixConnection, result: Gio.AsyncResult) => void): void;
            static receive_finish(result: Gio.AsyncResult): Memory;
            static receiveFinish(result: Gio.AsyncResult): Memory;

            static send_finish(result: Gio.AsyncResult): void;
            static sendFinish(result: Gio.AsyncResult): void;

            /**
             * Puts blocks together, one after the other: without a copy if they lie side
             * by side. Gives the merged block, and how many bytes were copied.
             */
            static merge_list(memories: Memory[]): [Memory, number];
            static mergeList(memories: Memory[]): [Memory, number];

            /** How many bytes of data there are. */
            readonly length: number;

            /** The size of the data, where it begins, and the size of the whole block. */
            get_sizes(): [number, number, number];
            getSizes(): [number, number, number];

            /** Moves the valid range: `offset` is from where the data begins now. */
            resize(offset: number | bigint, size: number | bigint): void;

            /** Maps the block. */
            map(flags: MapFlags): MapInfo;

            /** Ends a map of the block. */
            unmap(info: MapInfo): void;

            /** Maps the block, or, if that is refused, a copy of it: `info.memory` tells. */
            make_mapped(flags: MapFlags): MapInfo;
            makeMapped(flags: MapFlags): MapInfo;

            /**
             * Calls a function with the data of a map. The map ends with it, even if it
             * throws. Gives what the function gives.
             */
            withMap<T>(flags: MapFlags, callback: (data: Uint8Array, info: MapInfo) => T): T;

            /** A window of the block without a copy, to read. While it lives, nobody writes. */
            share(offset: number | bigint, size: number | bigint): Memory;

            /** Whether another block begins where this one ends, and where both begin. */
            is_span(second: Memory): [boolean, number];
            isSpan(second: Memory): [boolean, number];

            /** This block and another one after it; and how many bytes were copied for it. */
            merge(second: Memory): [Memory, number];

            /** A new block with a copy. */
            copy(offset: number | bigint, size: number | bigint): Memory;

            /** Sets bytes to a value. */
            fill(offset: number | bigint, size: number | bigint, value: number): void;

            /** How this block compares with another: less than, equal to or more than 0. */
            compare(second: Memory): number;

            /** A copy of bytes of the block. */
            read(offset: number | bigint, size: number | bigint): GLib.Bytes;

            /** Copies bytes into the block. */
            write(offset: number | bigint, data: ArrayBuffer | ArrayBufferView | GLib.Bytes | number[]): void;

            /** Reads from a stream straight into the block; gives how many bytes came. */
            read_from_stream(offset: number | bigint, size: number | bigint, stream: Gio.InputStream,
                cancellable: Gio.Cancellable | null): number;
            readFromStream(offset: number | bigint, size: number | bigint, stream: Gio.InputStream,
                cancellable: Gio.Cancellable | null): number;

            /**
             * The data as bytes, without a copy. They count as a share. In GJS 1.74 to call
             * a method of them keeps them, and so the share, for good: pass them on.
             */
            to_bytes(): GLib.Bytes;
            toBytes(): GLib.Bytes;

            /**
             * Hands the block, which must be over a descriptor, to the process at the other
             * end. Of a read-only block, it can't write.
             */
            send(connection: Gio.UnixConnection, cancellable: Gio.Cancellable | null): void;

            /** The same without blocking. */
            send_async(connection: Gio.UnixConnection, cancellable: Gio.Cancellable | null,
                callback: (source: Gio.UnixConnection, result: Gio.AsyncResult) => void): void;
            sendAsync(connection: Gio.UnixConnection, cancellable: Gio.Cancellable | null,
                callback: (source: Gio.UnixConnection, result: Gio.AsyncResult) => void): void;

            /** The descriptor that the block is over, or -1, and where in its file the data is. */
            get_fd(): [number, number];
            getFd(): [number, number];

            /** A descriptor of one's own, for a read-only block one that can't write. */
            dup_fd(): number;
            dupFd(): number;

            /** Whether the data can't vanish under a map, as that of a file that somebody truncates. */
            is_stable(): boolean;
            isStable(): boolean;

            /** Which seals the file behind the block has. */
            get_seals(): Seals;
            getSeals(): Seals;

            /** Seals the file behind the block, for all processes and for ever. */
            add_seals(seals: Seals): void;
            addSeals(seals: Seals): void;

            /** Takes a lock as a map would, without a map. */
            lock(flags: MapFlags): void;

            /** Drops a lock that {@link lock} took. */
            unlock(flags: MapFlags): void;

            /** Says in words what stands on the block, for people. */
            describe_lock(): string;
            describeLock(): string;

            /** Whether nothing that lasts forbids to write the block. */
            is_writable(): boolean;
            isWritable(): boolean;

            /** The block if it is writable, else a copy. */
            make_writable(): Memory;
            makeWritable(): Memory;

            /** Whether it comes from an allocator of this type, as `system`. */
            is_type(mem_type: string): boolean;
            isType(mem_type: string): boolean;

            /** Whether the data begins at a multiple of an alignment, given as a mask. */
            is_aligned(align: number | bigint): boolean;
            isAligned(align: number | bigint): boolean;

            /** The alignment that the block was made with, as a mask. */
            get_align(): number;
            getAlign(): number;

            get_flags(): MemoryFlags;
            getFlags(): MemoryFlags;

            get_allocator(): Allocator;
            getAllocator(): Allocator;

            /** The block that this one is a share of. */
            get_parent(): Memory | null;
            getParent(): Memory | null;

            /**
             * Gives the handle up at once, and with it the hold of a share on its block.
             * Maps that stand are good until they end. All else that is asked of the handle
             * later is an error, CLOSED. A second time it does nothing.
             */
            close(): void;

            /** Whether the handle was closed. */
            is_closed(): boolean;
            isClosed(): boolean;

            /** The same as {@link close}, where the engine has it. */
            [Symbol.dispose](): void;

            /** The bytes, under a map to read that lasts as long as the loop. */
            [Symbol.iterator](): IterableIterator<number>;

            toString(): string;
        }
    }

    export default Quire;
}

declare module 'gi://Quire' {
    import Quire from 'gi://Quire?version=1.0';

    export default Quire;
}
