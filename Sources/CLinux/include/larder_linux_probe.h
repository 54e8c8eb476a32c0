// Whether this process may do what a rootless Podman does first. In a file of its own: it forks.
#pragma once
#include <stdint.h>

// Each an errno, 0 for success, -1 where it was not tried.
typedef struct {
    int32_t userns; // a new user, mount and process-id namespace, with this user mapped to root in it
    int32_t mount;  // a tmpfs mounted there
    int32_t proc;   // a new /proc mounted there: fails with EPERM where parts of /proc are masked
} larder_userns;

// Whether a program has capabilities of its own (capabilities(7), security.capability): 1 or 0.
int larder_has_file_capabilities(const char *path);

// Tries it in a child process and says how far that came; -errno where no child could be made.
int larder_probe_userns(larder_userns *out);
