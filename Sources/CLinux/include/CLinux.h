// What Glibc does not export to Swift: statx, openat2, renameat2, getdents64, open-file-description locks.
// Every function returns 0 or a value ≥ 0 on success and -errno on failure; none touches errno's callers.
#pragma once
#include <stdint.h>
#include <stddef.h>
#include "larder_linux_probe.h"

// The parts of statx(2) that Larder reads. Times are nanoseconds since 1970, pinned to what 64 bits hold.
typedef struct {
    uint64_t inode;
    uint64_t device;
    uint64_t mount;      // STATX_MNT_ID, 0 where the kernel does not tell
    int64_t size;        // bytes
    int64_t blocks;      // units of 512 bytes
    int64_t atime;
    int64_t mtime;
    int64_t ctime;
    int64_t btime;       // 0 where the file system keeps none
    uint32_t mode;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
} larder_stat;

// statx of `name` below `dirfd` without following a link in the last component; an empty name is `dirfd`.
int larder_statx(int dirfd, const char *name, larder_stat *out);

// Whether a name below `dirfd` may not be changed or removed by anyone (chattr +i or +a): 1, 0 or -errno.
int larder_is_immutable(int dirfd, const char *name);

// O_NOATIME, which Glibc's module map leaves out: reading leaves the access time; for a file's owner only.
static const int32_t larder_o_noatime = 01000000;

// O_PATH, which is left out as well: a handle on a file that is not opened.
static const int32_t larder_o_path = 010000000;

// Flags of statvfs(3) that Glibc's module map leaves out.
static const uint64_t larder_st_rdonly = 1;
static const uint64_t larder_st_noatime = 1024;

// Fills `buffer` with linux_dirent64 records (getdents64(2)) and says how many bytes; 0 at the end of the directory.
long larder_getdents(int fd, void *buffer, size_t size);

// Opens a relative path: never outside `dirfd`, through no link, over no mount point. By openat2, or, where the
// kernel or a seccomp filter has none and for paths beyond PATH_MAX, one component at a time.
int larder_open_beneath(int dirfd, const char *path, int flags);

// Renames within one file system; fails with -EEXIST rather than replace anything.
int larder_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to);

// Lets two names of one file system change places, which both must be there.
int larder_rename_exchange(int from_dir, const char *from, int to_dir, const char *to);

// Takes an open-file-description write lock on the whole file; -EAGAIN or -EACCES where another holds it.
int larder_lock_exclusive(int fd);

// Gives an open-file-description lock on the whole file back.
void larder_unlock(int fd);

// Whether another holds a lock for writing, or any lock, on some byte of a file or by flock(2) on the whole of it: 1, 0
// or -errno. A descriptor for reading will do. A lock on bytes is asked for; one by flock is taken and given back at
// once, as nothing else tells of those that processes of other pods hold.
int larder_is_write_locked(int fd);
int larder_is_locked(int fd);

// Sets a file's access time to `atime` nanoseconds, leaving the modification time: the change of ctime is what
// makes the next read show under relatime. By descriptor, O_PATH will do: a name may be swapped meanwhile.
int larder_set_atime(int fd, int64_t atime);

// Sets a file's modification time to `mtime` nanoseconds, leaving the access time.
int larder_set_mtime(int fd, int64_t mtime);

// One piece of a file on disk: fiemap_extent's fe_physical, fe_length and fe_flags.
typedef struct {
    uint64_t physical;
    uint64_t length;
    uint32_t flags;
    uint64_t next;       // where in the file the next piece may begin
} larder_extent;

// Fills `out` with at most `count` pieces of a file from the offset `start` on (FS_IOC_FIEMAP), writes nothing
// back, and says how many; 0 at the end.
int larder_extents(int fd, uint64_t start, larder_extent *out, unsigned count);

// FIEMAP_EXTENT_SHARED and FIEMAP_EXTENT_UNKNOWN (no place on disk yet).
static const uint32_t larder_extent_shared = 0x2000;
static const uint32_t larder_extent_unknown = 0x2;

// Whether any page of the first `size` bytes of an open file is in the page cache: 1, 0 or -errno. Reads nothing.
// For a file of another user the kernel always says 1 (mincore(2), since Linux 5.2).
int larder_is_cached(int fd, int64_t size);

// The type of the file system that `fd` is on (statfs f_type).
long larder_fs_type(int fd);

// The ID of the file system that `fd` is on (statfs f_fsid); 0 where it has none.
uint64_t larder_fs_id(int fd);

// Lets all threads share one heap (mallopt(3), M_ARENA_MAX).
void larder_share_one_heap(void);

// Lets this process keep little freed memory for later: blocks from 256 KiB are mapped by themselves, the heap's free
// end beyond 256 KiB goes back, and all threads share one heap. Otherwise Glibc raises the bounds with what it sees, to
// 32 and 64 MiB, for each of a dozen heaps, and malloc_trim(3) leaves the ends of all but the first.
// Freed small blocks join at once: a scan's hundred thousands, joined in one go, held all answers up for 10 ms.
// To be called before the threads begin that shall share the heap.
void larder_keep_little_memory(void);

// Gives freed memory back to the system (malloc_trim(3)); 1 where some was given back.
int larder_give_back_memory(void);

// Gives the calling thread the I/O class that is served where nobody else asks for the disk (ioprio_set(2)), or the one
// that an earlier call returned; returns the one before. Where that is not allowed, it stays as it is.
int larder_idle_io(int previous);

// Sets the niceness of the calling thread, which those that it begins inherit, so much above the process's (nice(2)).
void larder_step_back(int by);
