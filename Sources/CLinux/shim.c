#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <malloc.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

static int64_t nanoseconds(struct statx_timestamp t) {
    const int64_t bound = 9223372035;
    int64_t s = t.tv_sec > bound ? bound : t.tv_sec < -bound ? -bound : t.tv_sec;
    return s * 1000000000 + t.tv_nsec;
}

int larder_statx(int dirfd, const char *name, larder_stat *out) {
    struct statx s;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    if (syscall(SYS_statx, dirfd, name, flags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &s) != 0)
        return -errno;
    out->inode = s.stx_ino;
    out->device = makedev(s.stx_dev_major, s.stx_dev_minor);
    out->mount = (s.stx_mask & STATX_MNT_ID) ? s.stx_mnt_id : 0;
    // Whatever a file system says: lengths are not negative, and 512 bytes a block do not overflow.
    out->size = s.stx_size > INT64_MAX ? INT64_MAX : (int64_t)s.stx_size;
    out->blocks = s.stx_blocks > INT64_MAX / 512 ? INT64_MAX / 512 : (int64_t)s.stx_blocks;
    out->atime = nanoseconds(s.stx_atime);
    out->mtime = nanoseconds(s.stx_mtime);
    out->ctime = nanoseconds(s.stx_ctime);
    out->btime = (s.stx_mask & STATX_BTIME) ? nanoseconds(s.stx_btime) : 0;
    out->mode = s.stx_mode;
    out->links = s.stx_nlink;
    out->uid = s.stx_uid;
    out->gid = s.stx_gid;
    return 0;
}

int larder_is_immutable(int dirfd, const char *name) {
    struct statx s;
    if (syscall(SYS_statx, dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &s) != 0) return -errno;
    return (s.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

long larder_getdents(int fd, void *buffer, size_t size) {
    long n = syscall(SYS_getdents64, fd, buffer, size);
    return n < 0 ? -errno : n;
}

// The same without openat2: one component at a time, each checked for the mount of the first.
static int open_by_component(int dirfd, const char *path, int flags) {
    larder_stat first, here;
    int error = larder_statx(dirfd, "", &first);
    if (error != 0) return error;
    int at = dup(dirfd);
    while (at >= 0) {
        const char *slash = strchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : strlen(path);
        char name[256];
        int next;
        if (length == 0 || length > 255 || (length == 2 && path[0] == '.' && path[1] == '.')) {
            close(at);
            return length > 255 ? -ENAMETOOLONG : -EINVAL;
        }
        memcpy(name, path, length);
        name[length] = 0;
        next = openat(at, name, (slash ? O_PATH | O_DIRECTORY : flags) | O_NOFOLLOW | O_CLOEXEC);
        error = errno;
        close(at);
        if (next < 0) return -error;
        if (larder_statx(next, "", &here) != 0 || here.device != first.device || here.mount != first.mount) {
            close(next);
            return -EXDEV;
        }
        if (!slash) return next;
        at = next;
        path = slash + 1;
    }
    return -errno;
}

int larder_open_beneath(int dirfd, const char *path, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    if (fd >= 0) return (int)fd;
    if (errno == ENOSYS || errno == EPERM || errno == ENAMETOOLONG) return open_by_component(dirfd, path, flags);
    return -errno;
}

int larder_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to) {
    return syscall(SYS_renameat2, from_dir, from, to_dir, to, 1 /* RENAME_NOREPLACE */) == 0 ? 0 : -errno;
}

int larder_rename_exchange(int from_dir, const char *from, int to_dir, const char *to) {
    return syscall(SYS_renameat2, from_dir, from, to_dir, to, 2 /* RENAME_EXCHANGE */) == 0 ? 0 : -errno;
}

int larder_lock_exclusive(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : -errno;
}

void larder_unlock(int fd) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    (void)fcntl(fd, F_OFD_SETLK, &lock);
}

