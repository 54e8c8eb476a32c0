// What the kernel takes for a scan at least: prints the seconds of a first and of an unchanged scan of a directory.
//
//     cc -O2 -pthread floor.c -o floor && ./floor DIRECTORY
//
// The first looks at every file and reads each tracking file, the second looks at the files that a scan looks at again
// where nothing changed (all but checksums) and at their directories; both with two threads, and nothing is kept that
// a scan would keep. Larder is compared with it in one run (compare).
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2, BUFFER = 65536 };

struct directory {
    struct directory *parent, *next, *child, *sibling;
    int descriptor;
    atomic_int users;  // the children that need the descriptor, and itself
    size_t length;     // of the files' names, each ended by a NUL
    char *files;
    char name[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct directory *waiting;  // a stack: depth first keeps few descriptors open
static int working;

static void release(struct directory *one) {
    if (one && atomic_fetch_sub(&one->users, 1) == 1) close(one->descriptor);
}

static void put(struct directory *list) {
    pthread_mutex_lock(&lock);
    while (list) {
        struct directory *next = list->next;
        list->next = waiting;
        waiting = list;
        list = next;
    }
    working--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static struct directory *take(void) {
    pthread_mutex_lock(&lock);
    while (!waiting && working) pthread_cond_wait(&changed, &lock);
    struct directory *one = waiting;
    if (one) {
        waiting = one->next;
        working++;
    }
    pthread_mutex_unlock(&lock);
    return one;
}

static int ends(const char *name, size_t length, const char *suffix) {
    size_t end = strlen(suffix);
    return length >= end && !memcmp(name + length - end, suffix, end);
}

static void look(int descriptor, const char *name) {
    struct statx found;
    unsigned wanted = STATX_BASIC_STATS | STATX_MNT_ID;
    if (statx(descriptor, name, *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH, wanted, &found)) err(1, "%s", name);
}

// Opens a directory from the one that it is in, and looks at it.
static void enter(struct directory *one) {
    int above = one->parent ? one->parent->descriptor : AT_FDCWD;
    one->descriptor = openat(above, one->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (one->descriptor < 0) err(1, "%s", one->name);
    one->users = 1;
    release(one->parent);
    look(one->descriptor, "");
}

static void read_tracking(int directory, const char *name) {
    static _Thread_local char text[BUFFER];
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOATIME);
    if (file < 0 || read(file, text, sizeof text) < 0) err(1, "%s", name);
    close(file);
}

static void *list(void *unused) {
    static _Thread_local char buffer[BUFFER];
    for (struct directory *one; (one = take());) {
        enter(one);
        long bytes;
        while ((bytes = syscall(SYS_getdents64, one->descriptor, buffer, BUFFER)) > 0) {
            for (long at = 0; at < bytes;) {
                struct dirent64 *entry = (struct dirent64 *)(buffer + at);
                const char *name = entry->d_name;
                size_t size = strlen(name) + 1;
                at += entry->d_reclen;
                if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
                if (entry->d_type == DT_DIR) {
                    struct directory *child = calloc(1, sizeof *child + size);
                    if (!child) err(1, "memory");
                    memcpy(child->name, name, size);
                    child->parent = one;
                    child->next = child->sibling = one->child;
                    one->child = child;
                    one->users++;
                    continue;
                }
                look(one->descriptor, name);
                if (!strcmp(name, "_remote.repositories")) read_tracking(one->descriptor, name);
                if (ends(name, size - 1, ".sha1") || ends(name, size - 1, ".md5")) continue;
                if (!(one->files = realloc(one->files, one->length + size))) err(1, "memory");
                memcpy(one->files + one->length, name, size);
                one->length += size;
            }
        }
        put(one->child);
        release(one);
    }
    return unused;
}

static void look_at_files(const struct directory *one, int descriptor, char *path, size_t begin) {
    for (size_t at = 0; at < one->length; at += strlen(one->files + at) + 1) {
        strcpy(path + begin, one->files + at);
        look(descriptor, path);
    }
}

// A directory without others is looked at from the one that it is in, without being opened.
static void *revisit(void *unused) {
    char path[2 * NAME_MAX + 2];
    for (struct directory *one; (one = take());) {
        enter(one);
        look_at_files(one, one->descriptor, path, 0);
        struct directory *open = NULL;
        for (struct directory *child = one->child; child; child = child->sibling) {
            if (child->child) {
                child->next = open;
                open = child;
                one->users++;
                continue;
            }
            size_t length = strlen(child->name);
            memcpy(path, child->name, length);
            path[length] = '/';
            look_at_files(child, one->descriptor, path, length + 1);
            look(one->descriptor, child->name);
        }
        put(open);
        release(one);
    }
    return unused;
}

static double both(void *(*body)(void *), struct directory *root) {
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    root->next = NULL;
    waiting = root;
    pthread_t threads[THREADS];
    for (int n = 0; n < THREADS; n++) pthread_create(&threads[n], NULL, body, NULL);
    for (int n = 0; n < THREADS; n++) pthread_join(threads[n], NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9;
}

int main(int count, char **words) {
    if (count != 2) errx(2, "usage: floor DIRECTORY");
    struct directory *root = calloc(1, sizeof *root + strlen(words[1]) + 1);
    if (!root) err(1, "memory");
    strcpy(root->name, words[1]);
    double first = both(list, root);
    printf("%.3f %.3f\n", first, both(revisit, root));
}
