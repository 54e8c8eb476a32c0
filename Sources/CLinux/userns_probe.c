#define _GNU_SOURCE
#include "larder_linux_probe.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int put(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    ssize_t length = (ssize_t)strlen(text);
    int failure = write(file, text, (size_t)length) == length ? 0 : errno;
    close(file);
    return failure;
}

// Waits for a child that ends with an errno as its status.
static int status_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

// Only calls that are safe between fork and exec of a process with threads are made from here on.
static void probe(int answer, const char *uid_map, const char *gid_map) {
    larder_userns result = {.userns = 0, .mount = -1, .proc = -1};
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) != 0) {
        result.userns = errno;
    } else if ((result.userns = put("/proc/self/setgroups", "deny")) == 0 &&
               (result.userns = put("/proc/self/uid_map", uid_map)) == 0 &&
               (result.userns = put("/proc/self/gid_map", gid_map)) == 0) {
        // Into private namespaces that go with this process: nobody else sees these mounts.
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/tmp", "tmpfs", 0, NULL) != 0)
            result.mount = errno;
        else
            result.mount = 0;
        pid_t child = fork();
        if (child == 0) _exit(mount("proc", "/proc", "proc", 0, NULL) == 0 ? 0 : errno);
        result.proc = child < 0 ? errno : status_of(child);
    }
    if (write(answer, &result, sizeof result) != sizeof result) _exit(1);
    _exit(0);
}

int larder_has_file_capabilities(const char *path) {
    return getxattr(path, "security.capability", NULL, 0) > 0;
}

int larder_probe_userns(larder_userns *out) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    char uid_map[64], gid_map[64];
    snprintf(uid_map, sizeof uid_map, "0 %u 1", (unsigned)geteuid());
    snprintf(gid_map, sizeof gid_map, "0 %u 1", (unsigned)getegid());
    pid_t child = fork();
    if (child == 0) probe(ends[1], uid_map, gid_map);
    int failure = child < 0 ? errno : 0;
    close(ends[1]);
    if (!failure) {
        ssize_t length;
        while ((length = read(ends[0], out, sizeof *out)) < 0 && errno == EINTR) {}
        // A seccomp profile may kill instead of refusing.
        if (length != (ssize_t)sizeof *out) *out = (larder_userns){.userns = EPERM, .mount = -1, .proc = -1};
        status_of(child);
    }
    close(ends[0]);
    return -failure;
}