// Whether a lock of that type on the whole file would have to wait.
static int would_wait(int fd, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -errno;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

// Whether a flock(2) of that kind would have to wait. The kernel tells only by giving it, and it is given back at once.
static int would_wait_for_flock(int fd, int kind) {
    while (flock(fd, kind | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return 1;
        // NFS makes byte ranges of them, which were asked for before, and which need a descriptor for writing.
        if (errno == EBADF) return 0;
        if (errno != EINTR) return -errno;
    }
    (void)flock(fd, LOCK_UN);
    return 0;
}

int larder_is_write_locked(int fd) {
    const int held = would_wait(fd, F_RDLCK);
    return held != 0 ? held : would_wait_for_flock(fd, LOCK_SH);
}

int larder_is_locked(int fd) {
    const int held = would_wait(fd, F_WRLCK);
    return held != 0 ? held : would_wait_for_flock(fd, LOCK_EX);
}

static struct timespec larder_timespec(int64_t time) {
    int64_t s = time / 1000000000, n = time % 1000000000;
    if (n < 0) { n += 1000000000; s -= 1; }
    return (struct timespec){.tv_sec = s, .tv_nsec = n};
}

static int larder_set_times(int fd, const struct timespec times[2]) {
    if (utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return 0;
    if (errno != EINVAL && errno != ENOENT) return -errno;
    // Linux before 5.8 takes no empty path.
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return utimensat(AT_FDCWD, path, times, 0) == 0 ? 0 : -errno;
}

int larder_set_atime(int fd, int64_t atime) {
    struct timespec times[2] = {larder_timespec(atime), {.tv_nsec = UTIME_OMIT}};
    return larder_set_times(fd, times);
}

int larder_set_mtime(int fd, int64_t mtime) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, larder_timespec(mtime)};
    return larder_set_times(fd, times);
}

int larder_is_cached(int fd, int64_t size) {
    unsigned char pages[4096];
    const int64_t page = sysconf(_SC_PAGESIZE), window = page * (int64_t)sizeof pages;
    for (int64_t at = 0; at < size; at += window) {
        const size_t length = (size_t)(size - at < window ? size - at : window);
        void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, at);
        if (map == MAP_FAILED) return -errno;
        const int result = mincore(map, length, pages) == 0 ? 0 : -errno;
        munmap(map, length);
        if (result != 0) return result;
        for (size_t i = 0; i < (length + page - 1) / page; i++)
            if (pages[i] & 1) return 1;
    }
    return 0;
}

long larder_fs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) == 0 ? (long)s.f_type : -errno;
}

uint64_t larder_fs_id(int fd) {
    struct statfs s;
    uint64_t id = 0;
    if (fstatfs(fd, &s) == 0) memcpy(&id, &s.f_fsid, sizeof id);
    return id;
}

int larder_extents(int fd, uint64_t start, larder_extent *out, unsigned count) {
    enum { MOST = 64 };
    union {
        struct fiemap map;
        char bytes[sizeof(struct fiemap) + MOST * sizeof(struct fiemap_extent)];
    } request;
    memset(&request, 0, sizeof request);
    request.map.fm_start = start;
    request.map.fm_length = FIEMAP_MAX_OFFSET - start;
    request.map.fm_extent_count = count < MOST ? count : MOST;
    if (ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0) return -errno;
    unsigned found = request.map.fm_mapped_extents;
    for (unsigned i = 0; i < found; i++) {
        const struct fiemap_extent *extent = &request.map.fm_extents[i];
        out[i].physical = extent->fe_physical;
        out[i].length = extent->fe_length;
        out[i].flags = extent->fe_flags;
        out[i].next = extent->fe_logical + extent->fe_length;
    }
    return (int)found;
}

void larder_share_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

void larder_keep_little_memory(void) {
    larder_share_one_heap();
    mallopt(M_MXFAST, 0);
    mallopt(M_MMAP_THRESHOLD, 1 << 18);
    mallopt(M_TRIM_THRESHOLD, 1 << 18);
}

int larder_give_back_memory(void) { return malloc_trim(0); }

int larder_idle_io(int previous) {
    enum { WHO_PROCESS = 1, IDLE = 3 << 13 };
    int before = (int)syscall(SYS_ioprio_get, WHO_PROCESS, 0);
    (void)syscall(SYS_ioprio_set, WHO_PROCESS, 0, previous < 0 ? IDLE : previous);
    return before < 0 ? 0 : before;
}

void larder_step_back(int by) {
    // Linux keeps the niceness of each thread: the first one's is the process's, 0 is the caller's.
    (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, (id_t)getpid()) + by);
}
