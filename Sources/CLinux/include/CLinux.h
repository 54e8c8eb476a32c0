// What Glibc does not export to Swift: statx, openat2, renameat2, getdents64, open-file-description locks.
// Every function returns 0 or a value ≥ 0 on success and -errno on failure; none touches errno's callers.
#pragma once
#include <stdint.h>
#include <stddef.h>

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

// O_NOATIME, which Glibc's module map leaves out: reading leaves the access time; for a file's owner only.
static const int32_t larder_o_noatime = 01000000;

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

// Takes an open-file-description write lock on the whole file; -EAGAIN or -EACCES where another holds it.
int larder_lock_exclusive(int fd);

// Gives an open-file-description lock on the whole file back.
void larder_unlock(int fd);

// Whether some process holds a conflicting lock on bytes start ..< start+length: 1, 0 or -errno. Takes no lock.
int larder_is_write_locked(int fd, int64_t start, int64_t length);

// Sets a file's access time to `atime` nanoseconds, leaving the modification time: the change of ctime is what
// makes the next read show under relatime. Does not follow a link.
int larder_set_atime(int dirfd, const char *name, int64_t atime);

// The type of the file system that `fd` is on (statfs f_type).
long larder_fs_type(int fd);

// Gives memory that was freed back to the system (malloc_trim(3)).
void larder_release_memory(void);
