#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <malloc.h>
#include <string.h>
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
    out->size = (int64_t)s.stx_size;
    out->blocks = (int64_t)s.stx_blocks;
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

long larder_getdents(int fd, void *buffer, size_t size) {
    long n = syscall(SYS_getdents64, fd, buffer, size);
    return n < 0 ? -errno : n;
}

// The same without openat2: one component at a time, each checked for the device of the first.
static int open_by_component(int dirfd, const char *path, int flags) {
    struct stat first, here;
    if (fstat(dirfd, &first) != 0) return -errno;
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
        int error = errno;
        close(at);
        if (next < 0) return -error;
        if (fstat(next, &here) != 0 || here.st_dev != first.st_dev) {
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

int larder_lock_exclusive(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : -errno;
}

void larder_unlock(int fd) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    (void)fcntl(fd, F_OFD_SETLK, &lock);
}

int larder_is_write_locked(int fd, int64_t start, int64_t length) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -errno;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

int larder_set_atime(int dirfd, const char *name, int64_t atime) {
    int64_t s = atime / 1000000000, n = atime % 1000000000;
    if (n < 0) { n += 1000000000; s -= 1; }
    struct timespec times[2] = {{.tv_sec = s, .tv_nsec = n}, {.tv_nsec = UTIME_OMIT}};
    return utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

long larder_fs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) == 0 ? (long)s.f_type : -errno;
}

void larder_release_memory(void) { malloc_trim(0); }
